"""Writes likes and shares, a batch of the recorder at a time, in a number of statements that does not grow with it.

Knows the session and the tables, not HTTP. What stands is decided by the unique index of standing referrals
(visitor, kind, product, wall, network), so repeats, in the batch or of another process, find the one that stands.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, String, and_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.catalog import service as catalog
from app.kernel import feed, journal
from app.kernel.bulk import Bulk
from app.kernel.clock import to_micros
from app.kernel.database import id_type, insert_all_new, table_of
from app.kernel.errors import AppError, Invalid
from app.kernel.given import Question
from app.kernel.ids import is_of, new_code, new_id
from app.kernel.rollups.appending import Counted, append
from app.referrals import parents, service
from app.referrals.counting import of_referral
from app.referrals.models import Link, Referral
from app.referrals.parents import Windows, usual_windows
from app.referrals.service import NewReferral, Referred, Standing
from app.walls import service as walls

Owned = tuple[int, str]
"""A merchant, and the id of something that is theirs."""

What = tuple[int | str, ...]
"""What makes a referral the same again: merchant, visitor, kind, target, network."""


class _Row(NamedTuple):
    """A referral as it is kept, under the names of the columns; received when it happened."""

    merchant_id: int
    referral_id: str
    kind: str
    visitor_id: str
    product_id: str | None
    wall_id: str | None
    target: str
    address: str | None
    network: str
    code: str
    parent_id: str | None
    caption: str | None
    name: str | None
    device: str | None
    block: str | None
    at: datetime


class _Subject(NamedTuple):
    """What is referred to."""

    title: str
    image: str | None


def write(
    session: Session, facts: Sequence[NewReferral], windows: Windows = usual_windows
) -> list[Referred | AppError]:
    """Write likes and shares, or find those that stand already; one outcome each, in order.

    Parents are inferred within the merchants' click `windows`.
    `Invalid` naming `/product` or `/wall` for what is not on offer. Of the same referral several times, the first
    is the new one.
    """
    subjects = _subjects(session, facts)
    whats = [_what(fact) for fact in facts]
    wanted: dict[What, NewReferral] = {}
    for what, fact, subject in zip(whats, facts, subjects, strict=True):
        if isinstance(subject, _Subject):
            wanted.setdefault(what, fact)
    standing, new = _stand(session, wanted, windows)
    written = {standing[what].referral_id: fact for what, fact in wanted.items() if what in new}
    feed.tell(session, [service.told(fact) for fact in written.values()])
    _note(session, written)
    append(session, Counter(map(_counted, written.values())))
    likes = service.count_all_likes(session, {liked for fact in wanted.values() if (liked := _liked(fact)) is not None})
    outcomes: list[Referred | AppError] = []
    for what, fact, subject in zip(whats, facts, subjects, strict=True):
        if isinstance(subject, AppError):
            outcomes.append(subject)
            continue
        liked = _liked(fact)
        count = 0 if liked is None else likes[liked]
        outcomes.append(Referred(standing[what], what in new, count, subject.title, subject.image))
        new.discard(what)
    return outcomes


_ROUNDS = 5


def _note(session: Session, written: Mapping[str, NewReferral]) -> None:
    noted: dict[tuple[int, str], list[str]] = defaultdict(list)
    for referral_id, fact in written.items():
        noted[fact.merchant_id, "referral.created"].append(referral_id)
    if noted:
        journal.note_all(session, noted, max(fact.at for fact in written.values()))


def _what(fact: NewReferral) -> What:
    return fact.merchant_id, fact.visitor_id, fact.kind, fact.target, fact.network


def _counted(fact: NewReferral) -> Counted:
    return of_referral(fact.merchant_id, fact.at, fact.kind, fact.network, fact.product_id, fact.wall_id)


def _liked(fact: NewReferral) -> Owned | None:
    return (fact.merchant_id, fact.product_id) if fact.kind == "like" and fact.product_id is not None else None


# What is referred to must be there.


def _subjects(session: Session, facts: Sequence[NewReferral]) -> list[_Subject | Invalid]:
    """Title and picture of what each refers to, or why it cannot be referred to."""
    products = catalog.faces(session, _owned(((fact.merchant_id, fact.product_id) for fact in facts), "prod"))
    titles = walls.titles(session, _owned(((fact.merchant_id, fact.wall_id) for fact in facts), "wall"))
    on_offer = {product: _Subject(title, image) for product, (title, image) in products.items()}
    open_walls = {wall: _Subject(title, None) for wall, title in titles.items()}
    return [_subject(fact, on_offer, open_walls) for fact in facts]


def _owned(named: Iterable[tuple[int, str | None]], prefix: str) -> set[Owned]:
    return {(merchant, each) for merchant, each in named if each is not None and is_of(each, merchant, prefix)}


def _subject(fact: NewReferral, products: dict[Owned, _Subject], walls: dict[Owned, _Subject]) -> _Subject | Invalid:
    wall = None if fact.wall_id is None else walls.get((fact.merchant_id, fact.wall_id))
    if fact.wall_id is not None and wall is None:
        return Invalid.field("/wall", "is not a wall")
    if fact.product_id is None:
        return wall or _Subject("", None)
    product = products.get((fact.merchant_id, fact.product_id))
    return product or Invalid.field("/product", "is not a product on offer")


# What stands.


def _stand(
    session: Session, wanted: Mapping[What, NewReferral], windows: Windows
) -> tuple[dict[What, Standing], set[What]]:
    """What stands of all that is wanted, and which of it was written now."""
    parent_of = _parents(session, wanted, windows)
    standing = _append(session, {what: fact for what, fact in wanted.items() if fact.is_first}, parent_of)
    missing = {what: fact for what, fact in wanted.items() if not fact.is_first}
    new = {*standing}
    for _ in range(_ROUNDS):  # again only for what its visitor takes back in this very moment
        if not missing:
            return standing, new
        made = _insert(session, missing, parent_of)
        new |= made.keys()
        standing |= made | _find(session, missing.keys() - made.keys())
        missing = {what: fact for what, fact in missing.items() if what not in standing}
    raise RuntimeError(f"{len(missing)} referrals neither stand nor can be written")


def _parents(session: Session, wanted: Mapping[What, NewReferral], windows: Windows) -> dict[What, str | None]:
    """The parents of those that may have one."""
    asking = {what: fact for what, fact in wanted.items() if fact.via is not None or not fact.is_first}
    return dict(zip(asking, parents.infer(session, [*asking.values()], windows), strict=True))


def _append(
    session: Session, facts: Mapping[What, NewReferral], parent_of: Mapping[What, str | None]
) -> dict[What, Standing]:
    """Write what cannot stand yet, for nobody was its visitor before: no look, and no waiting for anybody."""
    rows = {what: _row(fact, parent_of.get(what)) for what, fact in facts.items()}
    _REFERRALS.insert(session, [(*row[:-1], *(to_micros(row[-1]),) * len(_TIMES)) for row in rows.values()])
    return _linked(session, rows)


def _insert(
    session: Session, facts: Mapping[What, NewReferral], parent_of: Mapping[What, str | None]
) -> dict[What, Standing]:
    """Insert what does not stand yet, each with its link."""
    rows = {what: _row(fact, parent_of[what]) for what, fact in facts.items()}
    # In order of the keys: who meets another process's transaction waits for it, and never both for each other.
    inserted = insert_all_new(session, Referral, [_named(rows[what]) for what in sorted(rows)])
    return _linked(session, {what: row for what, row in rows.items() if row[:2] in inserted})


def _linked(session: Session, rows: Mapping[What, _Row]) -> dict[What, Standing]:
    """Give each of the rows its link; two codes of 52 bits hardly ever meet, and if they do, that fact fails alone."""
    _LINKS.insert(session, [(row.code, row.merchant_id, row.referral_id) for row in rows.values()])
    return {
        what: Standing(row.referral_id, row.code, row.network, row.parent_id, row.caption) for what, row in rows.items()
    }


def _named(row: _Row) -> dict[str, object]:
    return {**row._asdict(), **dict.fromkeys(_TIMES, row.at)}


def _row(fact: NewReferral, parent_id: str | None) -> _Row:
    device, block = fact.seen or (None, None)
    return _Row(
        merchant_id=fact.merchant_id,
        referral_id=new_id("ref", fact.merchant_id, fact.at),
        kind=fact.kind,
        visitor_id=fact.visitor_id,
        product_id=fact.product_id,
        wall_id=fact.wall_id,
        target=fact.target,
        address=fact.address,
        network=fact.network,
        code=new_code(),
        parent_id=parent_id,
        caption=fact.caption,
        name=fact.name,
        device=device,
        block=block,
        at=fact.at,
    )


def _find(session: Session, wanted: Collection[What]) -> dict[What, Standing]:
    width = len(_WHAT)
    return {tuple(row[:width]): Standing(*row[width:]) for row in _STANDING.ask(session, wanted)}


def _standing(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = table_of(Referral).c
    same = and_(*(columns[name] == given.c[name] for name in _WHAT))
    told = (columns[name] for name in (*_WHAT, *Standing._fields))
    return select(*told).join_from(given, Referral, same).where(columns.withdrawn_at.is_(None))


_WHAT: dict[str, TypeEngine[Any]] = {
    "merchant_id": BigInteger(),
    "visitor_id": id_type(),
    "kind": String(),
    "target": id_type(),
    "network": String(),
}
_STANDING = Question(_standing, **_WHAT)
_TIMES = ("at", "received_at")
_REFERRALS = Bulk(table_of(Referral), (*_Row._fields[:-1], *_TIMES))
_LINKS = Bulk(table_of(Link), ("code", "merchant_id", "referral_id"))
