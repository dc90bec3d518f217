"""How endpoints have answered this process lately, and whose turn it is. Knows no database; of one thread.

Whoever answers quickly is told much at once; whoever is slow or fails, one thing at a time, and those have their own
room: so many of them as there may be, they hold up nobody else. It is only about when: what was promised stands in the
database.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple

from app.delivery.pauses import MOST_ASKED_FOR
from app.delivery.telling import Outcome

MOST: Final = 64
"""Attempts under way at once. Most of them wait for those who answer late."""
AT_WORK: Final = 8
"""Of these, such as have just begun: shoppers are served by the same processor."""
OF_ONE: Final = 4
"""Of one endpoint, and of one merchant among those that have just begun."""
SLOW: Final = 2.0
"""Seconds. Who takes longer is slow until they were quicker."""
_FORGIVEN: Final = 2
"""Failures in a row before an endpoint is left alone for a second, then for twice as long each time, at most `REST`."""
REST: Final = timedelta(seconds=30)


class Receiver(NamedTuple):
    """An endpoint at an address: at another one it is known anew."""

    merchant_id: int
    endpoint_id: str
    url: str


@dataclass
class _Manner:
    """How it answers. What was never asked is taken for slow."""

    failures: int = 0
    is_slow: bool = True
    left_alone_until: datetime | None = None
    last_turn: int = 0


class Receivers:
    """Of one process. `passed` tells seconds that pass, whatever the clock says; `most` endpoints are remembered."""

    def __init__(self, passed: Callable[[], float] = monotonic, most: int = 10_000) -> None:
        self._passed = passed
        self._most = most
        self._manners: dict[Receiver, _Manner] = {}
        self._under_way: list[tuple[Receiver, float]] = []
        self._turns = 0

    @property
    def under_way(self) -> int:
        """Attempts that have not ended."""
        return len(self._under_way)

    def in_turn(self, due: Iterable[Receiver], now: datetime) -> list[Receiver]:
        """Those of `due` that may be told something now: first whose merchant has least under way, then whose turn is
        the longest ago."""
        of_merchants = Counter(receiver.merchant_id for receiver, _ in self._under_way)
        ready = [each for each in due if not self._is_left_alone(each, now) and self.room(each)]
        return sorted(ready, key=lambda each: (of_merchants[each.merchant_id], self._manner(each).last_turn))

    def room(self, receiver: Receiver) -> int:
        """How many more attempts may begin there now."""
        young = [each for each, began in self._under_way if self._passed() - began < SLOW]
        of_merchant = sum(each.merchant_id == receiver.merchant_id for each in young)
        rooms = [MOST - len(self._under_way), AT_WORK - len(young), OF_ONE - of_merchant]
        there = sum(each == receiver for each, _ in self._under_way)
        if self._is_patient_work(receiver):
            rooms += [1 - there, MOST // 2 - sum(self._is_patient_work(each) for each, _ in self._under_way)]
        else:
            rooms.append(OF_ONE - there)
        return max(0, min(rooms))

    def enter(self, receiver: Receiver) -> None:
        """An attempt begins."""
        self._turns += 1
        self._manner(receiver).last_turn = self._turns
        self._under_way.append((receiver, self._passed()))

    def leave(self, receiver: Receiver) -> None:
        """One of its attempts has ended, or does not begin after all."""
        del self._under_way[next(place for place, (each, _) in enumerate(self._under_way) if each == receiver)]

    def learn(self, receiver: Receiver, outcome: Outcome, now: datetime) -> None:
        """How it has answered: where it failed, it may have to be left alone for a while."""
        manner = self._manner(receiver)
        manner.is_slow = outcome.milliseconds >= SLOW * 1000
        if outcome.arrived:
            manner.failures, manner.left_alone_until = 0, None
            return
        manner.failures += 1
        beyond = min(manner.failures - _FORGIVEN - 1, 10)
        rest = min(timedelta(seconds=2.0**beyond), REST) if beyond >= 0 else timedelta()
        manner.left_alone_until = now + max(rest, outcome.asked_for or timedelta())

    def keep(self, due: Collection[Receiver]) -> None:
        """Where there are too many, remember those alone that have something due or are being told it."""
        if len(self._manners) <= self._most:
            return
        kept = set(due) | {receiver for receiver, _ in self._under_way}
        self._manners = {each: manner for each, manner in self._manners.items() if each in kept}

    def _manner(self, receiver: Receiver) -> _Manner:
        return self._manners.setdefault(receiver, _Manner())

    def _is_left_alone(self, receiver: Receiver, now: datetime) -> bool:
        """What lies further ahead than it can be was noted while a clock was wrong."""
        until = self._manner(receiver).left_alone_until
        return until is not None and now < until <= now + MOST_ASKED_FOR

    def _is_patient_work(self, receiver: Receiver) -> bool:
        """Whether it takes patience to tell it something."""
        manner = self._manner(receiver)
        late = any(each == receiver and self._passed() - began >= SLOW for each, began in self._under_way)
        return late or manner.is_slow or manner.failures > 0
