"""The ledger of credit: brings what is written of orders up to what the engine says of them, by appending only.

Called in the transaction of whatever may have changed an order's credit; called again, it appends nothing. Who calls
holds what decides the credit (docs/decisions/0010-whose-turn.md); the orders' rows are locked here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.attribution import closing
from app.attribution.closing import Closing
from app.attribution.engine import Amounts, Line, LineKey, Reason, Settlement, Source, difference, settle
from app.attribution.engine.closed import Written
from app.attribution.loader import Loaded, load_in_parts
from app.attribution.marks import Quarter, mark, quarter_of
from app.attribution.models import CreditLine
from app.attribution.policies import CURRENT, Kept, Policies, kept
from app.attribution.policy_book import Version
from app.kernel import bulk, journal
from app.kernel.clock import to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.kernel.ids import new_ids
from app.orders import history as sales
from app.orders.history import OrderRow

BATCH: Final = 400
"""Orders that are loaded together: enough for statements to cost little, few enough to fit in memory anywhere."""


class Origin(NamedTuple):
    """Where a line's credit came from, as reports ask for it: the same on every level of a source, so that totals by
    product, wall or network do not depend on the upline (attribution.md, rule 7). It follows from the line's key."""

    shared_to: str | None
    seen_from: str | None
    product: str | None
    wall: str | None
    kind: str | None


class _Before(NamedTuple):
    """A line that was appended before."""

    line: Written
    origin: Origin


_Ledger = Mapping[str, Sequence[_Before]]  # by policy


def bring_up_to_date(session: Session, merchant_id: int, order_ids: Collection[str], now: datetime) -> int:
    """Append what is missing, so that the credit lines of these orders are what the engine says of them under every
    policy that is kept; how many lines that were. What is no order of this merchant's is left out."""
    session.flush()
    policies, closed = kept(session, merchant_id), closing.of(session, merchant_id)
    ids = sorted(set(order_ids))
    appended = 0
    for begin in range(0, len(ids), BATCH):
        rows = sales.rows(session, merchant_id, ids[begin : begin + BATCH], lock=True)
        for livemode in (True, False):
            same = [row for row in rows if row.livemode is livemode]
            appended += _append(session, merchant_id, same, policies, closed, now)
    return appended


def ledger(session: Session, merchant_id: int, order_id: str, policy: str = CURRENT) -> list[CreditLine]:
    """The order's credit lines under a policy as they were appended, oldest first."""
    query = select(CreditLine).where(
        CreditLine.merchant_id == merchant_id, CreditLine.order_id == order_id, CreditLine.policy == policy
    )
    return list(session.scalars(query.order_by(CreditLine.credit_id)))


def stands(
    session: Session, merchant_id: int, row: OrderRow, loaded: Loaded, version: Version, as_of: datetime | None
) -> Settlement | None:
    """How an order that is closed stood at `as_of` (None: now) under a policy; None for one that is open."""
    closed = closing.of(session, merchant_id)
    if closed is None:
        return None
    of_order = (CreditLine.merchant_id == merchant_id) & (CreditLine.order_id == row.order_id)
    lines = session.scalars(select(CreditLine).where(of_order).order_by(CreditLine.credit_id))
    known = [line for line in lines if as_of is None or line.written_at <= as_of]
    written = [_line(line) for line in known if line.policy == version.name]
    return closed.settlement(row, loaded, version.policy, written, is_new=not known)


def _line(line: CreditLine) -> Written:
    key = LineKey(
        *(_SOURCES[line.source], line.touch, line.referral, line.level),
        *(line.sharer, line.network, line.source_referral),
    )
    return Written(key, Amounts(line.gross, line.reversed), None if line.reason is None else Reason(line.reason))


def _append(
    session: Session,
    merchant_id: int,
    rows: Sequence[OrderRow],
    policies: Policies,
    closed: Closing | None,
    now: datetime,
) -> int:
    appended = 0
    if rows:
        for part, loaded in load_in_parts(session, merchant_id, rows, purchases=policies.journey_reset):
            written = _written(session, merchant_id, [row.order_id for row in part])
            lines = [
                line
                for row in part
                for policy in policies.all_for(row.at)
                for line in _missing(row, loaded, policy, written.get(row.order_id, {}), closed)
            ]
            if lines:
                mark(session, merchant_id, {quarter for quarter, _ in lines}, now)
                _write(session, merchant_id, [line for _, line in lines], now)
            appended += len(lines)
    return appended


