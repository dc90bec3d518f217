"""What came of referrals: who came through them, and what was sold. Reads only."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, literal_column, select
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel.clock import from_micros
from app.kernel.ids import beginning
from app.referrals.models import Claim, Visit
from app.referrals.parents import ARRIVING
from app.reports.forest import Node
from app.reports.people import Known, one_of

Sales = dict[str, dict[str, int]]
"""Minor units by currency, by referral."""
Arrivals = Iterable[tuple[str, str]]
"""Who came, and through which referral."""

_STREAMED = {"yield_per": 10_000}
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC) + _MILLISECOND


def sales(session: Session, referral_ids: Collection[str], conditions: Sequence[ColumnElement[bool]]) -> Sales:
    """The net that came directly through each of these referrals, whatever the upline gave to whom (rule 12).

    `conditions` say which credit lines count. Sums of 0 are left out.
    """
    net = func.sum(CreditLine.gross - CreditLine.reversed)
    through = one_of(session, CreditLine.source_referral, referral_ids)
    query = select(CreditLine.source_referral, CreditLine.currency, net).where(*conditions, through)
    found: Sales = defaultdict(dict)
    for referral, currency, amount in session.execute(query.group_by(CreditLine.source_referral, CreditLine.currency)):
        if amount:
            found[str(referral)][currency] = int(amount)
    return found


def added_up(sales: Sales, referral_ids: Iterable[str]) -> dict[str, int]:
    """The sales of these referrals together: minor units by currency, 0 left out."""
    total: Counter[str] = Counter()
    for referral in referral_ids:
        total.update(sales.get(referral, {}))
    return {currency: net for currency, net in sorted(total.items()) if net}


def visits(session: Session, known: Known, nodes: Sequence[Node], since: datetime, until: datetime) -> Counter[str]:
    """How often somebody came through each of these referrals in `since <= at < until`."""
    found: Counter[str] = Counter()
    if not nodes:
        return found
    through = one_of(session, Visit.referral_id, [node.referral for node in nodes])
    for conditions in _came(known, nodes, since, until):
        query = select(Visit.referral_id, func.count()).where(through, *conditions).group_by(Visit.referral_id)
        for referral, count in session.execute(query):
            found[str(referral)] += count
    return found


def arrivals(session: Session, known: Known, nodes: Sequence[Node]) -> Arrivals:
    """Who came through one of these referrals, for each visit; all visits of one person in a row.

    A visit that nobody claimed is a person of its own.
    """
    if not nodes:
        return ()
    found = _visits(known, nodes, one_of(session, Visit.referral_id, [node.referral for node in nodes]))
    who = func.coalesce(found.c.who, found.c.visit_id).label("who")
    rows = session.execute(select(who, found.c.referral_id).order_by(who), execution_options=_STREAMED)
    return ((person, str(referral)) for person, referral in rows)


def counted(session: Session, known: Known, nodes: Sequence[Node]) -> Iterable[tuple[str | None, str, int]]:
    """Who came through which of these referrals, and how often; all of one person in a row, and together those whom
    nobody knows (None), each of whom is a person of their own."""
    if not nodes:
        return ()
    found = _visits(known, nodes, one_of(session, Visit.referral_id, [node.referral for node in nodes]))
    key = (found.c.who, found.c.referral_id)
    query = select(*key, func.count()).group_by(*key).order_by(found.c.who)
    rows = session.connection().execute(query, execution_options=_STREAMED)
    return ((who, str(referral), int(times)) for who, referral, times in rows)


def _visits(known: Known, nodes: Sequence[Node], through: ColumnElement[bool]) -> Subquery:
    who = known.sharer(Claim.visitor_id, Claim.merchant_id).label("who")
    same = and_(Claim.merchant_id == Visit.merchant_id, Claim.visit_id == Visit.visit_id)
    claimed = and_(same, Claim.received_at <= known.as_of)
    here, brought = (
        select(who, Visit.visit_id, Visit.referral_id).outerjoin(Claim, claimed).where(through, *conditions)
        for conditions in _came(known, nodes)
    )
    return here.union_all(brought).subquery()


def _came(
    known: Known, nodes: Sequence[Node], since: datetime | None = None, until: datetime | None = None
) -> Iterator[list[ColumnElement[Any]]]:
    """What holds for visits through some of `nodes` in `since <= at < until`: those that were made here, whose ids
    begin with their time, and those of other systems, which have an index of their own. So visits of another time
    are not even read."""
    first = from_micros(min(node.at for node in nodes))  # nobody can come through a link that is not there yet
    both: list[ColumnElement[Any]] = [known(Visit), Visit.type.in_(ARRIVING)]
    here: list[ColumnElement[Any]] = [
        Visit.visit_id >= beginning("clk", max(max(first, since or first) - _MILLISECOND, _FIRST))
    ]
    if since is not None:
        both.append(Visit.at >= since)
    if until is not None:
        both.append(Visit.at < until)
        here.append(Visit.visit_id < beginning("clk", until + 2 * _MILLISECOND))
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    imported: ColumnElement[Any] = literal_column("visits.imported")
    yield [*both, *here, ~imported]
    yield [*both, imported]
