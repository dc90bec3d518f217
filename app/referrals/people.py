"""Who is whom, read many at a time: what the merchant said of visitors that are one person. Writes nothing.

What was said last counts, and a person is not looked up again: that is decided in attribution's engine. Here is found
all that may bear on it.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import BigInteger, ColumnElement, FromClause, Integer, Select, bindparam, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.referrals.models import Identity


class Said(NamedTuple):
    """`visitor` was said to be `person`. Times in microseconds."""

    visitor: str
    person: str
    at: int
    received_at: int


def said_around(
    session: Session, merchant_id: int, visitors: Collection[str], *, known_by: int, most: int
) -> Sequence[Said]:
    """All that was said of everybody who was ever said to be a person that one of the visitors was ever said to be
    (or is, by their own id), received by `known_by`. What was said of the visitors themselves comes first, then
    what was received last; at most `most`."""
    found = _AROUND.ask(session, keys_of(merchant_id, visitors), known_by=known_by, most=most)
    return cast("Sequence[Said]", found)  # rows have the same fields in the same order


_said = table_of(Identity)
_received_at = type_coerce(_said.c.received_at, BigInteger)
_known = _received_at <= bindparam("known_by", type_=BigInteger)
_COLUMNS = (_said.c.visitor_id, _said.c.person, type_coerce(_said.c.at, BigInteger), _received_at)


def _of(visitors: FromClause) -> ColumnElement[bool]:
    return (_said.c.merchant_id == visitors.c.merchant_id) & (_said.c.visitor_id == visitors.c.visitor_id)


def _around(given: FromClause) -> Select[*tuple[Any, ...]]:
    """Visitors -> the persons they were said to be -> all who were said to be these -> all that was said of them."""
    themselves = select(given.c.merchant_id, given.c.visitor_id.label("person"))
    linked = select(given.c.merchant_id, _said.c.person).join_from(given, _said, _of(given)).where(_known)
    people = themselves.union(linked).cte("people")
    same = (_said.c.merchant_id == people.c.merchant_id) & (_said.c.person == people.c.person)
    others = select(people.c.merchant_id, _said.c.visitor_id).join_from(people, _said, same).where(_known)
    members = select(people.c.merchant_id, people.c.person.label("visitor_id")).union(others).cte("members")
    found = select(*_COLUMNS).join_from(members, _said, _of(members)).where(_known)
    asked = _said.c.visitor_id.in_(select(given.c.visitor_id))
    latest = (_said.c.received_at.desc(), _said.c.at.desc(), _said.c.person.desc(), _said.c.visitor_id)
    return found.order_by(asked.desc(), *latest).limit(bindparam("most", type_=Integer))


_AROUND = Question(_around, merchant_id=BigInteger(), visitor_id=id_type())
