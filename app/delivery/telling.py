"""Tells one endpoint of one event, once, and says what came of it. Knows no database."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from types import MappingProxyType
from typing import Final

from app.delivery import signing
from app.delivery.pauses import asked_for
from app.kernel.outgoing import Answered, Guard, Reason, Refused

log = logging.getLogger(__name__)

PATIENCE: Final = 15.0
"""Seconds for an attempt, from the look-up of the name to the answer's status."""

_WORDS: Final = MappingProxyType(
    {
        Reason.FORBIDDEN: "its address is not one on the public internet that is reached by https",
        Reason.TOO_SLOW: "no answer in time",
    }
)
"""What is said of refusals whose own words would tell of the network that the server stands in."""
_GONE: Final = 410


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt. `status` is that of the answer, if there was one; `problem` says in words why it did
    not arrive; `asked_for` is how long the receiver wants to be left alone."""

    at: datetime
    milliseconds: int
    status: int | None
    problem: str | None
    asked_for: timedelta | None = None

    @property
    def arrived(self) -> bool:
        return self.problem is None

    @property
    def is_gone(self) -> bool:
        """Whether nothing is to be sent there any more."""
        return self.status == _GONE


def tell(
    guard: Guard,
    url: str,
    event_id: str,
    body: str,
    by: Sequence[str],
    now: datetime,
    seconds: float = PATIENCE,
    *,
    of: int | None = None,
) -> Outcome:
    """Send `body` to `url`, an address of the merchant `of`, signed by these secrets at the present, `now`. Whatever
    happens is an outcome."""
    began = monotonic()
    raw = body.encode()
    try:
        answered = guard.post(url, raw, signing.headers(event_id, now, raw, by), seconds=seconds, of=of)
    except Refused as refusal:
        return Outcome(now, _since(began), None, _WORDS.get(refusal.reason, str(refusal))[:500])
    except Exception:
        log.exception("an event could not be sent")
        return Outcome(now, _since(began), None, "it could not be sent; the server's log says more")
    return _outcome(answered, now, _since(began))


def _outcome(answered: Answered, now: datetime, milliseconds: int) -> Outcome:
    status = answered.status
    if 200 <= status < 300:
        return Outcome(now, milliseconds, status, None)
    said = answered.beginning.decode(errors="replace").replace("\0", " ").strip()
    words = "a redirect, which is not followed" if 300 <= status < 400 else f"answered {status}"
    problem = f"{words}: {said}" if said else words
    return Outcome(now, milliseconds, status, problem, asked_for(answered.retry_after, now))


def _since(began: float) -> int:
    return round((monotonic() - began) * 1000)
