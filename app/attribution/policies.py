"""Which policy divides an order: the versions that are kept of each merchant's policies, read for the engine.

Reads only; how policies are made and changed is another file's. Knows no HTTP.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, Text, bindparam, cast, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from app.attribution.engine import Policy, policy_from_wire
from app.attribution.models import KeptPolicy
from app.kernel.clock import to_micros
from app.kernel.database import Instant, table_of
from app.kernel.given import Question
from app.trust.purchases import Terms

CURRENT: Final = "current"
"""The name of the policy in force; kept ones have others."""


class Kept(NamedTuple):
    """A version of a policy."""

    name: str
    version: int
    policy: Policy


DEFAULT: Final = Kept(CURRENT, 1, Policy())
"""The policy of a merchant who never said another: version 1, in force from the beginning. It has no row."""


class Applying(NamedTuple):
    """A version in force, for orders from a moment on (microseconds; None: from the beginning)."""

    since: int | None
    kept: Kept


class Policies:
    """A merchant's policies as they stand: all versions of the one in force, the newest of each kept beside it."""

    def __init__(self, versions: Sequence[Applying], beside: Sequence[Kept]) -> None:
        """`versions` of the current policy, newest first; `beside` by name."""
        self.newest = versions[0].kept if versions else DEFAULT
        self.beside = tuple(beside)
        self._since, self._kept = _turns(versions)
        every = [each.policy for each in (*self._kept, *self.beside)]
        self.journey_reset = any(each.journey_reset for each in every)
        self.models = {each.model for each in every}
        self._all = [[kept, *self.beside] for kept in self._kept]

    def current_at(self, at: datetime) -> Kept:
        """The version that divides an order made at `at`: the newest that applies to its time."""
        return self._kept[self._index(at)]

    def all_for(self, at: datetime) -> list[Kept]:
        """Every policy under which an order made at `at` is kept computed: the one in force first."""
        return self._all[self._index(at)]

    def _index(self, at: datetime) -> int:
        return bisect_right(self._since, to_micros(at))


def kept(session: Session, merchant_id: int) -> Policies:
    """The policies of a merchant, in one statement."""
    versions: list[Applying] = []
    beside: list[Kept] = []
    seen = CURRENT
    for name, version, applies_from, withdrawn_at, wire in session.execute(_POLICIES, {"merchant_id": merchant_id}):
        if name == CURRENT:
            versions.append(Applying(applies_from, Kept(name, version, _parsed(wire))))
        elif name != seen and withdrawn_at is None:  # of a kept one only the newest version counts
            beside.append(Kept(name, version, _parsed(wire)))
        seen = name
    return Policies(versions, beside)


def terms(session: Session, merchant_id: int) -> Terms:
    """What the newest policy says that matters to whoever judges how buyers came."""
    policy = kept(session, merchant_id).newest.policy
    return Terms(timedelta(seconds=policy.windows.click), policy.coupon_override)


def click_windows(session: Session, merchant_ids: Collection[int], at: datetime) -> Mapping[int, timedelta]:
    """How long before `at` a click still counts, for each of the merchants, as their policy in force says."""
    windows = dict.fromkeys(merchant_ids, timedelta(seconds=DEFAULT.policy.windows.click))
    for merchant_id, wire in _IN_FORCE.ask(session, {(merchant,) for merchant in windows}, at=at):
        windows[merchant_id] = timedelta(seconds=_parsed(wire).windows.click)
    return windows


def _turns(versions: Sequence[Applying]) -> tuple[list[int], list[Kept]]:
    """The moments (microseconds) at which another version comes into force, and the versions: one more than moments.

    A version takes over from its moment on everything that was made before it, so an older one that was to begin
    later never comes into force.
    """
    since: list[int] = []
    kept: list[Kept] = [DEFAULT]
    for begins, version in reversed(versions):  # oldest first
        remain = 0 if begins is None else bisect_left(since, begins)
        del since[remain:], kept[remain + 1 :]
        if begins is None:
            kept = [version]
        else:
            since.append(begins)
            kept.append(version)
    return since, kept


@lru_cache(maxsize=1024)
def _parsed(wire: str) -> Policy:
    return policy_from_wire(json.loads(wire))


_table = table_of(KeptPolicy)
_WIRE = cast(_table.c.policy, Text)

_POLICIES = (
    select(
        _table.c.name,
        _table.c.version,
        type_coerce(_table.c.applies_from, BigInteger),
        _table.c.withdrawn_at,
        _WIRE,
    )
    .where(_table.c.merchant_id == bindparam("merchant_id"))
    .order_by(_table.c.name, _table.c.version.desc())
)


def _in_force(given: FromClause) -> Select[*tuple[Any, ...]]:
    newest = (
        select(func.max(_table.c.version))
        .where(
            _table.c.merchant_id == given.c.merchant_id,
            _table.c.name == CURRENT,
            or_(_table.c.applies_from.is_(None), _table.c.applies_from <= bindparam("at", type_=Instant())),
        )
        .correlate(given)
        .scalar_subquery()
    )
    mine = (_table.c.merchant_id == given.c.merchant_id) & (_table.c.name == CURRENT)
    return select(_table.c.merchant_id, _WIRE).join_from(given, _table, mine & (_table.c.version == newest))


_IN_FORCE = Question(_in_force, merchant_id=BigInteger())
