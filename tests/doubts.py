"""Doubts straight in a server's database, as if rules had found them."""

from app.kernel.events import Events
from app.kernel.ids import merchant_of
from app.kernel.outbox import Outbox
from app.trust import doubts
from app.trust.found import About, Found
from tests.conftest import AppServer
from tests.shop import TestMerchant, ok


def found(subject: str, rule: str = "own_mail", about: About = About.ORDER, **evidence: str | int) -> Found:
    """Something that a rule found about an order, if nothing else is said."""
    return Found(about, subject, rule, evidence)


def raised(server: AppServer, merchant: TestMerchant, *what: Found) -> list[str]:
    """The ids of the new doubts, in the order in which they were found. Attribution is not told."""
    for each in what:
        with server.database.transaction() as session:
            number, now = merchant_of(merchant.id), server.clock.now()
            assert doubts.record(session, Events(Outbox(server.clock)), number, [each], now) == 1
    newest = ok(merchant.http.get("/v1/doubts", params={"limit": len(what)}))["data"]
    return [each["id"] for each in reversed(newest)]
