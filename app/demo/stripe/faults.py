"""Faults on command: what can go wrong between a shop and Stripe, made to happen to the next requests.

Knows requests by method and path only. A fault is used up by the requests that it happens to; `mend` ends all.
"""

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from typing import Final

from app.demo.stripe.errors import StripeProblem

_KEPT: Final = 1_000


@dataclass(frozen=True)
class Fault:
    """What happens to one request. `effect`: the request is carried out all the same. `kept`: its answer is kept
    under its idempotency key, as Stripe keeps a 500. `lost`: the line breaks, and no answer arrives."""

    status: int = 500
    effect: bool = False
    kept: bool = False
    lost: bool = False
    retry_after: int | None = None

    def problem(self) -> StripeProblem:
        """The error in Stripe's words."""
        if self.status == 429:
            return StripeProblem(
                "Too many requests in a period of time. Please retry with exponential backoff.",
                status=429,
                code="rate_limit",
            )
        if self.status == 409:
            return StripeProblem(
                "This object cannot be accessed right now because another API request or Stripe process is "
                "currently accessing it.",
                status=409,
                code="lock_timeout",
            )
        return StripeProblem("An unknown error occurred", status=self.status, kind="api_error")

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


@dataclass(frozen=True)
class Seen:
    """A request as it came, whatever happened to it."""

    method: str
    path: str
    idempotency_key: str | None
    account: str | None


@dataclass
class _Planned:
    fault: Fault
    times: int
    method: str | None
    path: str | None

    def meets(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in (None, method) and path.startswith(self.path or "")


class Faults:
    """The faults of one double. Thread-safe. `path` is how the path of a request begins; None means any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._planned: list[_Planned] = []
        self._down = False
        self.clock_ahead = timedelta()
        """How much the dates of answers, and the stamps of webhooks, are ahead of the machine's clock."""
        self.seen: deque[Seen] = deque(maxlen=_KEPT)
        """The last requests, oldest first."""

    def answer(
        self,
        status: int,
        *,
        times: int = 1,
        replayed: bool = False,
        effect: bool = True,
        retry_after: int | None = None,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """Answer the next requests with an error, before anything was done.

        `replayed`: after the request was carried out (or, without `effect`, just before), and the error is kept under
        the request's idempotency key: whoever asks again with that key gets it again, for 24 hours.
        """
        if not 400 <= status <= 599:
            raise ValueError("a fault is an error: 400 to 599")
        fault = Fault(status, effect=replayed and effect, kept=replayed, retry_after=retry_after)
        self._plan(_Planned(fault, times, method, path))

    def lose_answers(self, times: int = 1, path: str | None = None, *, method: str | None = None) -> None:
        """Carry out the next requests, and break the line instead of answering."""
        self._plan(_Planned(Fault(effect=True, lost=True), times, method, path))

    def down(self, down: bool = True) -> None:
        """While it is down, every request finds the line broken, and nothing is done."""
        with self._lock:
            self._down = down

    def mend(self) -> None:
        """No fault any more, and none to come; what was seen is forgotten."""
        with self._lock:
            self.seen.clear()
            self._planned.clear()
            self._down = False
            self.clock_ahead = timedelta()

    @property
    def state(self) -> str:
        """What is wrong now, in a sentence."""
        with self._lock:
            to_come = sum(planned.times for planned in self._planned)
            if self._down:
                return "Stripe is down."
            return f"{to_come} requests will meet a fault." if to_come else "All is well."

    def take(self, seen: Seen) -> Fault | None:
        """What happens to this request; it is used up."""
        with self._lock:
            self.seen.append(seen)
            if self._down:
                return Fault(lost=True)
            for planned in self._planned:
                if planned.meets(seen.method, seen.path):
                    planned.times -= 1
                    return planned.fault
            return None

    def _plan(self, planned: _Planned) -> None:
        with self._lock:
            self._planned = [*(one for one in self._planned if one.times), planned]
