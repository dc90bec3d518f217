"""Long lists of Stripe's, page by page: what is kept in memory is one page. Knows no HTTP: it is told how to fetch.

A page that fails is asked for again some times, so that a short trouble does not end a comparison of thousands.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from app.kernel.errors import Conflict
from app.kernel.json_objects import JsonObject
from app.orders.stripe.problems import AccountRefused, CheckoutUnavailable

log = logging.getLogger(__name__)

PAGE = 100
"""Objects; Stripe gives no more."""
ATTEMPTS = 4
_LONGEST_PAUSE = 20


@dataclass(frozen=True)
class Page:
    """What Stripe gives at once. `next` names the object after which the following page begins; None: there is none."""

    data: tuple[JsonObject, ...]
    next: str | None

    @classmethod
    def of(cls, said: object) -> "Page":
        """Stripe's list. Raises `CheckoutUnavailable` where it is none."""
        data = said.get("data") if isinstance(said, Mapping) else None
        if not isinstance(data, list) or not all(isinstance(each, Mapping) for each in data):
            raise CheckoutUnavailable("Stripe's answer is not a list.")
        more = said.get("has_more") is True if isinstance(said, Mapping) else False
        last = data[-1].get("id") if more and data else None
        return cls(tuple(data), last if isinstance(last, str) else None)


Fetch = Callable[[str | None], Page]
"""The page that begins after the given object. Raises `CheckoutUnavailable`, `InProgress`, `CheckoutRefused`."""

Answer = TypeVar("Answer")


def walk(fetch: Fetch, most: int | None = None) -> Iterator[JsonObject]:
    """All objects of the list, or those of the first `most` pages, fetched when they are wanted. Raises what `fetch`
    raises."""
    after: str | None = None
    for _ in count() if most is None else range(most):
        page = fetch(after)
        yield from page.data
        if page.next is None or page.next == after:
            return
        after = page.next


def patiently(ask: Callable[[], Answer], pause: Callable[[float], None]) -> Answer:
    """The answer, asked for up to `ATTEMPTS` times while Stripe is in trouble or wants us to be slower; what is raised
    at the last time is raised, and a refusal at once. Waits as long as Stripe asks for, at most 20 s."""
    for _ in range(ATTEMPTS - 1):
        try:
            return ask()
        except AccountRefused:
            raise
        except (CheckoutUnavailable, Conflict) as trouble:
            wait = min(trouble.retry_after or 1, _LONGEST_PAUSE)
            log.info("Stripe failed (%s); again in %d s", trouble.__cause__ or trouble, wait)
            pause(wait)
    return ask()
