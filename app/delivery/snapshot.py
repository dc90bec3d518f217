"""All facts that there are, table by table, so that nothing refers to what comes later; in each, by id. For whoever
reads the feed of facts (`facts.py`) from the beginning.

Knows what stands for a fact in the journal, and nothing of what facts say.
"""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

from pydantic_core import from_json
from sqlalchemy import BigInteger, ColumnElement, FromClause, Row, Select, func, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.catalog.models import Import
from app.kernel.clock import from_micros
from app.kernel.database import Base, id_type, table_of
from app.kernel.errors import Invalid
from app.kernel.feed_places import Place
from app.kernel.given import Question, keys_of
from app.orders.corrections import correction_noted_as
from app.orders.models import Order, OrderCorrection, Refund
from app.orders.settling import given_back
from app.referrals.identities import noted_as
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from app.trust.models import Decision, Doubt

_ROWS: Final = 200
"""Rows that are read at once."""
_ROUNDS: Final = 20
"""So often, while nothing is of the types that are asked for."""
_BEGINS: Final = "s"
"""So begin cursors of this; those of the journal begin with a digit."""

Key = tuple[str | int, ...]
Noted = tuple[str, str]
"""An event's type, and what stands for its fact in the journal."""


class Cut(NamedTuple):
    """How far somebody has come: in the table of this step up to the row `key`, and of the next row the first `given`
    events. `place` is where the journal stood at the beginning."""

    place: Place
    step: int = 0
    key: Key = ()
    given: int = 0

    def __str__(self) -> str:
        said = json.dumps([str(self.place), self.step, self.given, *self.key], separators=(",", ":"))
        return _BEGINS + base64.urlsafe_b64encode(said.encode()).rstrip(b"=").decode()

    @classmethod
    def beginning(cls, place: Place) -> "Cut":
        return cls(place)

    @classmethod
    def of(cls, text: str) -> "Cut | None":
        """The cut that says so of itself; None for a place in the journal. Raises `Invalid` for what we did not
        give."""
        if not text.startswith(_BEGINS):
            return None
        try:
            coded = text[len(_BEGINS) :]
            said = from_json(base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True))
            at, step, given, *key = said
            place = Place.of(at)
            kinds = STEPS[step].kinds if type(step) is int and 0 <= step < len(STEPS) else ()
            fits = not key or (len(key) == len(kinds) and all(map(_fits, key, kinds)))
            if place is None or not (kinds and fits and _fits(given, int) and given >= 0):
                raise ValueError(text)
            return cls(place, step, tuple(key), given)
        except (ValueError, TypeError):
            raise Invalid.field("cursor", "is not a cursor of this feed") from None


class Page(NamedTuple):
    """Types, what stands for the facts, and the cursor after each; and how far that is: None after all of it."""

    found: Sequence[tuple[str, str, str]]
    cut: Cut | None


def read(session: Session, merchant_id: int, cut: Cut, limit: int, wanted: Collection[str]) -> Page:
    """At most `limit` of what comes after the cut and is of the types `wanted`."""
    found: list[tuple[str, str, str]] = []
    for _ in range(_ROUNDS):
        step = STEPS[cut.step]
        rows = step.rows(session, merchant_id, cut.key) if not step.types.isdisjoint(wanted) else []
        for key, events in rows:
            for number in range(cut.given, len(events)):
                kind, subject = events[number]
                if kind not in wanted:
                    continue
                last = number + 1 == len(events)
                after = cut._replace(key=key, given=0) if last else cut._replace(given=number + 1)
                found.append((kind, subject, str(after)))
                if len(found) == limit:
                    return Page(found, after)
            cut = cut._replace(key=key, given=0)
        if len(rows) < _ROWS:
            if cut.step + 1 == len(STEPS):
                return Page(found, None)
            cut = Cut(cut.place, cut.step + 1)
    return Page(found, cut)


def _fits(part: object, kind: type) -> bool:
    """Whether a part of a key is of its kind, and such that a database can be asked for it."""
    if kind is int:
        return type(part) is int and abs(part) < 2**63
    return isinstance(part, str) and "\0" not in part and not any("\ud800" <= each <= "\udfff" for each in part)


Rows = Sequence[tuple[Key, Sequence[Noted]]]


class Step(NamedTuple):
    """A table: the types of its events, the kinds of its key, and its rows after a key with what they noted."""

    types: frozenset[str]
    kinds: tuple[type, ...]
    rows: Callable[[Session, int, Key], Rows]


