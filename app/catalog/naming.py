"""Which products are meant by what another system calls them. Knows the session and the table, not HTTP."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.kernel.ids import is_of


def meant(session: Session, merchant_id: int, names: Collection[str]) -> dict[str, str]:
    """The merchant's product behind each name that has one, standing or withdrawn: a name is our own id, else an
    `external_id`. What is another merchant's is just a name."""
    ours = keys_of(merchant_id, (name for name in names if is_of(name, merchant_id, "prod")))
    called = {row.external_id: row.product_id for row in _BY_NAME.ask(session, keys_of(merchant_id, names))}
    return called | {name: name for (name,) in _BY_ID.ask(session, ours)}


def _by_name(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Product.merchant_id == given.c.merchant_id) & (Product.external_id == given.c.external_id)
    return select(Product.external_id, Product.product_id).join_from(given, Product, same)


def _by_id(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Product.merchant_id == given.c.merchant_id) & (Product.product_id == given.c.product_id)
    return select(Product.product_id).join_from(given, Product, same)


_BY_NAME = Question(_by_name, merchant_id=BigInteger(), external_id=id_type(255))
_BY_ID = Question(_by_id, merchant_id=BigInteger(), product_id=id_type())
