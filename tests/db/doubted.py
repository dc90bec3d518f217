"""What is doubted in a small world, and decided about it; and what of it stands, read straight from the tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.attribution.engine import Bar, Bars, Doubted, Reason
from app.merchants.audit import By
from app.orders.models import Order
from app.referrals import turns
from app.referrals.models import Referral, Visit
from app.trust import changing, doubts
from app.trust.book import Book, usual
from app.trust.doubts import Verdict
from app.trust.found import About, Found
from app.trust.models import Decision, Doubt
from app.trust.rules import RULES, Do

if TYPE_CHECKING:  # the world knows what can happen in it
    from tests.db.changing import World

_CODES = ("click_stuffing", "too_fast", "own_mail")
_EFFECTS = {"hold": Reason.HELD, "refuse": Reason.REFUSED}
_VERDICTS: tuple[Verdict, ...] = ("credit", "credit", "refuse", "reopen")


def keep_rules(world: "World", dos: Sequence[Do] = (*Do, Do.HOLD, Do.REFUSE)) -> None:
    """Each of some rules does one of `dos` from now on."""
    said = {code: usual(RULES[code])._replace(do=world.chance.choice(dos)) for code in _CODES}
    with world.database.transaction() as session:
        by = By(world.merchant, None, world.clock.now())
        changing.put(session, world.events, by, Book(said), world.clock.now())


def doubt(world: "World") -> None:
    """Something is doubted that is known by now."""
    with world.database.transaction() as session:
        turns.hold_facts(session, world.merchant)
        known = {
            About.REFERRAL: _ids(session, world, Referral.referral_id, Referral),
            About.VISIT: _ids(session, world, Visit.visit_id, Visit),
            About.ORDER: _ids(session, world, Order.order_id, Order),
        }
        about = world.chance.choice([About.REFERRAL, *About])
        if known[about]:
            found = Found(about, world.chance.choice(known[about]), world.chance.choice(_CODES), {})
            doubts.record(session, world.events, world.merchant, [found], world.clock.now())


def decide(world: "World") -> None:
    """Somebody decides about one of the doubts."""
    with world.database.transaction() as session:
        raised = _ids(session, world, Doubt.doubt_id, Doubt)
        if raised:
            by = By(world.merchant, "key_1", world.clock.now())
            verdict = world.chance.choice(_VERDICTS)
            doubts.decide(session, world.events, by, world.chance.choice(raised), verdict, None, world.clock.now())


def _ids(session: Session, world: "World", column: InstrumentedAttribute[str], table: type[Any]) -> list[str]:
    return sorted(session.scalars(select(column).where(table.merchant_id == world.merchant)))


def bars(session: Session, merchant: int, orders: list[Order]) -> Bars:
    """All that is held or refused: by the last decision about each doubt, and of several the strongest."""
    decided = select(Decision).where(Decision.merchant_id == merchant).order_by(Decision.decision_id)
    last = {decision.doubt_id: decision.effect for decision in session.scalars(decided)}
    names = {order.order_id: order.external_id for order in orders}
    found: dict[str, dict[str, Bar]] = {about: {} for about in About}
    raised = session.scalars(select(Doubt).where(Doubt.merchant_id == merchant)).all()
    for each in sorted(raised, key=lambda doubt: last[doubt.doubt_id]):  # hold, none, refuse: the strongest is the last
        if last[each.doubt_id] in _EFFECTS:
            bar = Bar(_EFFECTS[last[each.doubt_id]], Doubted(each.about), each.rule, each.doubt_id)
            found[each.about][names.get(each.subject, each.subject)] = bar
    return Bars(found[About.VISIT], found[About.REFERRAL], found[About.ORDER])