def _asked(
    session: Session, merchant_id: int, mapped: type[Base], key: Key, names: Sequence[str], *more: str
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The next rows of a table after `key`, in the order of the columns `names`, and what else they say."""
    columns = table_of(mapped).c
    place: list[ColumnElement[Any]] = [
        type_coerce(columns[name], BigInteger) if name == "at" else columns[name] for name in names
    ]
    asked = select(*place, *(columns[name] for name in more)).where(columns.merchant_id == merchant_id)
    if key:
        asked = asked.where(place[0] > key[0] if len(place) == 1 else tuple_(*place) > tuple_(*key))
    return session.execute(asked.order_by(*place).limit(_ROWS)).all()


def _of_each(mapped: type[Base], name: str, kind: str, *more: tuple[str, str, Callable[[str], str]]) -> Step:
    """A step with an event of `kind` for each row, and one of another for each column of `more` that is not empty."""

    def rows(session: Session, merchant_id: int, key: Key) -> Rows:
        found = _asked(session, merchant_id, mapped, key, [name], *(column for column, *_ in more))
        return [
            (
                (id,),
                [(kind, id), *((also, subject(id)) for at, (_, also, subject) in zip(ats, more, strict=True) if at)],
            )
            for id, *ats in found
        ]

    return Step(frozenset({kind, *(also for _, also, _ in more)}), (str,), rows)


def _identities(session: Session, merchant_id: int, key: Key) -> Rows:
    return [
        ((visitor, person, at), [("identity.joined", noted_as(visitor, person, from_micros(at)))])
        for visitor, person, at in _asked(session, merchant_id, Identity, key, ["visitor_id", "person", "at"])
    ]


def _corrections(session: Session, merchant_id: int, key: Key) -> Rows:
    return [
        ((order, position), [("order.corrected", correction_noted_as(order, position))])
        for order, position in _asked(session, merchant_id, OrderCorrection, key, ["order_id", "position"])
    ]


def _credits(session: Session, merchant_id: int, key: Key) -> Rows:
    """Order by order, what was appended at once."""
    orders = [order for (order,) in _asked(session, merchant_id, Order, key, ["order_id"])]
    firsts: dict[str, list[str]] = defaultdict(list)
    for order, first in _FIRSTS.ask(session, keys_of(merchant_id, orders)):
        firsts[order].append(first)
    return [((order,), [("order.attributed", first) for first in sorted(firsts[order])]) for order in orders]


def _imports(session: Session, merchant_id: int, key: Key) -> Rows:
    found = _asked(session, merchant_id, Import, key, ["import_id"], "finished_at")
    return [((id,), [("import.finished", id)] if at else []) for id, at in found]


def _decisions(session: Session, merchant_id: int, key: Key) -> Rows:
    """Those after the first of a doubt, with which that was raised."""
    found = _asked(session, merchant_id, Decision, key, ["decision_id"], "doubt_id")
    doubts = keys_of(merchant_id, {doubt for _, doubt in found})
    firsts = {first for (first,) in _FIRST_DECISIONS.ask(session, doubts)}
    return [((id,), [("doubt.decided", id)] if id not in firsts else []) for id, _ in found]


def _firsts_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = table_of(CreditLine).c
    same = (columns.merchant_id == given.c.merchant_id) & (columns.order_id == given.c.order_id)
    first = func.min(columns.credit_id)
    found = select(columns.order_id, first).join_from(given, table_of(CreditLine), same)
    return found.group_by(columns.order_id, columns.written_at)


def _first_decisions_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = table_of(Decision).c
    same = (columns.merchant_id == given.c.merchant_id) & (columns.doubt_id == given.c.doubt_id)
    first = select(func.min(columns.decision_id)).join_from(given, table_of(Decision), same)
    return first.group_by(columns.doubt_id)


def _itself(id: str) -> str:
    return id


_FIRSTS: Final = Question(_firsts_of, merchant_id=BigInteger(), order_id=id_type())
_FIRST_DECISIONS: Final = Question(_first_decisions_of, merchant_id=BigInteger(), doubt_id=id_type())
STEPS: Final = (
    _of_each(Referral, "referral_id", "referral.created", ("withdrawn_at", "referral.withdrawn", _itself)),
    _of_each(Visit, "visit_id", "visit.recorded"),
    _of_each(Claim, "visit_id", "visit.claimed"),
    Step(frozenset({"identity.joined"}), (str, str, int), _identities),
    _of_each(Coupon, "coupon_id", "coupon.changed"),
    _of_each(Order, "order_id", "order.recorded"),
    Step(frozenset({"order.corrected"}), (str, int), _corrections),
    _of_each(Refund, "refund_id", "order.refunded", ("dropped_at", "order.refunded", given_back)),
    Step(frozenset({"order.attributed"}), (str,), _credits),
    Step(frozenset({"import.finished"}), (str,), _imports),
    _of_each(Doubt, "doubt_id", "doubt.raised"),
    Step(frozenset({"doubt.decided"}), (str,), _decisions),
)
"""A cursor says how many of these are done: what is new comes last."""
