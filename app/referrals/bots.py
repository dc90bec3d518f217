"""Who asks for a link: a person, a machine, or a browser that only looks ahead. Only a person makes a visit.

Pure: method, agent and headers in, a kind out. Machines that we know by name stand in `machines`; the others are told
by what no browser's agent looks like, and by PyPI's list `crawlerdetect`, less what it wrongly says of people.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from threading import Lock

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

from app.networks.traces import MARKS
from app.referrals import machines


class Asker(StrEnum):
    """What a request is, with the consequence that it has for `/r/{code}`."""

    PERSON = "person"  # a visit
    CRAWLER = "crawler"  # the card, nothing counted
    PREVIEW = "preview"  # a network's link preview: the card, nothing counted
    PREFETCH = "prefetch"  # 503 and no-store, so that the real navigation asks again
    PARTIAL = "partial"  # HEAD, Range and other methods: no visit
    HIDDEN = "hidden"  # a page asks unseen, for a picture, a frame, a script: as a crawler


COUNTED = frozenset({Asker.CRAWLER, Asker.PREVIEW, Asker.HIDDEN})
"""Those who are counted beside the visits of people, and never among them."""


# An agent is sent with each request and may be hostile: what comes later than this decides nothing.
_LONGEST_AGENT = 512
_IN_APP = re.compile("|".join(re.escape(mark) for marks in MARKS.values() for mark in marks))

# Every browser, and every app that shows pages in one, says that it is a Mozilla (once an Opera) and names its kin.
_BROWSERS = ("Mozilla/", "Opera/")
_ENGINE = re.compile(r"AppleWebKit|Gecko/|Trident/|MSIE |Presto|Opera/|Chrome/|Firefox/|Goanna/|Servo/")
# What no browser says but machines do: where they are at home, whom to write to, with which browsers they get along.
# Nor has it words without an end, over which the list would brood.
_NO_BROWSER = re.compile(
    r"[\w-]{80}|https?://|\bwww\.|\bcompatible(?! ?; ?(?:MSIE|Konqueror))\b|\w(?:@|\[at\])[\w-]+\.[a-z]{2,}",
    re.IGNORECASE,
)

_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_TELLING = frozenset((*_PURPOSES, "range"))
"""Headers that make a request something else than a visit; hardly any request has one."""
_BY_SCRIPT = frozenset(("cors", "no-cors"))
"""Modes of a request that a script makes. A browser that follows a link has another, also where it will only save what
comes, for which it names no destination either."""

_detector: CrawlerDetect | None = None
_building = Lock()


def kind_of(method: str, user_agent: str | None, headers: Mapping[str, str]) -> Asker:
    """Who asks. `headers` are named in lower case, as ASGI gives them.

    A machine stays one with whatever method or range it comes: Slack asks with Range and still gets its card.
    """
    machine = _machine((user_agent or "")[:_LONGEST_AGENT])
    if machine is not None:
        return machine
    if not _TELLING.isdisjoint(headers):
        if _looks_ahead(headers):
            return Asker.PREFETCH
        if "range" in headers:
            return Asker.PARTIAL
    if method.upper() != "GET":
        return Asker.PARTIAL
    return Asker.HIDDEN if _is_unseen(headers) else Asker.PERSON


def is_machine(method: str, user_agent: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the asker is a crawler or a link preview, which get the card."""
    return kind_of(method, user_agent, headers) in {Asker.CRAWLER, Asker.PREVIEW}


def machine_of(user_agent: str | None) -> str:
    """Whose machine has this agent: one of `machines.NAMES`, which are few. For those that `kind_of` calls machines."""
    agent = (user_agent or "")[:_LONGEST_AGENT]
    if not agent.strip():
        return machines.NOBODY
    known = machines.known(agent)
    return machines.OTHER if known is None else known.name


@lru_cache(maxsize=8192)
def _machine(user_agent: str) -> Asker | None:
    """CRAWLER or PREVIEW for a machine's agent, None for a person's. Whoever sends no agent is a machine."""
    known = machines.known(user_agent)
    if known is not None:
        return Asker.PREVIEW if known.preview else Asker.CRAWLER
    return None if _is_browser(user_agent) else Asker.CRAWLER


def _is_browser(user_agent: str) -> bool:
    if not user_agent.startswith(_BROWSERS) or not _ENGINE.search(user_agent) or _NO_BROWSER.search(user_agent):
        return False
    # In-app browsers are people, although lists name some of them.
    return not _list().is_crawler(_IN_APP.sub("", user_agent))


def _list() -> CrawlerDetect:
    """The detector, built at the first question: start-up should not wait for its list to be compiled."""
    global _detector
    if _detector is None:
        with _building:
            if _detector is None:
                _detector = CrawlerDetect()
    return _detector


def _is_unseen(headers: Mapping[str, str]) -> bool:
    """Whether what comes is for a part of a page, and not for somebody who followed a link (Fetch Metadata Request
    Headers, 2.1 and 2.2). A browser says so, and no page can make it say otherwise; what says nothing is none of
    today's, or asks without encryption."""
    wanted = headers.get("sec-fetch-dest")
    if not wanted or wanted == "document":
        return False
    return wanted != "empty" or headers.get("sec-fetch-mode") in _BY_SCRIPT


def _looks_ahead(headers: Mapping[str, str]) -> bool:
    """Prefetch and prerender (Fetch standard, `Sec-Purpose`), with the older names browsers still send."""
    purposes = (headers.get(name, "").lower() for name in _PURPOSES)
    return any("prefetch" in purpose or "prerender" in purpose or purpose == "preview" for purpose in purposes)
