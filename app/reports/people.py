"""Who is whom, as statements ask it: a sharer is the person where visitors were joined, else the visitor."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, Text, and_, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from app.attribution.engine import Identity as Said
from app.attribution.engine.identity import latest
from app.kernel.database import array_of
from app.referrals.models import Identity
from app.referrals.reach import second_of


@dataclass(frozen=True)
class Known:
    """Whose facts are looked at, and up to when they were received."""

    merchant_id: int
    as_of: datetime

    def __call__(self, table: Any) -> ColumnElement[bool]:
        """Holds for those rows of `table`, a mapped class or an alias of one, that count."""
        return and_(table.merchant_id == self.merchant_id, table.received_at <= self.as_of)

    def sharer(
        self, visitor: SQLColumnExpression[str] | SQLColumnExpression[str | None], merchant: SQLColumnExpression[int]
    ) -> ColumnElement[str]:
        """Whom a visitor stands for: `attribution.engine.latest`, said in SQL.

        `merchant` stands on the visitor's own row: given as a number, a database may take it for rare, and read all
        that was said to the merchant for each visitor.
        """
        said = aliased(Identity)
        newest = (
            select(said.person)
            .where(said.merchant_id == merchant, said.visitor_id == visitor)
            .where(said.received_at <= self.as_of)
            .order_by(said.received_at.desc(), second_of(said.at).desc(), said.person.desc())
            .limit(1)
            .correlate_except(said)
        )
        return func.coalesce(newest.scalar_subquery(), visitor)

    def people(self, session: Session, visitors: Collection[str]) -> dict[str, str]:
        """The person of each of these visitors who was joined to one."""
        query = select(*_SAID).where(self(Identity), one_of(session, Identity.visitor_id, visitors))
        return latest(Said(*row) for row in session.execute(query))

    def possibly(self, session: Session, sharers: Collection[str]) -> set[str]:
        """Visitors who may stand for one of these: they themselves, and all who were ever said to be one of them."""
        said = select(Identity.visitor_id).where(self(Identity), one_of(session, Identity.person, sharers))
        return {*sharers, *session.scalars(said)}


_SAID = (
    Identity.visitor_id,
    Identity.person,
    second_of(Identity.at),
    type_coerce(Identity.received_at, BigInteger),
)


def one_of(session: Session, column: SQLColumnExpression[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Whether `column` is one of `values`, however many: one parameter, through which no database goes row by row."""
    if session.get_bind().dialect.name == "sqlite":
        return column.in_(select(func.json_each(json.dumps(list(values))).table_valued("value").c.value))
    return column == func.any(bindparam(None, list(values), type_=array_of(Text()), unique=True))
