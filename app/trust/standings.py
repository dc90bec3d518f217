"""Through what no credit is earned, as it was known at a moment: the one reader of doubts for attribution.

The last decision about a doubt holds, and of several doubts about the same the strongest. Decisions are only appended,
each after the one before (`doubts.py`), so what stood at a past moment never changes. Writes nothing.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Row,
    Select,
    String,
    bindparam,
    func,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.kernel.database import id_type, table_of
from app.kernel.given import Question
from app.trust.found import About
from app.trust.models import Decision, Doubt

FOR_EVER: Final = 2**63 - 1
"""Microseconds: later than anything."""


class Bar(NamedTuple):
    """Nothing is earned through it: until somebody decides (`hold`), or at all (`refuse`); by which rule's doubt."""

    effect: Literal["hold", "refuse"]
    rule: str
    doubt_id: str


class Barred(NamedTuple):
    """What earns nothing, by id."""

    referrals: Mapping[str, Bar]
    visits: Mapping[str, Bar]
    orders: Mapping[str, Bar]


NOTHING: Final = Barred({}, {}, {})


def barred(
    session: Session,
    merchant_id: int,
    *,
    referrals: Collection[str] = (),
    visits: Collection[str] = (),
    orders: Collection[str] = (),
    known_by: int = FOR_EVER,
) -> Barred:
    """Those of these through which nothing is earned, as was known by `known_by` (microseconds since 1970).

    One statement, and none where nothing is asked. Of several doubts about the same, one that refuses is told before
    one that holds, and the first that was raised. Where much is asked, whether the merchant ever barred anything comes
    first: most never do.
    """
    asked = {About.REFERRAL: referrals, About.VISIT: visits, About.ORDER: orders}
    if sum(map(len, asked.values())) > _MANY and session.scalar(_EVER, {"merchant_id": merchant_id}) is None:
        return NOTHING
    keys = {(merchant_id, about.value, subject) for about, subjects in asked.items() for subject in subjects}
    found: dict[str, dict[str, Bar]] = {about.value: {} for about in About}
    for about, subject, *bar in sorted(_BARRED.ask(session, keys, known_by=known_by), key=_strongest_first):
        found[about].setdefault(subject, Bar(*bar))
    return Barred(*(found[about.value] for about in asked))


def last_decision(of: Any, known_by: ColumnElement[int] | None = None) -> ColumnElement[str]:
    """The id of the decision that holds about the doubt in a row of `of`: part of a statement."""
    decided = table_of(Decision).alias("decided")
    mine = (decided.c.merchant_id == of.merchant_id) & (decided.c.doubt_id == of.doubt_id)
    if known_by is not None:
        mine &= type_coerce(decided.c.at, BigInteger) <= known_by
    found: ColumnElement[str] = select(func.max(decided.c.decision_id)).where(mine).scalar_subquery()
    return found


def _strongest_first(row: Row[*tuple[Any, ...]]) -> tuple[bool, str]:
    """Who refuses before who holds, and of equals the first doubt first."""
    return row.effect != "refuse", row.doubt_id


_MANY: Final = 200
_decisions = table_of(Decision).c
# As the index says it, or a planner could not see that it serves.
_EVER: Final = (
    select(literal(1))
    .where(_decisions.merchant_id == bindparam("merchant_id", type_=BigInteger), text("effect <> 'none'"))
    .limit(1)
)
_known_by = bindparam("known_by", type_=BigInteger)


def _barred(given: FromClause) -> Select[*tuple[Any, ...]]:
    doubt, held = table_of(Doubt).c, table_of(Decision)
    same = (doubt.merchant_id == given.c.merchant_id) & (doubt.about == given.c.about)
    last = (held.c.merchant_id == doubt.merchant_id) & (held.c.doubt_id == doubt.doubt_id)
    columns = (doubt.about, doubt.subject, held.c.effect, doubt.rule, doubt.doubt_id)
    return (
        select(*columns)
        .join_from(given, table_of(Doubt), same & (doubt.subject == given.c.subject))
        .join(held, last & (held.c.decision_id == last_decision(doubt, _known_by)))
        .where(held.c.effect != "none")
    )


_BARRED: Final = Question(_barred, merchant_id=BigInteger(), about=String(8), subject=id_type(200))
