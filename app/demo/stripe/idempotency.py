"""Idempotency keys as Stripe keeps them. Knows no HTTP server; its only clock is the one it is given.

The first answer under a key is given again for 24 hours, a 500 as well; the same key with other parameters, or while
the first request is still being answered, is refused. Requests that were refused before they began (wrong key,
invalid parameters) leave no trace. Source: Stripe's API reference, "Idempotent requests".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from app.demo.stripe.errors import StripeProblem
from app.kernel.clock import Clock

KEPT_FOR: Final = timedelta(hours=24)
_LONGEST_KEY: Final = 255


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. `began` is whether the operation itself was entered: only then it is kept. A `lost` one is
    broken off on its way."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    began: bool = True
    lost: bool = False


@dataclass
class _Entry:
    fingerprint: str
    at: datetime
    request_id: str
    answer: Answer | None = None


class IdempotencyKeys:
    """The keys of all accounts. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._entries: dict[tuple[str, str], _Entry] = {}

    def answer(self, scope: str, key: str, fingerprint: str, request_id: str, work: Callable[[], Answer]) -> Answer:
        """The kept answer under `key` of `scope` (an account), else that of `work`, which is then kept.

        `fingerprint` stands for operation and parameters. StripeProblem where the key may not be used.
        """
        if not 0 < len(key) <= _LONGEST_KEY:
            raise StripeProblem(f"Idempotency keys must be 1 to {_LONGEST_KEY} characters long")
        kept = self._claim((scope, key), fingerprint, request_id)
        if kept is not None:
            return kept
        answer: Answer | None = None
        try:
            answer = work()
            return answer
        finally:
            self._settle((scope, key), answer)

    def _claim(self, place: tuple[str, str], fingerprint: str, request_id: str) -> Answer | None:
        now = self._clock.now()
        with self._lock:
            entry = self._entries.get(place)
            if entry is None or now - entry.at >= KEPT_FOR:
                self._entries[place] = _Entry(fingerprint, now, request_id)
                return None
            if entry.fingerprint != fingerprint:
                raise _mismatch(place[1])
            if entry.answer is None:
                raise _in_use()
            headers = {
                **entry.answer.headers,
                "Idempotent-Replayed": "true",
                "Original-Request": entry.request_id,
            }
            return replace(entry.answer, headers=headers)

    def _settle(self, place: tuple[str, str], answer: Answer | None) -> None:
        with self._lock:
            if answer is None or not answer.began:
                del self._entries[place]
            else:
                self._entries[place].answer = answer


def _mismatch(key: str) -> StripeProblem:
    return StripeProblem(
        "Keys for idempotent requests can only be used with the same parameters and endpoint they were first used "
        f"with. Try using a key other than '{key}' if you meant to execute a different request.",
        kind="idempotency_error",
    )


def _in_use() -> StripeProblem:
    return StripeProblem(
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        "submitted twice, and the other request is still going through). Please try again later.",
        status=409,
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )
