"""A shop whose likes are told to others by webhooks, straight in the database; and a sender of its own that a test may
kill: `python -m tests.db.hooked <database>`."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update

from app.delivery import endpoints, queue
from app.delivery.deliveries import state_of
from app.delivery.endpoints import NewEndpoint
from app.delivery.making_out import MakingOut
from app.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.delivery.receivers import Receiver
from app.delivery.sending import Sending
from app.delivery.vault import Vault
from app.kernel import journal
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.feed_relay import Relay
from app.kernel.ids import new_id, new_ids
from app.kernel.journal import JOURNAL
from app.kernel.outgoing import Guard
from app.kernel.signing import Signer
from app.referrals.models import Referral
from tests.clock import TestClock
from tests.db.referring import Shop, done, written

SIGNER = Signer(b"secret-of-the-tests-" + b"x" * 12)


@dataclass
class Hooked:
    """The shop. Nobody works in the background but who is started."""

    database: Database
    clock: TestClock
    shop: Shop = field(init=False)
    vault: Vault = field(default_factory=lambda: Vault.of(SIGNER))

    def __post_init__(self) -> None:
        self.shop = Shop(self.database)
        with self.database.transaction() as session:  # those of other tests
            session.execute(update(WebhookEndpoint).values(withdrawn_at=self.clock.now()))

    @property
    def merchant(self) -> int:
        return self.shop.merchant

    def endpoint(self, url: str = "https://shop.example/", types: Sequence[str] = (), merchant: int = 0) -> str:
        new = NewEndpoint(url, types, None)
        with self.database.transaction() as session:
            made, _ = endpoints.add(session, self.vault, merchant or self.merchant, new, self.clock.now())
            return made.endpoint_id

    def secret(self, endpoint_id: str) -> str:
        return self.vault.signing(self.known(endpoint_id), self.clock.now())[0]

    def known(self, endpoint_id: str) -> WebhookEndpoint:
        with self.database.reading() as session:
            found = select(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint_id)
            return session.scalars(found).one()

    def change(self, endpoint_id: str, **changes: object) -> None:
        with self.database.transaction() as session:
            endpoint = endpoints.get(session, self.merchant, endpoint_id, lock=True)
            endpoints.change(session, endpoint, changes, self.clock.now())

    def like(self, times: int = 1) -> list[str]:
        """So many likes, written and placed in the journal; their ids in the order of the journal."""
        likes = [self.shop.like(self.shop.visitor()) for _ in range(times)]
        made = [each.referral.referral_id for each in done(written(self.database, likes))]
        self.place()
        return made

    def place(self) -> None:
        Relay(self.database, self.clock, of=JOURNAL).place_all()

    def maker(self) -> MakingOut:
        return MakingOut(self.database, self.clock)

    def make_out(self) -> int:
        return self.maker().make_out_all()

    def wait(self, endpoint_id: str, *subjects: str, merchant: int = 0) -> list[str]:
        """Deliveries that wait for an endpoint, one about each subject, in this order; their ids."""
        merchant, now = merchant or self.merchant, self.clock.now()
        ids = new_ids("whd", merchant, now, len(subjects))
        firsts = self.are_first(endpoint_id, subjects)
        rows = [
            {
                "merchant_id": merchant,
                "delivery_id": delivery,
                "endpoint_id": endpoint_id,
                "event_id": new_id("evt", merchant, now),
                "type": "referral.created",
                "subject": subject,
                "body": f'{{"subject":"{subject}","delivery":"{delivery}"}}',
                "created_at": now,
                "due_at": now if is_first else None,
                "attempts": 0,
            }
            for delivery, subject, is_first in zip(ids, subjects, firsts, strict=True)
        ]
        with self.database.transaction() as session:
            session.execute(insert(WebhookDelivery), rows)
        return ids

    def are_first(self, endpoint_id: str, subjects: Sequence[str]) -> list[bool]:
        with self.database.reading() as session:
            return queue.are_first(session, self.known(endpoint_id), subjects)

    def deliveries(self, endpoint_id: str) -> list[WebhookDelivery]:
        with self.database.reading() as session:
            found = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
            return list(session.scalars(found.order_by(WebhookDelivery.delivery_id)))

    def delivery(self, delivery_id: str) -> WebhookDelivery:
        with self.database.reading() as session:
            return session.get_one(WebhookDelivery, (self.merchant, delivery_id))

    def attempts(self, delivery_id: str) -> list[WebhookAttempt]:
        with self.database.reading() as session:
            found = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id)
            return list(session.scalars(found.order_by(WebhookAttempt.attempt_id)))

    def take(self, endpoint_id: str, most: int = 100, now: datetime | None = None) -> list[queue.Task]:
        receiver = Receiver(self.merchant, endpoint_id, self.known(endpoint_id).url)
        with self.database.transaction() as session:
            return queue.take(session, receiver, now or self.clock.now(), most)

    @contextmanager
    def sending(self, patience: float = 5.0, database: Database | None = None) -> Iterator[Sending]:
        """While the block lasts, what is due is sent."""
        with sender(database or self.database, self.clock, patience) as running:
            yield running

    def until_none_waits(self, endpoint_id: str, seconds: float = 20) -> None:
        def is_over() -> bool:
            return not any(state_of(each) == "waiting" for each in self.deliveries(endpoint_id))

        until(is_over, seconds)


def withdrawn(hooked: Hooked, likes: list[str]) -> None:
    """These likes are taken back, and that has its place."""
    with hooked.database.transaction() as session:
        changed = update(Referral).where(Referral.merchant_id == hooked.merchant, Referral.referral_id.in_(likes))
        session.execute(changed.values(withdrawn_at=hooked.clock.now()))
        journal.note(session, hooked.merchant, "referral.withdrawn", likes, hooked.clock.now())
    hooked.place()


def subjects(hooked: Hooked, endpoint: str) -> list[str]:
    """What an endpoint's deliveries are about, in order."""
    return [each.subject for each in hooked.deliveries(endpoint)]


def all_delivered(hooked: Hooked, endpoint: str) -> None:
    """All that waits for an endpoint has arrived."""
    with hooked.database.transaction() as session:
        for each in hooked.deliveries(endpoint):
            row = session.merge(each)
            row.due_at, row.delivered_at = None, hooked.clock.now()


def until(holds: object, seconds: float = 20) -> None:
    """Wait until it holds."""
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.01)


@contextmanager
def sender(database: Database, clock: Clock, patience: float) -> Iterator[Sending]:
    running = Sending(database, clock, Guard(["127.0.0.1"]), Vault.of(SIGNER), patience=patience)
    running.start()
    try:
        yield running
    finally:
        running.stop()


if __name__ == "__main__":
    with sender(Database(sys.argv[1]), TestClock(), 30):
        time.sleep(60)
