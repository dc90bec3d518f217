"""Previews by HTTP: what if sales were divided by another policy (attribution.md, Wire forms)."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.attribution import closing, sentences
from app.attribution.credit_wire import CreditOut
from app.attribution.engine import Settlement, Totals
from app.attribution.explanation_wire import Sentences
from app.attribution.policy_wire import PolicyIn, PolicyOut, policy_of
from app.attribution.preview import MOST_ORDERS, Asked, preview
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Timestamp, Wire
from app.kernel.http.work import JSON, Here
from app.kernel.periods import moment
from app.merchants import service as merchants
from app.merchants.access import SecretKey

router = APIRouter(tags=["policies"])

TotalsOut = Annotated[Totals, Field(description="By currency, in minor units.", examples=[{"eur": {"whatsapp": 9000}}])]


class PreviewIn(Body):
    """What is asked: `from <= at < to`, as it was known at `as_of`. Dates are midnights of the merchant's time zone."""

    policy: PolicyIn = {}
    as_of: Annotated[str | None, Field(description="A date or time; null, and what is to come: now.")] = None
    begin: Annotated[str | None, Field(alias="from", description="A date or time; null: from the first order.")] = None
    end: Annotated[str | None, Field(alias="to", description="A date or time, not included; null: to the last.")] = None
    orders: Annotated[bool, Field(strict=True, description=f"Whether to list them, {MOST_ORDERS} at most.")] = True
    livemode: (
        Annotated[
            bool,
            Field(
                strict=True, description="`false`: test orders. Default: real ones, unless Stripe is simulated here."
            ),
        ]
        | None
    ) = None


class PreviewOrder(Wire):
    """An order under its shop's own id, and how it would be divided. Lines of gross 0 are left out."""

    id: str
    currency: str
    net: int
    refunded: int
    lines: list[CreditOut]


class TotalsOnly(Wire):
    """What each network, sharer and subtree would have of the orders, net. `by_subtree` gives each referral all that
    came of it, so nested subtrees overlap."""

    by_network: TotalsOut
    by_sharer: TotalsOut
    by_subtree: TotalsOut
    policy: PolicyOut
    as_of: Timestamp
    note: Annotated[
        Sentences | None,
        Field(description="Where visits that may have led to these orders are no longer kept: what that means."),
    ] = None


class PreviewOut(TotalsOnly):
    """The totals, and before them the orders by (at, id), where they are asked for."""

    orders: Annotated[
        list[PreviewOrder],
        Field(
            examples=[
                [
                    {
                        "id": "o1",
                        "currency": "eur",
                        "net": 10000,
                        "refunded": 1000,
                        "lines": [
                            {
                                "source": "touch",
                                "touch": "t1",
                                "referral": "s1",
                                "network": "whatsapp",
                                "sharer": "v1",
                                "level": 0,
                                "gross": 10000,
                                "reversed": 1000,
                                "net": 9000,
                                "reason": None,
                            }
                        ],
                    }
                ]
            ]
        ),
    ] = []


@router.post("/v1/attribution/preview", response_model=PreviewOut)
def preview_attribution(body: PreviewIn, caller: SecretKey, here: Here) -> Response:
    """How sales would be divided by any policy. Nothing is stored: asking twice is asking once, so no Idempotency-Key
    is needed. Without `from` and `to` all orders there are count."""
    with here.reports.view(here.clock.now(), caller.merchant_id) as (session, known):
        asked = _asked(session, body, caller.merchant_id, known, here.settings.test_mode)
        found = preview(session, asked, _order)
        gone = closing.gone_before(session, caller.merchant_id, asked.since, [asked.policy])
    totals = TotalsOnly(
        by_network=found.tally.by_network(),
        by_sharer=found.tally.by_sharer(),
        by_subtree=found.tally.by_subtree(),
        policy=PolicyOut.of(asked.policy),
        as_of=asked.as_of or known,
        note=sentences.of_gone(gone),
    )
    told = totals.model_dump_json(exclude={"note"} if totals.note is None else None)
    # Orders were written one by one as they passed by: so many of them need far less memory than their models would.
    orders = f'"orders":[{",".join(found.orders)}],' if asked.orders else ""
    return Response(f"{{{orders}{told.removeprefix('{')}", media_type=JSON)


def _asked(session: Session, body: PreviewIn, merchant_id: int, known: datetime, test_mode: bool) -> Asked:
    zone = ZoneInfo(merchants.get(session, merchant_id).timezone)

    def at(text: str | None, name: str) -> datetime | None:
        return None if text is None else moment(text, zone, f"/{name}")

    since, until = at(body.begin, "from"), at(body.end, "to")
    if since is not None and until is not None and since >= until:
        raise Invalid.field("/to", "must be later than from")
    as_of = at(body.as_of, "as_of")
    return Asked(
        merchant_id=merchant_id,
        policy=policy_of(body.policy, "/policy"),
        since=since,
        until=until,
        as_of=known if as_of is None else min(as_of, known),  # nobody knows yet what will be known
        livemode=not test_mode if body.livemode is None else body.livemode,
        orders=body.orders,
    )


def _order(settlement: Settlement) -> str:
    order = settlement.order
    shown = PreviewOrder(
        id=order.id,
        currency=order.currency,
        net=order.net,
        refunded=settlement.refunded,
        lines=[CreditOut.of(line) for line in settlement.lines],
    )
    return shown.model_dump_json()
