"""How far a change reaches: who ever was the same person, what was shared on from a referral, who came through it.

Parts of statements about many keys at once (`app.kernel.given.Question`), for whoever looks for what hangs on them.
They find too much rather than too little. Every table of keys has the merchant's number beside each, so that no
database begins with all that is this merchant's (`app.kernel.given.keys_of`); `since` is a moment in microseconds, cut
to its second as attribution counts. Executes nothing.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, func, select, text, type_coerce
from sqlalchemy.sql.elements import SQLCoreOperations

from app.referrals.models import Claim, Coupon, Identity, Referral, Visit

Ids = Select[int, str]
"""Of what there is: the merchant's number and an id."""
_SECOND: Final = 1_000_000


def second_of(at: SQLCoreOperations[datetime]) -> ColumnElement[int]:
    """The second of a moment, in microseconds since 1970."""
    micros: ColumnElement[int] = type_coerce(at, BigInteger)
    return micros - micros % _SECOND


def of(table: Any, keys: FromClause, column: SQLCoreOperations[Any], key: str) -> ColumnElement[bool]:
    """Whether a row of `table` is meant by `keys`: it is the same merchant's, and `column` is what `key` says."""
    same: ColumnElement[bool] = (table.merchant_id == keys.c.merchant_id) & (column == keys.c[key])
    return same


def everyone(known: FromClause) -> FromClause:
    """Of `known` visitors with `since`, all who ever stood for the same person as one of them, and that person, who
    may be a visitor too."""
    columns = (known.c.merchant_id, known.c.visitor_id, known.c.since)
    known = select(*columns).cte("known")
    linked = select(Identity.merchant_id, Identity.person, known.c.since)
    people = (
        select(known.c.merchant_id, known.c.visitor_id.label("person"), known.c.since)
        .union(linked.join_from(known, Identity, of(Identity, known, Identity.visitor_id, "visitor_id")))
        .cte("people")
    )
    others = select(Identity.merchant_id, Identity.visitor_id, people.c.since)
    # Asks for what the primary key does not hold; to be spared a look, SQLite would read all of a merchant's in it.
    others = others.where(type_coerce(Identity.received_at, BigInteger) >= 0)
    return (
        select(people.c.merchant_id, people.c.person.label("visitor_id"), people.c.since)
        .union(others.join_from(people, Identity, of(Identity, people, Identity.person, "person")))
        .cte("everyone")
    )


def claimed_by(visitors: FromClause) -> FromClause:
    """The touches of `visitors` (with their `since`), whenever they were made."""
    claims = select(Claim.merchant_id, Claim.visit_id, visitors.c.since)
    found = claims.join_from(visitors, Claim, of(Claim, visitors, Claim.visitor_id, "visitor_id"))
    return found.cte("claimed").prefix_with(_FIRST)


def these(referrals: FromClause) -> Ids:
    """Those of `referrals` that are known."""
    return _IDS.join_from(referrals, Referral, of(Referral, referrals, Referral.referral_id, "referral_id"))


def shared_by(visitors: FromClause) -> Ids:
    """The likes and shares of `visitors`."""
    return _IDS.join_from(visitors, Referral, of(Referral, visitors, Referral.visitor_id, "visitor_id"))


def family(referrals: Ids) -> FromClause:
    """The referrals and all that were shared on from them, however deep; a loop ends it too."""
    known = referrals.cte("family", recursive=True)
    return known.union(_IDS.join_from(known, Referral, of(Referral, known, Referral.parent_id, "referral_id")))


def came_through(referrals: FromClause) -> FromClause:
    """The touches that name one of `referrals` and may have come before it: those that were brought in. Each with
    its visitor, and `since` when."""
    touches = (
        select(Visit.merchant_id, Visit.visit_id, Claim.visitor_id, second_of(Visit.at).label("since"))
        .join_from(referrals, Visit, of(Visit, referrals, Visit.referral_id, "referral_id"))
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
    )
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    return touches.where(text("visits.imported")).cte("came_through")


def touches_of(visits: FromClause) -> FromClause:
    """The touches of `visits` that somebody claimed, each with its visitor, and `since` when."""
    touches = (
        select(Visit.merchant_id, Visit.visit_id, Claim.visitor_id, second_of(Visit.at).label("since"))
        .join_from(visits, Visit, of(Visit, visits, Visit.visit_id, "visit_id"))
        .join(Claim, (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id))
    )
    return touches.cte("touched").prefix_with(_FIRST)


def ever_through(referrals: FromClause) -> FromClause:
    """All touches that name one of `referrals`, each with `first`, which no click through it is less than. No index
    leads from a referral to clicks (`Visit`): those of one merchant are looked through once, from the least `first` on;
    what was brought in has its index, whatever its ids."""
    given = select(func.min(referrals.c.merchant_id).label("merchant_id"), func.min(referrals.c.first).label("first"))
    least = given.subquery("least")
    ids = select(Visit.merchant_id, Visit.visit_id)
    here = ids.where(
        Visit.merchant_id == select(least.c.merchant_id).scalar_subquery(),
        Visit.visit_id >= select(least.c.first).scalar_subquery(),
        Visit.referral_id.in_(select(referrals.c.referral_id)),
    )
    imported = ids.join_from(referrals, Visit, of(Visit, referrals, Visit.referral_id, "referral_id"))
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    return here.union(imported.where(text("visits.imported"))).cte("ever_through").prefix_with(_FIRST)


def codes_of(referrals: FromClause) -> FromClause:
    """The codes that ever spoke for one of `referrals`, each with `since` when. All are one merchant's, whose coupons
    are looked through once: no index leads from a referral to its codes, for nothing else asks for them so."""
    spoke = select(Coupon.merchant_id, Coupon.code, second_of(Coupon.at).label("since"))
    whose = Coupon.merchant_id == select(referrals.c.merchant_id).limit(1).scalar_subquery()
    found = spoke.where(whose, Coupon.referral_id.in_(select(referrals.c.referral_id)))
    return found.cte("codes").prefix_with(_FIRST)


_FIRST: Final = "MATERIALIZED"
"""Found by itself before what is joined to it: SQLite would begin at the other end."""
_IDS: Final = select(Referral.merchant_id, Referral.referral_id)
