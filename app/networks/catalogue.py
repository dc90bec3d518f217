"""The networks on which the word is passed, as data, in the order in which they are offered, and how each is shared to.

Knows no referral, no request and no merchant. Share addresses are those that each network documents for its web share
button; where there is none (Instagram, TikTok, Signal, Discord ...), people copy or use the device's own share sheet.
How one is seen to come from a network stands in `traces`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Where a share lands: in public, with chosen people, or in the sharer's own hands."""

    PUBLIC = "public"
    PRIVATE = "private"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Network:
    """One network: how to share to it.

    `intent` is the address of its share form up to the first parameter; `fields` are (parameter, value) with
    a value of url, text, text_url, media, subject or body. `limit` is the longest text, link included,
    and `link_cost` what the link counts there (None: its own length).
    """

    id: str
    name: str
    color: str
    kind: Kind
    intent: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    limit: int = 1000
    link_cost: int | None = None
    shareable: bool = True


_URL = (("url", "url"),)
_TEXT_URL = (("text", "text_url"),)
PUBLIC, PRIVATE, DEVICE = Kind.PUBLIC, Kind.PRIVATE, Kind.DEVICE

# fmt: off
NETWORKS: tuple[Network, ...] = (
    Network("device", "Share…", "#374151", DEVICE),
    Network("copy", "Copy link", "#4b5563", DEVICE),
    Network("whatsapp", "WhatsApp", "#128c4a", PRIVATE, "https://wa.me/?", _TEXT_URL),
    Network(
        "facebook", "Facebook", "#0866ff", PUBLIC, "https://www.facebook.com/sharer/sharer.php?", (("u", "url"),),
    ),
    Network(
        "x", "X", "#000000", PUBLIC, "https://x.com/intent/post?", (("text", "text"), ("url", "url")),
        limit=280, link_cost=23,
    ),
    Network(
        "pinterest", "Pinterest", "#bd081c", PUBLIC, "https://www.pinterest.com/pin/create/button/?",
        (("url", "url"), ("media", "media"), ("description", "text")), limit=500, link_cost=0,
    ),
    Network(
        "telegram", "Telegram", "#1c84b8", PRIVATE, "https://t.me/share/url?", (("url", "url"), ("text", "text")),
    ),
    Network("email", "Email", "#5b5fc7", PRIVATE, "mailto:?", (("subject", "subject"), ("body", "body"))),
    Network("bluesky", "Bluesky", "#0a6fd6", PUBLIC, "https://bsky.app/intent/compose?", _TEXT_URL, limit=300),
    Network(
        "threads", "Threads", "#101010", PUBLIC, "https://www.threads.net/intent/post?",
        (("text", "text"), ("url", "url")), limit=500,
    ),
    Network(
        "mastodon", "Mastodon", "#5b4be1", PUBLIC, "https://share.joinmastodon.org/#", _TEXT_URL,
        limit=500, link_cost=23,
    ),
    Network("linkedin", "LinkedIn", "#0a66c2", PUBLIC, "https://www.linkedin.com/sharing/share-offsite/?", _URL),
    Network(
        "reddit", "Reddit", "#d93a00", PUBLIC, "https://www.reddit.com/submit?", (("url", "url"), ("title", "text")),
        limit=300, link_cost=0,
    ),
    Network("sms", "Text message", "#2e7d32", PRIVATE, "sms:?", (("body", "text_url"),), limit=480),
    Network("qr", "QR code", "#111827", DEVICE),
    Network("instagram", "Instagram", "#c13584", PUBLIC),
    Network("tiktok", "TikTok", "#161823", PUBLIC),
    Network(
        "tumblr", "Tumblr", "#36465d", PUBLIC, "https://www.tumblr.com/widgets/share/tool?", (("canonicalUrl", "url"),),
    ),
    Network("messenger", "Messenger", "#7a2cf5", PRIVATE),
    Network("signal", "Signal", "#2c5fd3", PRIVATE),
    Network("discord", "Discord", "#5865f2", PRIVATE),
    Network("slack", "Slack", "#4a154b", PRIVATE),
    Network("snapchat", "Snapchat", "#8a7a00", PRIVATE, "https://www.snapchat.com/share?", (("link", "url"),)),
    Network("line", "LINE", "#04843f", PRIVATE, "https://social-plugins.line.me/lineit/share?", _URL),
    Network("viber", "Viber", "#665cac", PRIVATE, "viber://forward?", _TEXT_URL, limit=200),
    Network("teams", "Teams", "#5059c9", PRIVATE, "https://teams.microsoft.com/share?", (("href", "url"),)),
    Network("vk", "VK", "#0068d6", PUBLIC, "https://vk.com/share.php?", _URL),
    Network(
        "weibo", "Weibo", "#c9151e", PUBLIC, "https://service.weibo.com/share/share.php?",
        (("url", "url"), ("title", "text")), limit=140, link_cost=0,
    ),
    Network("wechat", "WeChat", "#057a3c", PRIVATE),
    Network(
        "hackernews", "Hacker News", "#c04c00", PUBLIC, "https://news.ycombinator.com/submitlink?",
        (("u", "url"), ("t", "text")), limit=80, link_cost=0,
    ),
    Network("youtube", "YouTube", "#c4001d", PUBLIC),
    # `fbclid` is appended by Facebook, Instagram and Messenger alike: it proves the house, not the room.
    Network("meta", "Meta", "#0064e0", PUBLIC, shareable=False),
    Network("onsite", "On the site", "#6b7280", PUBLIC, shareable=False),
)
# fmt: on

META_FAMILY = frozenset({"facebook", "instagram", "messenger", "threads", "whatsapp"})

BY_ID: Mapping[str, Network] = {network.id: network for network in NETWORKS}
SHAREABLE: tuple[str, ...] = tuple(network.id for network in NETWORKS if network.shareable)
"""What `POST /v1/shares` accepts, in the order in which networks are offered where the merchant says nothing."""
ONSITE = "onsite"
"""The network of a like."""
