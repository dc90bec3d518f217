"""Orders of a small world that turn out to have been otherwise."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from app.kernel.errors import Invalid
from app.orders import corrections
from app.orders.corrections import Amendment
from app.orders.models import Order

if TYPE_CHECKING:
    from app.kernel.database import Database
    from app.kernel.events import Events
    from tests.clock import TestClock


class Changing(Protocol):
    """What is needed of a world."""

    database: Database
    chance: random.Random
    clock: TestClock
    events: Events
    clicks: list[str]

    @property
    def merchant(self) -> int: ...


def correct(world: Changing) -> None:
    """An order was somebody else's, or for another net, or with another code."""
    changes: dict[str, object] = {
        "visitor_id": world.chance.choice([None, *(f"v{number}" for number in range(6))]),
        "click_id": world.chance.choice([None, *world.clicks]),
        "net": world.chance.choice([0, 1, 100, 10_000]),
        "coupon": world.chance.choice([None, "ana10", " BO", "unheard"]),
    }
    some = world.chance.sample(sorted(changes), world.chance.randint(1, 2))
    _amend(world, Amendment({name: changes[name] for name in some}))


def cancel(world: Changing) -> None:
    """An order is cancelled, or called back."""
    _amend(world, Amendment({}, cancelled=world.chance.random() < 0.6))


def _amend(world: Changing, asked: Amendment) -> None:
    with world.database.reading() as session:
        mine = select(Order.order_id).where(Order.merchant_id == world.merchant).order_by(Order.order_id)
        known = session.scalars(mine).all()
    if not known:
        return
    try:
        with world.database.transaction() as session:
            order = world.chance.choice(known)
            corrections.amend(session, world.events, world.merchant, order, asked, world.clock.now())
    except Invalid:
        pass  # refunds took more than that
