"""How a merchant changes by which policies sales are divided: the one in force, and those kept computed beside it.

Each change is a version; none is ever edited. A change that concerns orders that are there already starts a job in the
same transaction (`recomputation`). Knows the session and the tables, not HTTP.
"""

import re
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.attribution import policy_book, recomputation
from app.attribution.engine import Policy, policy_to_wire
from app.attribution.models import KeptPolicy, Recomputation
from app.attribution.policies import CURRENT
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.outbox import Outbox
from app.orders import counting
from app.referrals.turns import hold_facts

MOST_BESIDE = 5
"""Policies that are kept computed beside the one in force: each of them costs what that one costs."""

NAME = "[a-z0-9][a-z0-9_-]{0,39}"
Start = datetime | Literal["now", "beginning"]
"""From when on a change counts."""

_TICK = timedelta(microseconds=1)


class TooManyPolicies(Conflict):
    code, title = "too_many_policies", f"No more than {MOST_BESIDE} policies are kept computed"


def put(session: Session, outbox: Outbox, merchant_id: int, policy: Policy, start: Start, now: datetime) -> None:
    """Make `policy` the one in force from `start` on, as a new version; a job divides the orders anew that are there.

    Counts in whole seconds, as attribution does. A merchant without orders has no past to spare: there `now` is the
    beginning. Where all orders from then on are divided by this very policy already, there is nothing for a job to do;
    one that failed is started again.
    """
    now = _alone(session, merchant_id, now)
    book = policy_book.open_book(session, merchant_id)
    applies_from = _begins(session, merchant_id, start, now)
    _add(session, merchant_id, CURRENT, policy, applies_from, now)
    since, standing = applies_from, book.standing(CURRENT)
    if book.divides_by(policy, applies_from or policy_book.BEGINNING):
        if standing.job is None:
            return
        if standing.status == "failed":
            since = _earlier(applies_from, standing.job.since)
    if counting.are_any(session, merchant_id, since):
        recomputation.start(session, outbox, merchant_id, since, now)


def keep(session: Session, outbox: Outbox, merchant_id: int, name: str, policy: Policy, now: datetime) -> None:
    """Keep `policy` computed for all orders under this name: a job does it for those that are there.

    Raises `Invalid` for a name that cannot be, `TooManyPolicies`. What is kept so already is no change; where its job
    failed, that is started again.
    """
    if name == CURRENT:
        raise Invalid.field("name", "current is the policy in force: PUT /v1/policy")
    if not re.fullmatch(NAME, name):
        raise Invalid.field("name", "must be 1 to 40 of a-z, 0-9, _ and -, beginning with a letter or digit")
    now = _alone(session, merchant_id, now)
    book = policy_book.open_book(session, merchant_id)
    standing = {each.name: each for each in book.beside}
    if name not in standing and len(standing) >= MOST_BESIDE:
        raise TooManyPolicies(f"{', '.join(standing)} are kept already: delete one of them.")
    if name not in standing or standing[name].policy != policy:
        _add(session, merchant_id, name, policy, None, now)
    elif book.standing(name).status != "failed":
        return
    recomputation.start(session, outbox, merchant_id, None, now)


def drop(session: Session, merchant_id: int, name: str, now: datetime) -> None:
    """Keep the policy no longer. Its lines stay in the ledger; nobody is shown them. Raises `NotFound`."""
    if name == CURRENT:
        raise Invalid.field("name", "current is the policy in force, and stays")
    if not re.fullmatch(NAME, name):
        raise NotFound
    now = _alone(session, merchant_id, now)
    versions = select(KeptPolicy).where(KeptPolicy.merchant_id == merchant_id, KeptPolicy.name == name)
    standing = session.scalars(versions.where(KeptPolicy.withdrawn_at.is_(None))).all()
    if not standing:
        raise NotFound
    for version in standing:
        version.withdrawn_at = now


def _alone(session: Session, merchant_id: int, now: datetime) -> datetime:
    """Have the merchant's facts alone, so that no order is recorded by half of a change; the moment of the change.

    It is after all changes before it, also where two machines do not agree on the time: what belongs to which
    version, and which job came after it, is told by these moments.
    """
    hold_facts(session, merchant_id)
    last = [
        session.scalar(select(func.max(KeptPolicy.made_at)).where(KeptPolicy.merchant_id == merchant_id)),
        session.scalar(select(func.max(Recomputation.created_at)).where(Recomputation.merchant_id == merchant_id)),
    ]
    return max([now, *(each + _TICK for each in last if each is not None)])


def _begins(session: Session, merchant_id: int, start: Start, now: datetime) -> datetime | None:
    if start == "beginning" or (start == "now" and not counting.are_any(session, merchant_id)):
        return None
    return (now if isinstance(start, str) else start).replace(microsecond=0)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    """The earlier of two moments; none is the beginning."""
    return None if one is None or other is None else min(one, other)


def _add(
    session: Session, merchant_id: int, name: str, policy: Policy, applies_from: datetime | None, now: datetime
) -> None:
    mine = select(func.max(KeptPolicy.version)).where(KeptPolicy.merchant_id == merchant_id, KeptPolicy.name == name)
    first = 2 if name == CURRENT else 1  # the built-in policy is version 1
    session.add(
        KeptPolicy(
            merchant_id=merchant_id,
            name=name,
            version=(session.scalar(mine) or first - 1) + 1,
            policy=policy_to_wire(policy),
            applies_from=applies_from,
            made_at=now,
        )
    )
    session.flush()
