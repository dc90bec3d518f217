"""Things that a merchant's rules hold or refuse, behind a server: raised as a sweep raises them."""

from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution import stale
from app.attribution.shell import Listeners
from app.kernel.events import Events
from app.kernel.outbox import Outbox
from app.merchants.audit import By
from app.orders.models import Order
from app.referrals import turns
from app.referrals.models import Referral, Visit
from app.trust import changing, doubts
from app.trust.book import Book, usual
from app.trust.found import About, Found
from app.trust.news import StandingsChanged
from app.trust.rules import RULES, Do
from tests.conftest import AppServer
from tests.unit.attribution.histories import Fact

RULES_OF: dict[str, str] = {"held": "click_stuffing", "refused": "own_mail"}
"""By what they make of credit."""


def bar_some(server: AppServer, merchant: int, random: Random, most: int) -> list[Fact]:
    """Bar at most so many of the merchant's referrals, touches and orders; the bars as a history tells them."""
    outbox = Outbox(server.clock)
    events, now = Events(outbox), server.clock.now()
    events.on(StandingsChanged, "attribute-standings", Listeners(server.clock, outbox).on_standings_changed)
    dos = {RULES_OF["held"]: Do.HOLD, RULES_OF["refused"]: Do.REFUSE}
    with server.database.transaction() as session:
        turns.hold_facts(session, merchant)
        book = Book({code: usual(RULES[code])._replace(do=do) for code, do in dos.items()})
        changing.put(session, events, By(merchant, None, now), book, now)
        known = _known(session, merchant)
        chosen = [(random.choice(sorted(RULES_OF)), *each) for each in random.sample(known, min(most, len(known)))]
        found = [Found(about, subject, RULES_OF[effect], {}) for effect, about, subject, _ in chosen]
        doubts.record(session, events, merchant, found, now)
    stale.drain(server.database, server.clock, merchant)
    return [
        {"kind": "bar", "about": about.value, "id": told, "effect": effect, "received_at": 10**18}
        for effect, about, _, told in chosen
    ]


def _known(session: Session, merchant: int) -> list[tuple[About, str, str]]:
    """What may be doubted: by our id, and by that under which it was told."""
    ids = {
        About.REFERRAL: select(Referral.referral_id, Referral.referral_id).where(Referral.merchant_id == merchant),
        About.VISIT: select(Visit.visit_id, Visit.visit_id).where(Visit.merchant_id == merchant),
        About.ORDER: select(Order.order_id, Order.external_id).where(Order.merchant_id == merchant),
    }
    return sorted((about, ours, told) for about, query in ids.items() for ours, told in session.execute(query))
