"""The parent of a new referral, found by the server (attribution.md, "The parent is inferred").

A shopper who arrived through Ana's link and shares afresh would otherwise cut Ana out. The rule is `choose`;
the rest fetches what it needs, for many new referrals at once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from sqlalchemy import BigInteger, FromClause, Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.kernel.database import Instant, id_type
from app.kernel.given import Question
from app.kernel.ids import is_code, is_of
from app.referrals.models import Claim, Link, Referral, Visit

WINDOW = timedelta(days=30)
"""The click window of the default policy."""
ARRIVING = ("click", "like")
"""Types of touch by which somebody comes through a referral. Who only saw its card has not come."""
LONGEST_JOURNEY = 1000
"""Visits of one visitor that are looked at, the latest first. A person makes a few; a program may make any number."""


Windows = Callable[[Session, Collection[int], datetime], Mapping[int, timedelta]]
"""The click windows of some merchants (by their numbers), of the policy that each has in force at a time."""


def usual_windows(_: Session, merchant_ids: Collection[int], __: datetime) -> Mapping[int, timedelta]:
    """Of merchants who have said nothing of it."""
    return dict.fromkeys(merchant_ids, WINDOW)


class Newcomer(Protocol):
    """A like or share whose parent is wanted. `via` is a click id or code from the page."""

    @property
    def merchant_id(self) -> int: ...
    @property
    def visitor_id(self) -> str: ...
    @property
    def product_id(self) -> str | None: ...
    @property
    def wall_id(self) -> str | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def via(self) -> str | None: ...
    @property
    def at(self) -> datetime: ...


class Arrival(NamedTuple):
    """A visit that a visitor claimed."""

    referral_id: str
    product_id: str | None
    wall_id: str | None
    at: datetime
    visit_id: str
    address: str | None = None


def choose(
    arrivals: Iterable[Arrival],
    *,
    product_id: str | None,
    wall_id: str | None,
    now: datetime,
    window: timedelta,
    address: str | None = None,
) -> str | None:
    """The referral through which a visitor had come: that of the latest visit within the window, of the product (or
    of the page at `address`, where that is shared), else of the wall, else of the merchant. None without any visit in
    the window."""

    def nearness(arrival: Arrival) -> tuple[int, datetime, str]:
        of_product = product_id is not None and arrival.product_id == product_id
        of_page = address is not None and arrival.address == address
        of_wall = wall_id is not None and arrival.wall_id == wall_id
        return 2 if of_product or of_page else int(of_wall), arrival.at, arrival.visit_id

    recent = (arrival for arrival in arrivals if now - window <= arrival.at <= now)
    nearest = max(recent, key=nearness, default=None)
    return None if nearest is None else nearest.referral_id


def infer(session: Session, newcomers: Sequence[Newcomer], windows: Windows = usual_windows) -> list[str | None]:
    """The parent of each, in order. `via` helps only a visitor without any visit in the window, which is the one
    that the merchant's policy has for clicks."""
    if not newcomers:
        return []
    latest = max(new.at for new in newcomers)
    window_of = windows(session, {new.merchant_id for new in newcomers}, latest)
    arrivals = _arrivals(session, newcomers, max(window_of.values()))
    chosen = [
        choose(
            arrivals.get((new.merchant_id, new.visitor_id), ()),
            product_id=new.product_id,
            wall_id=new.wall_id,
            address=new.address,
            now=new.at,
            window=window_of[new.merchant_id],
        )
        for new in newcomers
    ]
    by_via = _by_via(session, (new for new, parent in zip(newcomers, chosen, strict=True) if parent is None))
    return [parent or by_via.get((new.merchant_id, new.via)) for new, parent in zip(newcomers, chosen, strict=True)]


def _claims(given: FromClause) -> Select[*tuple[Any, ...]]:
    whose = (Claim.merchant_id, Claim.visitor_id)
    rank = func.row_number().over(partition_by=whose, order_by=Claim.visit_id.desc())
    mine = (Claim.merchant_id == given.c.merchant_id) & (Claim.visitor_id == given.c.visitor_id)
    latest = select(*whose, Claim.visit_id, rank.label("rank")).join_from(given, Claim, mine).subquery()
    # A brought-in visit does not say to what it led: to that of which its referral speaks.
    product = func.coalesce(Visit.product_id, Referral.product_id)
    wall = func.coalesce(Visit.wall_id, Referral.wall_id)
    columns = (Visit.referral_id, product, wall, Visit.at, Visit.visit_id, Referral.address)
    within = Visit.at.between(bindparam("since", type_=Instant()), bindparam("until", type_=Instant()))
    return (
        select(latest.c.merchant_id, latest.c.visitor_id, *columns)
        .join(Visit, (Visit.merchant_id == latest.c.merchant_id) & (Visit.visit_id == latest.c.visit_id))
        .join(Referral, _known_referral)
        .where(latest.c.rank <= LONGEST_JOURNEY, within, Visit.type.in_(ARRIVING))
    )


def _links(given: FromClause) -> Select[*tuple[Any, ...]]:
    return select(Link.merchant_id, Link.code, Link.referral_id).join_from(given, Link, Link.code == given.c.code)


def _clicks(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Visit.merchant_id == given.c.merchant_id) & (Visit.visit_id == given.c.visit_id)
    return select(Visit.merchant_id, Visit.visit_id, Visit.referral_id).join_from(given, Visit, same)


# What was brought in from another system may name a referral that never came: nobody's parent.
_known_referral = (Referral.merchant_id == Visit.merchant_id) & (Referral.referral_id == Visit.referral_id)
_CLAIMS = Question(_claims, merchant_id=BigInteger(), visitor_id=id_type())
_LINKS = Question(_links, code=id_type())
_CLICKS = Question(_clicks, merchant_id=BigInteger(), visit_id=id_type())


def _arrivals(
    session: Session, newcomers: Sequence[Newcomer], window: timedelta
) -> dict[tuple[int, str], list[Arrival]]:
    """The claimed visits of each visitor that may be in the window of one of the newcomers."""
    found: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
    visitors = {(new.merchant_id, new.visitor_id) for new in newcomers}
    moments = [new.at for new in newcomers]
    for merchant_id, visitor_id, *visit in _CLAIMS.ask(
        session, visitors, since=min(moments) - window, until=max(moments)
    ):
        found[merchant_id, visitor_id].append(Arrival(*visit))
    return found


def _by_via(session: Session, newcomers: Iterable[Newcomer]) -> dict[tuple[int, str | None], str]:
    """What `via` names: the referral behind a code or a click id, by merchant and `via`. Another merchant's is none."""
    said = {(new.merchant_id, new.via) for new in newcomers if new.via is not None}
    links = _LINKS.ask(session, {(via,) for _, via in said if is_code(via)})
    clicks = _CLICKS.ask(session, {(merchant, via) for merchant, via in said if is_of(via, merchant, "clk")})
    return {(merchant_id, via): referral_id for merchant_id, via, referral_id in (*links, *clicks)}