def _write(session: Session, merchant_id: int, lines: Sequence[bulk.Row], now: datetime) -> None:
    """Append lines of credit, and note of each order that it was attributed: by the first line of its."""
    numbered = list(zip(new_ids("crd", merchant_id, now, len(lines)), lines, strict=True))
    common = (merchant_id, to_micros(now))
    bulk.append(session, CreditLine, _COLUMNS, [(*common, credit_id, *line) for credit_id, line in numbered])
    firsts: dict[object, str] = {}
    for credit_id, line in numbered:
        firsts.setdefault(line[0], credit_id)
    journal.note(session, merchant_id, "order.attributed", firsts.values(), now)


def _missing(
    row: OrderRow, loaded: Loaded, policy: Kept, ledger: _Ledger, closed: Closing | None
) -> Iterator[tuple[Quarter, bulk.Row]]:
    """What is to be appended for one order under one policy: its quarter, and the line as `_COLUMNS` has it after the
    id."""
    before = ledger.get(policy.name, ())
    written = [each.line for each in before]
    stands = None
    if closed is not None:
        stands = closed.settlement(row, loaded, policy.policy, written, is_new=not ledger)
    settlement = stands or settle(loaded.orders[row.order_id], loaded.facts, policy.policy)
    changes = difference(((line.key, line.amounts) for line in written), settlement.lines)
    if not changes:
        return
    known = {line.key: (line.reason, origin) for line, origin in before}
    # What a closed order's lines came from may not be there any more, but was written with them.
    fresh = settlement.lines if stands is None else [line for line in settlement.lines if line.key not in known]
    known.update((line.key, (line.reason, _origin(line, loaded))) for line in fresh)
    at = to_micros(row.at)
    quarter = quarter_of(policy.name, row.livemode, at)
    for key, (gross, reversed_) in changes.items():
        source, *rest = key
        reason, origin = known[key]
        about = (row.order_id, policy.name, policy.version, row.currency, row.livemode, at)
        said = None if reason is None else str(reason)
        yield quarter, (*about, source.value, *rest, gross, reversed_, said, *origin)


def _origin(line: Line, loaded: Loaded) -> Origin:
    subject = None if line.source_referral is None else loaded.subjects[line.source_referral]
    seen_from = None if line.touch is None else loaded.facts.touches[line.touch].network
    if subject is None:
        return Origin(None, seen_from, None, None, None)
    return Origin(subject.network, seen_from, subject.product, subject.wall, subject.kind)


def _written(session: Session, merchant_id: int, order_ids: Collection[str]) -> Mapping[str, _Ledger]:
    found: dict[str, dict[str, list[_Before]]] = defaultdict(lambda: defaultdict(list))
    for row in _LEDGERS.ask(session, keys_of(merchant_id, order_ids)):
        order_id, policy, source, *rest = row
        touch, referral, level, sharer, network, through, gross, reversed_, reason, *origin = rest
        key = LineKey(_SOURCES[source], touch, referral, level, sharer, network, through)
        line = Written(key, Amounts(gross, reversed_), None if reason is None else Reason(reason))
        found[order_id][policy].append(_Before(line, Origin(*origin)))
    return found


_SOURCES: Final = {each.value: each for each in Source}
_COLUMNS: Final = (
    *("merchant_id", "written_at", "credit_id"),
    *("order_id", "policy", "policy_version", "currency", "livemode", "order_at"),
    *LineKey._fields,
    *Amounts._fields,
    "reason",
    *Origin._fields,
)
_lines = table_of(CreditLine)


def _ledgers_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = ("order_id", "policy", *LineKey._fields, *Amounts._fields, "reason", *Origin._fields)
    same = (_lines.c.merchant_id == given.c.merchant_id) & (_lines.c.order_id == given.c.order_id)
    return select(*(_lines.c[name] for name in columns)).join_from(given, _lines, same).order_by(_lines.c.credit_id)


_LEDGERS = Question(_ledgers_of, merchant_id=BigInteger(), order_id=id_type())
