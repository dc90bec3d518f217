"""The explanation of an order's attribution by HTTP."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from app.attribution import shell
from app.attribution.engine import Line, Settlement, Verdict, policy_to_wire
from app.attribution.models import CreditLine
from app.kernel.clock import from_micros
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.orders import service as orders
from app.orders.models import Order

router = APIRouter(tags=["orders"])


class TouchOut(Wire):
    """One touch of the journey, and what became of it. `weight` is an exact fraction of the order."""

    touch: str
    type: str
    network: str | None
    referral: str | None
    sharer: str | None
    at: Timestamp
    age_seconds: int
    counted: bool
    reason: str | None
    explanation: str
    weight: str
    amount: int


class LineOut(Wire):
    """One line of credit: `gross` as sold, `reversed` as taken back, `net` what is left."""

    source: str
    touch: str | None
    referral: str | None
    network: str
    sharer: str
    level: int | None
    gross: int
    reversed: int
    net: int
    reason: str | None
    explanation: str


class EntryOut(Wire):
    """A line of the ledger as it was appended; never edited."""

    id: str
    written_at: Timestamp
    sharer: str
    network: str
    level: int | None
    gross: int
    reversed: int


class AttributionOut(Wire):
    """Why an order's net was divided as it was. The lines' nets add up to `net - refunded`."""

    order: str
    external_id: str
    currency: str
    net: int
    refunded: int
    at: Timestamp
    buyer: str | None
    journey: list[TouchOut]
    lines: list[LineOut]
    entries: list[EntryOut]
    reason: str | None
    policy: dict[str, Any]
    policy_version: int


@router.get("/v1/orders/{order_id}/attribution", response_model=AttributionOut)
def explain_order(order_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """The journey in order, for each touch whether it counted and why not, every line of credit with its
    arithmetic, and the ledger behind them."""

    def explain(session: Session) -> AttributionOut:
        order = orders.get(session, caller.merchant_id, order_id)
        settlement, facts = shell.settled(session, order)
        sharers = {each.id: facts.sharer(each) for each in facts.referrals.values()}
        return _explanation(order, settlement, sharers, shell.ledger(session, order))

    return work.read(explain)


def _explanation(
    order: Order, settlement: Settlement, sharers: dict[str, str], ledger: list[CreditLine]
) -> AttributionOut:
    return AttributionOut(
        order=order.order_id,
        external_id=order.external_id,
        currency=order.currency,
        net=order.net,
        refunded=settlement.refunded,
        at=order.at,
        buyer=settlement.buyer,
        journey=[_touch(verdict, sharers) for verdict in settlement.verdicts],
        lines=[_line(line) for line in settlement.lines],
        entries=[_entry(entry) for entry in ledger],
        reason=settlement.reason,
        policy=policy_to_wire(shell.POLICY),
        policy_version=shell.POLICY_VERSION,
    )


def _touch(verdict: Verdict, sharers: dict[str, str]) -> TouchOut:
    touch = verdict.touch
    return TouchOut(
        touch=touch.id,
        type=touch.type,
        network=touch.network,
        referral=touch.referral,
        sharer=None if touch.referral is None else sharers.get(touch.referral),
        at=from_micros(touch.at * 1_000_000),
        age_seconds=verdict.age,
        counted=verdict.counted,
        reason=verdict.reason,
        explanation=_why(verdict),
        weight=f"{verdict.weight.numerator}/{verdict.weight.denominator}",
        amount=verdict.cents,
    )


def _why(verdict: Verdict) -> str:
    if verdict.reason is not None:
        return verdict.reason.explain
    return f"It counted for {verdict.weight} of the order: {verdict.cents} of {verdict.of}."


def _line(line: Line) -> LineOut:
    if line.reason is not None:
        explanation = line.reason.explain
    else:
        explanation = (
            f"{line.source_weight} of the order went to this source, {line.level_weight} of that to this level: "
            f"{line.gross}, of which {line.reversed} were taken back."
        )
    return LineOut(
        source=line.source,
        touch=line.touch,
        referral=line.referral,
        network=line.network,
        sharer=line.sharer,
        level=line.level,
        gross=line.gross,
        reversed=line.reversed,
        net=line.net,
        reason=line.reason,
        explanation=explanation,
    )


def _entry(entry: CreditLine) -> EntryOut:
    return EntryOut(
        id=entry.credit_id,
        written_at=entry.written_at,
        sharer=entry.sharer,
        network=entry.network,
        level=entry.level,
        gross=entry.gross,
        reversed=entry.reversed,
    )
