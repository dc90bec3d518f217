"""Who asks for a link: a person, a machine, or a browser that only looks ahead. Only a person makes a visit.

Pure: method, agent and headers in, a kind out. The list of crawlers is PyPI's `crawlerdetect`; what stands
here are the cases in which it is known to be wrong.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from threading import Lock

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

from app.networks.catalogue import NETWORKS


class Asker(StrEnum):
    """What a request is, with the consequence that it has for `/r/{code}`."""

    PERSON = "person"  # a visit
    CRAWLER = "crawler"  # the card, nothing counted
    PREVIEW = "preview"  # a network's link preview: the card, nothing counted
    PREFETCH = "prefetch"  # 503 and no-store, so that the real navigation asks again
    PARTIAL = "partial"  # HEAD, Range and other methods: no visit


# An agent is sent with each request and may be hostile: what comes later than this decides nothing.
_LONGEST_AGENT = 512
# Cardyb (Bluesky) and ViberUrlDownloader are on no list; Apple's preview is a Safari with Meta's tokens.
_PREVIEWS = re.compile(
    r"facebookexternalhit|facebot|facebookcatalog|meta-externalfetcher|twitterbot|^whatsapp|telegrambot|slackbot"
    r"|slack-imgproxy|discordbot|linkedinbot|pinterest(?:bot|/0\.)|redditbot|^tumblr/|vkshare|skypeuripreview"
    r"|microsoftpreview|teamsbot|bitlybot|cardyb|viberurldownloader|mastodon/|pleroma|misskey/|iframely|embedly"
    r"|snap url preview|line-poker|kakaotalk-scrap|google-pagerenderer|synapse[ /]",
    re.IGNORECASE,
)
_IN_APP = re.compile("|".join(re.escape(mark) for network in NETWORKS for mark in network.marks))

_detector: CrawlerDetect | None = None
_building = Lock()


def kind_of(method: str, user_agent: str | None, headers: Mapping[str, str]) -> Asker:
    """Who asks. `headers` are named in lower case, as ASGI gives them.

    A machine stays one with whatever method or range it comes: Slack asks with Range and still gets its card.
    """
    machine = _machine((user_agent or "")[:_LONGEST_AGENT])
    if machine is not None:
        return machine
    if _looks_ahead(headers):
        return Asker.PREFETCH
    return Asker.PARTIAL if method.upper() != "GET" or "range" in headers else Asker.PERSON


def is_machine(method: str, user_agent: str | None, headers: Mapping[str, str]) -> bool:
    """Whether the asker is a crawler or a link preview, which get the card."""
    return kind_of(method, user_agent, headers) in {Asker.CRAWLER, Asker.PREVIEW}


@lru_cache(maxsize=8192)
def _machine(user_agent: str) -> Asker | None:
    """CRAWLER or PREVIEW for a machine's agent, None for a person's. Whoever sends no agent is a machine."""
    if not user_agent.strip():
        return Asker.CRAWLER
    if _PREVIEWS.search(user_agent):
        return Asker.PREVIEW
    agent = user_agent
    if user_agent.startswith("Mozilla/"):
        # In-app browsers are people, although lists name some of them.
        agent = _IN_APP.sub("", user_agent)
    return Asker.CRAWLER if _list().is_crawler(agent) else None


def _list() -> CrawlerDetect:
    """The detector, built at the first question: start-up should not wait for its list to be compiled."""
    global _detector
    if _detector is None:
        with _building:
            if _detector is None:
                _detector = CrawlerDetect()
    return _detector


def _looks_ahead(headers: Mapping[str, str]) -> bool:
    """Prefetch and prerender (Fetch standard, `Sec-Purpose`), with the older names browsers still send."""
    purposes = (headers.get(name, "").lower() for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return any("prefetch" in purpose or "prerender" in purpose or purpose == "preview" for purpose in purposes)
