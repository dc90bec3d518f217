"""How far a change reaches: who ever was the same person, what was shared on from a referral, who came through it.

Parts of statements about many keys at once (`app.kernel.given.Question`), for whoever looks for what hangs on them.
They find too much rather than too little. `since` is a moment in microseconds, cut to its second as attribution counts;
`MERCHANT` is the statements' parameter. Executes nothing.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import CTE, BigInteger, FromClause, Select, bindparam, select, text, type_coerce
from sqlalchemy.sql.elements import ColumnElement, SQLCoreOperations

from app.referrals.models import Claim, Coupon, Identity, Referral, Visit

MERCHANT: Final = bindparam("merchant", type_=BigInteger())
_SECOND = 1_000_000


def second_of(at: SQLCoreOperations[datetime]) -> ColumnElement[int]:
    """The second of a moment, in microseconds since 1970."""
    micros: ColumnElement[int] = type_coerce(at, BigInteger)
    return micros - micros % _SECOND


def everyone(known: FromClause) -> FromClause:
    """Of `known` visitors with `since`, all who ever stood for the same person as one of them, and that person, who
    may be a visitor too."""
    known = select(known.c.visitor_id, known.c.since).cte("known")
    stood_for = select(Identity.person, known.c.since).join(known, Identity.visitor_id == known.c.visitor_id)
    people = (
        select(known.c.visitor_id.label("person"), known.c.since)
        .union(stood_for.where(Identity.merchant_id == MERCHANT))
        .cte("people")
    )
    stands_for = select(Identity.visitor_id, people.c.since).join(people, Identity.person == people.c.person)
    themselves = select(people.c.person.label("visitor_id"), people.c.since)
    return themselves.union(stands_for.where(Identity.merchant_id == MERCHANT)).cte("everyone")


def claimed_by(visitors: FromClause) -> FromClause:
    """The touches of `visitors` (with their `since`), whenever they were made."""
    claims = select(Claim.visit_id, visitors.c.since).join(visitors, Claim.visitor_id == visitors.c.visitor_id)
    return claims.where(Claim.merchant_id == MERCHANT).cte("claimed")


def these(referrals: FromClause) -> Select[str]:
    """Those of `referrals` that are known."""
    known = select(Referral.referral_id).join(referrals, Referral.referral_id == referrals.c.referral_id)
    return known.where(Referral.merchant_id == MERCHANT)


def shared_by(visitors: FromClause) -> Select[str]:
    """The likes and shares of `visitors`."""
    mine = select(Referral.referral_id).join(visitors, Referral.visitor_id == visitors.c.visitor_id)
    return mine.where(Referral.merchant_id == MERCHANT)


def family(referrals: Select[str]) -> CTE:
    """The referrals and all that were shared on from them, however deep; a loop ends it too."""
    known = referrals.cte("family", recursive=True)
    children = select(Referral.referral_id).join(known, Referral.parent_id == known.c.referral_id)
    return known.union(children.where(Referral.merchant_id == MERCHANT))


def came_through(referrals: FromClause) -> FromClause:
    """The touches that name one of `referrals` and may have come before it: those that were brought in. Each with
    its visitor, and `since` when."""
    touches = (
        select(Visit.visit_id, Claim.visitor_id, second_of(Visit.at).label("since"))
        .join(referrals, Visit.referral_id == referrals.c.referral_id)
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
    )
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    return touches.where(Visit.merchant_id == MERCHANT, text("visits.imported")).cte("came_through")


def codes_of(referrals: FromClause) -> FromClause:
    """The codes that ever spoke for one of `referrals`, each with `since` when."""
    given = select(Coupon.code, second_of(Coupon.at).label("since"))
    spoke = given.join(referrals, Coupon.referral_id == referrals.c.referral_id)
    return spoke.where(Coupon.merchant_id == MERCHANT).cte("codes")
