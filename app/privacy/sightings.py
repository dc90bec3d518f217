"""What is seen of a machine, so that one is not taken for many: hashes that say nothing when their day's salt is gone.

Two acts with the same `device` were done on the same day (UTC), with the same merchant, from the same address, by the
same agent; with the same `block`, from the same neighbourhood. Nothing else can be told from them, and of two days or
two merchants nothing at all. Knows no table: the salts are in memory, so an answer waits for no database.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.network_blocks import network_of
from app.kernel.repeated import Repeated
from app.privacy import modes, salts, signals

if TYPE_CHECKING:
    from starlette.requests import Request

LOOKS_EVERY: Final = 60.0
"""Seconds between two looks at the salts: so much longer at most does a process know one that was destroyed."""
LONGEST_AGENT: Final = 512
"""Characters of an agent that count."""
_REST: Final = 0.1
_DIGEST: Final = 6
"""Bytes, in hexadecimal: of a million devices on one day, two are taken for one hardly once in five hundred days."""


class Sighting(NamedTuple):
    """A machine, as it was seen on one day: 12 characters each."""

    device: str
    block: str


class Sightings:
    """Says what is seen of whoever asks. Any thread may ask; salts are looked after in a thread of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._salts: Mapping[int, bytes] = {}
        self._mixed: dict[tuple[int, int], _Mixed] = {}
        trouble = "what tells machines apart cannot be had"
        self._looking = Repeated("salts", self.look, every=LOOKS_EVERY, trouble=trouble)

    def start(self) -> None:
        """Begin to look after the salts."""
        self._looking.start()

    def stop(self) -> None:
        """Leave off. Harmless twice, or before a start."""
        self._looking.stop()

    def look(self) -> float:
        """Have the salts that are in force now; how many seconds nobody need ask for it again."""
        self._salts, self._mixed = salts.in_force(self._database, self._clock.now()), {}
        return _REST

    def seen(
        self, mode: str, merchant_id: int, headers: Mapping[str, str], address: str | None, at: datetime
    ) -> Sighting | None:
        """What may be kept of whoever sends these `headers` from this `address`: nothing where the merchant's mode is
        `none`, or their browser says no; else what `of` says. Names of headers are found in lower case."""
        if mode == modes.NONE or signals.says_no(headers):
            return None
        return self.of(merchant_id, address, headers.get("user-agent"), at)

    def of(self, merchant_id: int, address: str | None, agent: str | None, at: datetime) -> Sighting | None:
        """The hashes of a machine that was seen `at` that moment, which is aware and in UTC.

        None of whoever does not come from the public internet: behind a proxy that nobody named all would be one
        machine. None, too, where the day's salt is not there yet. Waits for nothing, and keeps nothing.
        """
        mixed = self._mixed.get((at.toordinal(), merchant_id)) or self._mix(at.toordinal(), merchant_id)
        network = None if address is None else network_of(address)
        if mixed is None or network is None:
            return None
        place, block = network
        said = (agent or "")[:LONGEST_AGENT].encode("utf-8", "replace")
        return Sighting(mixed.hashed(b"%b\0%b" % (place, said)), mixed.hashed(block))  # no agent has a NUL

    def _mix(self, day: int, merchant_id: int) -> "_Mixed | None":
        salt = self._salts.get(day)
        if salt is None:
            self._looking.wake()
            return None
        mixed = self._mixed[day, merchant_id] = _Mixed(salt, merchant_id)
        return mixed


class _Mixed:
    """The salt of a day, mixed with a merchant's number. Made once: many come on one day."""

    def __init__(self, salt: bytes, merchant_id: int) -> None:
        self._begun = blake2b(digest_size=_DIGEST, key=salt, person=merchant_id.to_bytes(8, "big"))

    def hashed(self, what: bytes) -> str:
        hashing = self._begun.copy()
        hashing.update(what)
        return hashing.hexdigest()


def seen_by(request: "Request", mode: str, merchant_id: int, at: datetime) -> Sighting | None:
    """`Sightings.seen`, of a request that came to FastAPI."""
    sightings: Sightings = request.app.state.sightings
    client = request.client
    return sightings.seen(mode, merchant_id, request.headers, None if client is None else client.host, at)
