"""The networks on which the word is passed, as data, in the order in which they are offered.

Knows how each network is addressed and recognised; knows no referral, no request and no merchant. Share
addresses are those that each network documents for its web share button; hosts follow Matomo's socials (CC0).
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
    """One network: how to share to it and how to see that somebody came from it.

    `intent` is the address of its share form up to the first parameter; `fields` are (parameter, value) with
    a value of url, text, text_url, media, subject or body. `limit` is the longest text, link included,
    and `link_cost` what the link counts there (None: its own length). `hosts` are matched on whole labels,
    `marks` are parts of the agents of in-app browsers, `click_parameters` are appended to outgoing links.
    """

    id: str
    name: str
    color: str
    kind: Kind
    intent: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    limit: int = 1000
    link_cost: int | None = None
    hosts: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    click_parameters: tuple[str, ...] = ()
    shareable: bool = True


_URL = (("u", "url"),)
_TEXT_URL = (("text", "text_url"),)
PUBLIC, PRIVATE, DEVICE = Kind.PUBLIC, Kind.PRIVATE, Kind.DEVICE

# fmt: off
NETWORKS: tuple[Network, ...] = (
    Network("device", "Share…", "#374151", DEVICE),
    Network("copy", "Copy link", "#4b5563", DEVICE),
    Network(
        "whatsapp", "WhatsApp", "#128c4a", PRIVATE, "https://wa.me/?", _TEXT_URL,
        hosts=("whatsapp.com", "wa.me", "wl.co", "com.whatsapp", "com.whatsapp.w4b"),
    ),
    Network(
        "facebook", "Facebook", "#0866ff", PUBLIC, "https://www.facebook.com/sharer/sharer.php?", _URL,
        hosts=("facebook.com", "fb.com", "fb.me", "fb.watch", "com.facebook.katana", "com.facebook.lite"),
        marks=("FBAN/", "FBAV/", "FB_IAB/", "[FB"), click_parameters=("mibextid",),
    ),
    Network(
        "x", "X", "#000000", PUBLIC, "https://x.com/intent/post?", (("text", "text"), ("url", "url")),
        limit=280, link_cost=23, hosts=("x.com", "twitter.com", "t.co", "com.twitter.android"),
        marks=("Twitter for iPhone", "Twitter for iPad", "TwitterAndroid"), click_parameters=("twclid",),
    ),
    Network(
        "pinterest", "Pinterest", "#bd081c", PUBLIC, "https://www.pinterest.com/pin/create/button/?",
        (("url", "url"), ("media", "media"), ("description", "text")), limit=500, link_cost=0,
        hosts=(
            "pinterest.com", "pin.it", "pinterest.fr", "pinterest.de", "pinterest.es", "pinterest.it",
            "pinterest.ca", "pinterest.at", "pinterest.ch", "pinterest.pt", "pinterest.jp", "pinterest.se",
            "pinterest.co.uk", "pinterest.com.au", "pinterest.com.mx", "com.pinterest",
        ), marks=("Pinterest",), click_parameters=("epik",),
    ),
    Network(
        "telegram", "Telegram", "#1c84b8", PRIVATE, "https://t.me/share/url?",
        (("url", "url"), ("text", "text")),
        hosts=("telegram.org", "telegram.me", "t.me", "org.telegram.messenger"),
        marks=("Telegram-Android/",),
    ),
    Network(
        "email", "Email", "#5b5fc7", PRIVATE, "mailto:?", (("subject", "subject"), ("body", "body")),
        hosts=(
            "mail.google.com", "com.google.android.gm", "outlook.live.com", "outlook.office.com",
            "outlook.office365.com", "mail.yahoo.com", "mail.proton.me", "mail.aol.com", "mail.ru",
            "mail.yandex.ru", "mail.zoho.com", "app.fastmail.com", "webmail.gmx.net", "navigator.web.de",
            "mail.orange.fr", "webmail.free.fr", "zimbra.free.fr", "com.microsoft.office.outlook",
        ),
    ),
    Network(
        "bluesky", "Bluesky", "#0a6fd6", PUBLIC, "https://bsky.app/intent/compose?", _TEXT_URL, limit=300,
        hosts=("bsky.app", "bsky.social", "xyz.blueskyweb.app"), marks=("Bluesky/",),
    ),
    Network(
        "threads", "Threads", "#101010", PUBLIC, "https://www.threads.net/intent/post?",
        (("text", "text"), ("url", "url")), limit=500,
        hosts=("threads.net", "threads.com", "com.instagram.barcelona"), marks=("Barcelona ", "Threads"),
    ),
    Network(
        "mastodon", "Mastodon", "#5b4be1", PUBLIC, "https://share.joinmastodon.org/#", _TEXT_URL, limit=500,
        link_cost=23,
        hosts=(
            "mastodon.social", "mastodon.online", "mstdn.social", "mas.to", "fosstodon.org", "hachyderm.io",
            "infosec.exchange", "mstdn.jp", "pawoo.net", "piaille.fr", "mamot.fr", "framapiaf.org",
            "troet.cafe", "chaos.social", "techhub.social", "mastodon.world", "joinmastodon.org",
            "org.joinmastodon.android",
        ),
    ),
    Network(
        "linkedin", "LinkedIn", "#0a66c2", PUBLIC, "https://www.linkedin.com/sharing/share-offsite/?",
        (("url", "url"),), hosts=("linkedin.com", "lnkd.in", "com.linkedin.android"),
        marks=("LinkedInApp",), click_parameters=("li_fat_id",),
    ),
    Network(
        "reddit", "Reddit", "#d93a00", PUBLIC, "https://www.reddit.com/submit?",
        (("url", "url"), ("title", "text")), limit=300, link_cost=0,
        hosts=("reddit.com", "redd.it", "com.reddit.frontpage"), marks=("Reddit/Version",),
        click_parameters=("rdt_cid",),
    ),
    Network("sms", "Text message", "#2e7d32", PRIVATE, "sms:?", (("body", "text_url"),), limit=480),
    Network("qr", "QR code", "#111827", DEVICE),
    Network(
        "instagram", "Instagram", "#c13584", PUBLIC,
        hosts=("instagram.com", "ig.me", "com.instagram.android"), marks=("Instagram",),
        click_parameters=("igshid", "igsh"),
    ),
    Network(
        "tiktok", "TikTok", "#161823", PUBLIC, hosts=("tiktok.com", "com.zhiliaoapp.musically"),
        marks=("musical_ly", "BytedanceWebview", "TikTok", "trill_"), click_parameters=("ttclid",),
    ),
    Network(
        "tumblr", "Tumblr", "#36465d", PUBLIC, "https://www.tumblr.com/widgets/share/tool?",
        (("canonicalUrl", "url"),), hosts=("tumblr.com", "com.tumblr"), marks=("Tumblr/",),
    ),
    Network(
        "messenger", "Messenger", "#7a2cf5", PRIVATE, hosts=("messenger.com", "m.me", "com.facebook.orca"),
        marks=("FBAN/Messenger", "FB_IAB/MESSENGER", "FB_IAB/Orca", "FBAN/Orca"),
    ),
    Network("signal", "Signal", "#2c5fd3", PRIVATE, hosts=("signal.org", "org.thoughtcrime.securesms")),
    Network("discord", "Discord", "#5865f2", PRIVATE, hosts=("discord.com", "discordapp.com", "discord.gg")),
    Network("slack", "Slack", "#4a154b", PRIVATE, hosts=("slack.com", "com.slack"), marks=("Slack_SSB/",)),
    Network(
        "snapchat", "Snapchat", "#8a7a00", PRIVATE, "https://www.snapchat.com/share?", (("link", "url"),),
        hosts=("snapchat.com", "com.snapchat.android"), marks=("Snapchat",), click_parameters=("ScCid",),
    ),
    Network(
        "line", "LINE", "#04843f", PRIVATE, "https://social-plugins.line.me/lineit/share?",
        (("url", "url"),), hosts=("line.me", "jp.naver.line.android"), marks=(" Line/",),
    ),
    Network(
        "viber", "Viber", "#665cac", PRIVATE, "viber://forward?", _TEXT_URL, limit=200,
        hosts=("viber.com", "com.viber.voip"), marks=(" Viber/",),
    ),
    Network(
        "teams", "Teams", "#5059c9", PRIVATE, "https://teams.microsoft.com/share?", (("href", "url"),),
        hosts=("teams.microsoft.com", "teams.live.com", "teams.cdn.office.net"), marks=(" Teams/",),
    ),
    Network(
        "vk", "VK", "#0068d6", PUBLIC, "https://vk.com/share.php?", (("url", "url"),),
        hosts=("vk.com", "vk.ru", "vkontakte.ru", "com.vkontakte.android"),
        marks=("VKAndroidApp", "VKiOSApp"),
    ),
    Network(
        "weibo", "Weibo", "#c9151e", PUBLIC, "https://service.weibo.com/share/share.php?",
        (("url", "url"), ("title", "text")), limit=140, link_cost=0,
        hosts=("weibo.com", "weibo.cn", "t.cn"), marks=("__weibo__", "Weibo ("),
    ),
    Network(
        "wechat", "WeChat", "#057a3c", PRIVATE, hosts=("wx.qq.com", "weixin.qq.com"),
        marks=("MicroMessenger/",),
    ),
    Network(
        "hackernews", "Hacker News", "#c04c00", PUBLIC, "https://news.ycombinator.com/submitlink?",
        (("u", "url"), ("t", "text")), limit=80, link_cost=0, hosts=("news.ycombinator.com",),
    ),
    Network(
        "youtube", "YouTube", "#c4001d", PUBLIC,
        hosts=("youtube.com", "youtu.be", "com.google.android.youtube"),
    ),
    # `fbclid` is appended by Facebook, Instagram and Messenger alike: it proves the house, not the room.
    Network("meta", "Meta", "#0064e0", PUBLIC, click_parameters=("fbclid",), shareable=False),
    Network("onsite", "On the site", "#6b7280", PUBLIC, shareable=False),
)
# fmt: on

META_FAMILY = frozenset({"facebook", "instagram", "messenger", "threads", "whatsapp"})

BY_ID: Mapping[str, Network] = {network.id: network for network in NETWORKS}
SHAREABLE: tuple[str, ...] = tuple(network.id for network in NETWORKS if network.shareable)
"""What `POST /v1/shares` accepts, in the order in which networks are offered where the merchant says nothing."""
ONSITE = "onsite"
"""The network of a like."""
