"""The explanation of an order's attribution by HTTP."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.attribution import explanation_wire, policy_book, sentences, writing
from app.attribution.engine import Facts, Settlement, settle
from app.attribution.explanation_wire import (
    CouponDecisionOut,
    CreditLineOut,
    Doubt,
    DoubtOut,
    RefundTakingOut,
    Sentences,
    TouchOut,
)
from app.attribution.loader import load
from app.attribution.models import CreditLine
from app.attribution.policies import CURRENT
from app.attribution.policy_book import Version
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.periods import moment
from app.merchants import service as merchants
from app.merchants.access import ExactReportKey, SecretKey
from app.orders import history as sales
from app.orders import service as orders
from app.orders.history import OrderRow
from app.orders.models import Order

router = APIRouter()


class ExplanationQuery(Body):
    """By which policy an order is explained, and as it was known when."""

    policy: Annotated[
        Text,
        Field(
            description="The name of a policy that is kept computed (`GET /v1/policies`); default: the one in force."
        ),
    ] = CURRENT
    as_of: Annotated[
        str | None,
        Field(
            description="A date or time, not before the order was known: what was known then; default: all.",
            examples=["2026-11-22T09:30:00Z"],
        ),
    ] = None


class EntryOut(Wire):
    """A line of the ledger as it was appended; never edited. The entries of a line add up to it."""

    id: str
    written_at: Timestamp
    policy_version: int
    source: str
    touch: str | None
    referral: str | None
    sharer: str
    network: str
    level: int | None
    gross: int
    reversed: int
    reason: str | None


class AttributionOut(Wire):
    """Why an order's net was divided as it was. The lines' nets add up to `net - refunded`.

    Every `explanation` and the `summary` are sentences in English and French. `visitor` is who bought as the order
    says, `buyer` the person who that is; `doubt` is the one because of which the order itself is held or refused.
    `entries` is the ledger of this policy, which adds up to the lines.
    """

    order: str
    external_id: str
    currency: str
    net: int
    refunded: int
    at: Timestamp
    visitor: str | None
    click: str | None
    buyer: str | None
    summary: Sentences
    reason: str | None
    doubt: Doubt = None
    journey: list[TouchOut]
    coupon: CouponDecisionOut | None
    lines: list[CreditLineOut]
    refunds: list[RefundTakingOut]
    entries: list[EntryOut]
    policy: PolicyOut
    policy_name: str
    policy_version: int
    policy_explanation: Sentences
    as_of: Timestamp | None
    closed: Annotated[
        Sentences | None,
        Field(
            description="Where the visits of its time are no longer kept: the order stands as it was credited, "
            "`journey` is empty, and the lines are those of the ledger."
        ),
    ] = None


@router.get("/v1/orders/{order_id}/attribution", response_model=AttributionOut, tags=["orders"])
def explain_order(
    order_id: str, query: Annotated[ExplanationQuery, Query()], caller: SecretKey, work: UnitOfWork
) -> Response:
    """The journey in order, for each touch whether it counted and why not; every line of credit with its arithmetic,
    every refund with what it took from whom, and the ledger behind them: as data and as sentences."""
    return work.read(lambda session: _explanation(session, caller.merchant_id, order_id, query))


@router.get("/v1/reports/orders/{order_id}/attribution", response_model=AttributionOut, tags=["reports"])
def explain_credited_order(
    order_id: str, query: Annotated[ExplanationQuery, Query()], caller: ExactReportKey, work: UnitOfWork
) -> Response:
    """The same for whoever reads reports: why an order behind a figure was credited as it was."""
    return work.read(lambda session: _explanation(session, caller.merchant_id, order_id, query))


def _explanation(session: Session, merchant_id: int, order_id: str, query: ExplanationQuery) -> AttributionOut:
    order = orders.get(session, merchant_id, order_id)
    as_of = _as_of(session, order, query.as_of)
    version = policy_book.for_explanation(session, merchant_id, query.policy, order.at, as_of)
    said, settlement, facts, is_closed = _settled(session, order, version, as_of)
    return AttributionOut(
        order=order.order_id,
        external_id=order.external_id,
        currency=order.currency,
        net=said.net,
        refunded=settlement.refunded,
        at=order.at,
        visitor=said.visitor_id,
        click=said.click_id,
        buyer=settlement.buyer,
        summary=sentences.of_order(settlement),
        reason=settlement.reason,
        doubt=DoubtOut.of(facts.bars.orders.get(settlement.order.id)),
        journey=list(explanation_wire.journey_of(settlement, facts, version.policy)),
        coupon=explanation_wire.coupon_of(settlement, facts, version.policy),
        lines=list(explanation_wire.lines_of(settlement)),
        refunds=list(explanation_wire.refunds_of(settlement, order.refunds)),
        entries=[_entry(line) for line in _ledger(session, order, version.name, as_of)],
        policy=PolicyOut.of(version.policy),
        policy_name=version.name,
        policy_version=version.version,
        policy_explanation=sentences.of_policy(version.name, version.version, version.policy),
        as_of=as_of,
        closed=sentences.of_closed() if is_closed else None,
    )


def _as_of(session: Session, order: Order, text: str | None) -> datetime | None:
    """Raises `Invalid` for what is no moment, and for one at which the order was not known."""
    if text is None:
        return None
    as_of = moment(text, ZoneInfo(merchants.get(session, order.merchant_id).timezone), "as_of")
    if as_of < order.received_at:
        raise Invalid.field("as_of", "this order was not known at that time")
    return as_of


def _settled(
    session: Session, order: Order, version: Version, as_of: datetime | None
) -> tuple[OrderRow, Settlement, Facts, bool]:
    """What the order said then, what the engine says of it, the facts that it judged by, and whether it is closed."""
    (row,) = sales.rows(session, order.merchant_id, [order.order_id], known_by=as_of)
    loaded = load(session, order.merchant_id, [row], as_of=as_of, purchases=version.policy.journey_reset)
    stands = writing.stands(session, order.merchant_id, row, loaded, version, as_of)
    settlement = stands or settle(loaded.orders[order.order_id], loaded.facts, version.policy)
    return row, settlement, loaded.facts, stands is not None


def _ledger(session: Session, order: Order, policy: str, as_of: datetime | None) -> list[CreditLine]:
    written = writing.ledger(session, order.merchant_id, order.order_id, policy)
    return [line for line in written if as_of is None or line.written_at <= as_of]


def _entry(line: CreditLine) -> EntryOut:
    fields = {name: getattr(line, name) for name in EntryOut.model_fields if name != "id"}
    return EntryOut(id=line.credit_id, **fields)
