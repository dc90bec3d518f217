"""Which walls are meant by what another system calls them. Knows the session and the table, not HTTP."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.kernel.ids import is_of
from app.walls.models import Wall


def meant(session: Session, merchant_id: int, names: Collection[str]) -> dict[str, str]:
    """The merchant's wall behind each name that has one, standing or withdrawn: a name is our own id, or just text."""
    ours = keys_of(merchant_id, (name for name in names if is_of(name, merchant_id, "wall")))
    return {name: name for (name,) in _BY_ID.ask(session, ours)}


def _by_id(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Wall.merchant_id == given.c.merchant_id) & (Wall.wall_id == given.c.wall_id)
    return select(Wall.wall_id).join_from(given, Wall, same)


_BY_ID = Question(_by_id, merchant_id=BigInteger(), wall_id=id_type())
