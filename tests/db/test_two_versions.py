"""A new version comes while people go on: the old code's server, the migrations, the new code's server beside it. No
request fails, nothing is lost, and everything adds up (architecture.md, Data)."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app import migrate
from app.delivery.unnoted import note_forgotten
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.kernel.rollups.reading import sums
from app.kernel.rollups.tables import SPANS
from app.referrals.models import Beacon, Referral, Visit
from app.reports.mending import Books
from tests import postgres
from tests.db.journalling import place_all, read_on
from tests.db.storm import Hammer, Story, ask_again_and_compare, begin, hammering
from tests.older import older_code
from tests.served import Server
from tests.shop import BROWSER, Shopper, ok
from tests.soak import SOAK

SECONDS = 20.0 if SOAK else 0.3
"""How long each step lasts."""
PAUSE = 0.0 if SOAK else 0.05
"""Seconds that each rests after an answer: all that is said now is said once more in the end."""
COUNTS = "0005"
"""The migration with which counting began: the old code writes facts that are not counted."""


@dataclass
class Version:
    """A server of some code, and what is done to it."""

    server: Server
    story: Story
    seen: list[int]

    def look(self, http: httpx.Client) -> None:
        """A page reports what was seen of two products."""
        told = [{"type": "card_view", "product": product} for product in self.story.products[:2]]
        answer = http.post("/v1/beacons", json=told, headers={"User-Agent": BROWSER})
        if not self.story.said.is_put_off("beacon", answer):
            self.seen.append(ok(answer, 202)["kept"])

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Ask it for everything for as long as the block lasts."""
        stop = threading.Event()
        looking = Hammer("beacons", self.look, self.server, self.story.said, stop, PAUSE)
        with hammering(self.story, 1, PAUSE):
            looking.start()
            try:
                yield
            finally:
                stop.set()
                looking.join(60)
        assert looking.failure is None, looking.failure


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    made = Database(postgres.new_database(postgres_url, f"versions-{time.monotonic_ns()}"))
    yield made
    made.close()


@pytest.fixture
def new_server(database: Database, tmp_path: Path) -> Iterator[Callable[[str, Path | None], Server]]:
    """Servers by their name and code, not started."""
    made: list[Server] = []

    def new(name: str, code: Path | None = None) -> Server:
        (tmp_path / name).mkdir()
        made.append(Server(database.url.render_as_string(hide_password=False), tmp_path / name))
        made[-1].code = code or made[-1].code
        return made[-1]

    yield new
    for server in made:
        server.kill()


@pytest.mark.soak
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_request_fails_while_a_new_version_takes_over(
    database: Database, new_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = new_server("old", older_code(tmp_path / "code", before=COUNTS))
    server.start()
    old = Version(server, begin(server), [])
    said = old.story.said
    clicks = [follow(old)]
    with ExitStack() as on_old, ExitStack() as on_new:
        on_old.enter_context(old.busy())
        time.sleep(SECONDS)
        began = len(said.visits)
        migrate.upgrade(database)
        before = journal_begins(database, old.story)
        clicks.append(follow(old))
        server = new_server("new")
        new = Version(server, replace(old.story, server=server), old.seen)
        server.start()
        assert len(said.visits) > began  # the old one went on
        on_new.enter_context(new.busy())
        clicks.append(follow(new))
        time.sleep(SECONDS)
        on_old.close()  # what is before the servers sends nobody to the old one any more
        stop(old.server)
        time.sleep(SECONDS)
    assert {} == said.unanswered
    assert {} == said.put_off
    ask_again_and_compare(new.story)
    everything_counts(database, new.story, sum(new.seen))
    everything_is_told(database, new.story, before)
    server.start()
    for number, click in enumerate(clicks):
        assert "whatsapp" == bought_through(new, click, f"through-{number}")


def follow(version: Version) -> str:
    """Somebody follows the link of the story's share; the click id."""
    with httpx.Client(base_url=version.server.url, verify=False, timeout=20) as http:
        click = Shopper(http).follow(version.story.code, claim=False)
    version.story.said.visits.append(click)
    return click


def bought_through(version: Version, click: str, external_id: str) -> str:
    """Somebody buys who had come by this click; the network that has the credit."""
    body = {"external_id": external_id, "currency": "eur", "net": 10, "click_id": click}
    placed_at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    with httpx.Client(base_url=version.server.url, headers=version.story.key, verify=False, timeout=20) as http:
        order = ok(http.post("/v1/orders", json={**body, "placed_at": placed_at}))
        (line,) = ok(http.get(f"/v1/orders/{order['id']}/attribution"))["lines"]
    assert (click, 10) == (line["touch"], line["net"])
    return str(line["network"])


def stop(server: Server) -> None:
    """As a deployment does: it ends by itself."""
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) in (0, -signal.SIGTERM), server.log[-2000:]


def journal_begins(database: Database, story: Story) -> set[str]:
    """What the new server's worker does half a minute after its start; the visits of until then."""
    merchant = merchant_of(story.merchant)
    note_forgotten(database, merchant, datetime.now(UTC))
    with database.reading() as session:
        return set(session.scalars(select(Visit.visit_id).where(Visit.merchant_id == merchant)))


def everything_is_told(database: Database, story: Story, before: set[str]) -> None:
    """Who reads the feed of facts since the new code came hears of each visit, also of those that the old code wrote
    without a note, once these are noted."""
    merchant = merchant_of(story.merchant)
    assert note_forgotten(database, merchant, datetime.now(UTC))
    assert not note_forgotten(database, merchant, datetime.now(UTC))
    place_all(database)
    events, _ = read_on(database, merchant, "0-", 500, ["visit.recorded"])
    assert {*story.said.visits} - before <= {event.subject for event in events}
    assert len({event.id for event in events}) == len(events)


def everything_counts(database: Database, story: Story, seen: int) -> None:
    """The counts are those of the facts, once what the old code wrote without counting is mended."""
    merchant, until = merchant_of(story.merchant), datetime.now(UTC) + timedelta(days=2)
    books = Books(database, merchant, until, from_micros(0), mend=True)
    books.compare()  # the new server's worker does so too, half a minute after its start
    assert not books.compare()
    with database.reading() as session:
        visits, likes, beacons = (
            session.scalar(select(func.count()).select_from(table).where(table.merchant_id == merchant, *which))
            for table, which in (
                (Visit, ()),
                (Referral, (Referral.kind == "like", Referral.withdrawn_at.is_(None))),
                (Beacon, ()),
            )
        )
        end = to_micros(until) // SPANS[-1] * SPANS[-1] + SPANS[-1]
        counts = sums(session, merchant, "total", [(0, end)])[0, ""]
    assert (len(story.said.visits), seen) == (visits, beacons)
    assert (visits, likes, beacons) == (counts.visits, counts.likes, counts.card_views)
