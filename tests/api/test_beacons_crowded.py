"""Beacons from too many, too slow or too far away at once: what is on disk is said to be, and nothing grows without
bound."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from time import monotonic, sleep

import pytest
from sqlalchemy import func, select, text

from app.kernel.database import Database
from app.kernel.errors import NotFound, Unavailable
from app.kernel.ids import merchant_of
from app.kernel.outbox import LEASE, OutboxRow
from app.merchants import directory
from app.referrals.beacons import TOPIC
from app.referrals.models import Beacon, Claim
from app.storefront.answers import Ask, Message
from app.storefront.beacons import answers, body, together
from app.storefront.beacons.body import Doorway
from app.storefront.beacons.reading import LARGEST_BODY
from app.storefront.beacons.together import Together
from tests.conftest import AppServer
from tests.shop import BROWSER, Shopper, TestMerchant, ok


def report(merchant: TestMerchant, *entries: object) -> tuple[int, object]:
    """The status and what it says."""
    answer = merchant.public.post("/v1/beacons", json=entries, headers={"User-Agent": BROWSER})
    told = answer.json()
    return answer.status_code, (told["kept"], told["refused"]) if answer.is_success else answer.headers["retry-after"]


def kept(database: Database, product: str) -> int:
    """How many reports there are of the product's merchant: they are nobody's, as long as nobody has consented."""
    merchant = merchant_of(product, "prod")
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Beacon).where(Beacon.merchant_id == merchant)) or 0


def claimed(database: Database, visitor: str) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Claim).where(Claim.visitor_id == visitor)) or 0


@contextmanager
def changed(database: Database, change: str, back: str) -> Iterator[None]:
    with database.transaction() as session:
        session.execute(text(change))
    try:
        yield
    finally:
        with database.transaction() as session:
            session.execute(text(back))


def seen_card(merchant: TestMerchant, sharer: Shopper, product: str) -> tuple[Shopper, dict[str, object]]:
    """Somebody new who saw the card of a share, and how their page reports it."""
    viewer = merchant.shopper()
    viewer.like(product)
    return viewer, {"type": "card_view", "code": sharer.share(product)["code"], "visitor": viewer.token}


_NO_TOUCHES = ("ALTER TABLE visit_claims RENAME TO away", "ALTER TABLE away RENAME TO visit_claims")


def test_what_is_on_disk_is_kept_even_where_the_touch_fails(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str, caplog: pytest.LogCaptureFixture
) -> None:
    viewer, entry = seen_card(merchant, ana, product)
    with changed(app_server.database, *_NO_TOUCHES):
        assert (202, (1, 0)) == report(merchant, entry)
    assert "earn something only later" in caplog.text
    assert (202, (1, 0)) == report(merchant, entry)
    assert (2, 1) == (kept(app_server.database, product), claimed(app_server.database, viewer.id))


def test_a_touch_that_failed_is_written_a_little_later_though_nobody_reports_again(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str
) -> None:
    viewer, entry = seen_card(merchant, ana, product)
    with changed(app_server.database, *_NO_TOUCHES):
        assert (202, (1, 0)) == report(merchant, entry)
    assert 1 == promised(app_server, viewer.id)
    app_server.clock.move(seconds=LEASE.total_seconds() + 1)
    deadline = monotonic() + 20
    while promised(app_server, viewer.id):
        assert monotonic() < deadline, "nobody keeps the promise"
        sleep(0.02)
    assert (1, 1) == (kept(app_server.database, product), claimed(app_server.database, viewer.id))


def test_of_a_touch_that_was_written_no_promise_is_left(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str
) -> None:
    viewer, entry = seen_card(merchant, ana, product)
    gone = merchant.product()["id"]
    ok(merchant.http.delete(f"/v1/products/{gone}"))
    assert (202, (1, 1)) == report(merchant, entry, {**entry, "product": gone})
    assert (0, 1) == (promised(app_server, viewer.id), claimed(app_server.database, viewer.id))


def promised(server: AppServer, visitor: str) -> int:
    with server.database.reading() as session:
        waiting = session.scalars(select(OutboxRow.payload).where(OutboxRow.topic == TOPIC))
        return sum(payload["visitor"] == visitor for payload in waiting)


_LOSES = """
CREATE SEQUENCE races;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('races') < 3 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; RETURN NEW;
END $$;
CREATE TRIGGER loses BEFORE INSERT ON visit_claims FOR EACH ROW EXECUTE FUNCTION lose();
"""


def test_a_touch_that_lost_a_race_is_tried_again(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str
) -> None:
    if app_server.database.is_sqlite:
        pytest.skip("its writers come one after the other")
    viewer, entry = seen_card(merchant, ana, product)
    with changed(app_server.database, _LOSES, "DROP FUNCTION lose CASCADE; DROP SEQUENCE races"):
        assert (202, (1, 0)) == report(merchant, entry)
    assert (1, 1) == (kept(app_server.database, product), claimed(app_server.database, viewer.id))


def test_a_database_that_does_not_say_who_is_reported_about_is_away(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if app_server.database.is_sqlite:
        pytest.skip("its readers wait for nobody")
    entry = {"type": "card_view", "code": ana.share(product)["code"]}
    monkeypatch.setattr(answers, "PATIENCE", 0.1)
    with app_server.database.transaction() as session:
        session.execute(text("LOCK TABLE links IN ACCESS EXCLUSIVE MODE"))
        assert (503, "2") == report(merchant, entry)
    monkeypatch.setattr(answers, "PATIENCE", 5.0)
    assert (202, (1, 0)) == report(merchant, entry)


def test_a_page_is_of_a_few_merchants_at_most(new_merchant: Callable[..., TestMerchant]) -> None:
    merchants = [new_merchant() for _ in range(6)]
    entries = [{"type": "card_view", "product": str(each.product()["id"])} for each in merchants]
    assert (202, (5, 1)) == report(merchants[0], *entries)
    assert (202, (2, 0)) == report(merchants[0], *entries[4:])


def test_only_so_many_merchants_are_looked_for_at_once(
    app_server: AppServer, merchant: TestMerchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "_MOST_UNDER_WAY", 1)
    mine = merchant_of(str(merchant.product()["id"]))

    async def story() -> None:
        shops = directory.Directory(app_server.database)
        same = [asyncio.create_task(shops.find(mine)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await shops.find(mine + 1)
        assert [mine, mine] == [(await each).merchant_id for each in same]
        with pytest.raises(NotFound):
            await shops.find(mine + 10**6)

    asyncio.run(story())


def test_where_too_many_bodies_are_under_way_the_eldest_makes_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "MOST_SLOW", 2)

    async def story() -> None:
        doorway, ask = Doorway(), Ask("POST", {}, b"")

        async def never() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        async def at_once() -> Message:
            return {"type": "http.request", "body": b"[]", "more_body": False}

        slow = [asyncio.create_task(doorway.whole(ask, never, LARGEST_BODY)) for _ in range(2)]
        await asyncio.sleep(0)
        assert b"[]" == await doorway.whole(ask, at_once, LARGEST_BODY)
        with pytest.raises(Unavailable):
            await slow[0]
        assert b"[]" == await doorway.whole(ask, at_once, LARGEST_BODY)
        await asyncio.sleep(0.01)
        assert not slow[1].done(), "there is room for it"
        slow[1].cancel()

    asyncio.run(story())


class Library:
    """Knows small numbers."""

    def __init__(self) -> None:
        self.looks: list[set[int]] = []
        self.gate = threading.Event()
        self.trouble: Exception | None = None

    def look(self, wanted: Set[int]) -> Mapping[int, str]:
        self.looks.append(set(wanted))
        self.gate.wait(10)
        if self.trouble is not None:
            raise self.trouble
        return {number: str(number) for number in wanted if number < 10}


def test_what_many_ask_for_meanwhile_is_looked_up_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST_WANTED", 3)

    async def story() -> None:
        library = Library()
        looks = Together(library.look)
        first = asyncio.create_task(looks.find({1}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        behind = [asyncio.create_task(looks.find({number, 50})) for number in (2, 3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await looks.find({4})
        behind[0].cancel()
        library.gate.set()
        assert ({1: "1"}, {2: "2", 3: "3"}) == (await first, await behind[1])
        assert [{1}, {2, 3, 50}] == library.looks
        library.trouble = LookupError("away")
        for _ in range(2):
            with pytest.raises(LookupError):
                await looks.find({1})

    asyncio.run(story())
