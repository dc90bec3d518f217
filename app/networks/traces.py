"""What each network leaves on those who come from it: referrers, in-app browsers, parameters. Pure.

Hosts follow Matomo's list of social networks (CC0) and are compared by whole labels; Android's apps send the name of
their package as the host of an `android-app:` referrer. A network is named by its id in the `catalogue`.
"""

from collections.abc import Mapping

Traces = Mapping[str, tuple[str, ...]]

# fmt: off
HOSTS: Traces = {
    "whatsapp": ("whatsapp.com", "wa.me", "wl.co", "com.whatsapp", "com.whatsapp.w4b"),
    "facebook": (
        "facebook.com", "fb.com", "fb.me", "fb.watch", "com.facebook.katana", "com.facebook.lite",
        "facebookwkhpilnemxj7asaniu7vnjjbiltxjqhye3mhbshg7kx5tfyd.onion",
    ),
    "x": ("x.com", "twitter.com", "t.co", "com.twitter.android", "com.twitter.android.lite"),
    "pinterest": (
        "pinterest.com", "pin.it", "pinterest.at", "pinterest.ca", "pinterest.ch", "pinterest.cl", "pinterest.co.kr",
        "pinterest.co.uk", "pinterest.com.au", "pinterest.com.mx", "pinterest.de", "pinterest.dk", "pinterest.es",
        "pinterest.fr", "pinterest.ie", "pinterest.info", "pinterest.it", "pinterest.jp", "pinterest.nz",
        "pinterest.ph", "pinterest.pt", "pinterest.se", "com.pinterest",
    ),
    "telegram": (
        "telegram.org", "telegram.me", "telegram.dog", "t.me", "org.telegram.messenger", "org.telegram.messenger.web",
        "org.thunderdog.challegram",
    ),
    "email": (
        "mail.google.com", "com.google.android.gm", "outlook.live.com", "outlook.office.com", "outlook.office365.com",
        "outlook.cloud.microsoft", "com.microsoft.office.outlook", "mail.yahoo.com", "mail.yahoo.co.jp",
        "com.yahoo.mobile.client.android.mail", "mail.aol.com", "mail.proton.me", "ch.protonmail.android",
        "app.tuta.com", "app.hey.com", "app.fastmail.com", "mail.zoho.com", "mail.zoho.eu", "webmail.gmx.net",
        "deref-gmx.net", "deref-gmx.com", "navigator.web.de", "deref-web.de", "deref-mail.com", "email.t-online.de",
        "mail.orange.fr", "webmail.free.fr", "zimbra.free.fr", "webmail.sfr.fr", "webmail.laposte.net",
        "mail.libero.it", "poczta.wp.pl", "poczta.onet.pl", "email.seznam.cz", "e.mail.ru", "touch.mail.ru",
        "mail.yandex.ru", "mail.yandex.com", "mail.qq.com", "mail.163.com", "mail.126.com", "mail.naver.com",
        "com.samsung.android.email.provider", "com.fsck.k9", "net.thunderbird.android",
    ),
    "bluesky": ("bsky.app", "bsky.social", "skyfeed.app", "xyz.blueskyweb.app"),
    "threads": ("threads.net", "threads.com", "com.instagram.barcelona"),
    # Only the larger ones and those of Matomo's list: anybody may run one, and most send no referrer at all.
    "mastodon": (
        "mastodon.social", "mastodon.online", "mastodon.world", "mastodon.cloud", "mastodon.xyz", "mastodon.at",
        "mastodon.art", "mastodon.scot", "mastodon.nz", "mastodon.eus", "mastodonapp.uk", "mstdn.social", "mstdn.party",
        "mstdn.jp", "mstdn.io", "mas.to", "masto.ai", "fosstodon.org", "hachyderm.io", "infosec.exchange", "pawoo.net",
        "piaille.fr", "mamot.fr", "framapiaf.org", "troet.cafe", "chaos.social", "techhub.social", "social.tchncs.de",
        "social.vivaldi.net", "norden.social", "c.im", "toot.community", "universeodon.com", "ohai.social",
        "newsie.social", "sfba.social", "indieweb.social", "vis.social", "typo.social", "front-end.social",
        "graphics.social", "joinmastodon.org", "org.joinmastodon.android",
    ),
    "linkedin": ("linkedin.com", "lnkd.in", "com.linkedin.android"),
    "reddit": ("reddit.com", "redd.it", "com.reddit.frontpage"),
    "sms": ("messages.google.com", "com.google.android.apps.messaging", "com.samsung.android.messaging"),
    "instagram": ("instagram.com", "ig.me", "com.instagram.android", "com.instagram.lite"),
    "tiktok": ("tiktok.com", "com.zhiliaoapp.musically", "com.ss.android.ugc.trill"),
    "tumblr": ("tumblr.com", "t.umblr.com", "com.tumblr"),
    "messenger": ("messenger.com", "m.me", "com.facebook.orca", "com.facebook.mlite"),
    "signal": ("signal.org", "signal.me", "signal.group", "org.thoughtcrime.securesms"),
    "discord": ("discord.com", "discordapp.com", "discord.gg", "com.discord"),
    "slack": ("slack.com", "com.slack"),
    "snapchat": ("snapchat.com", "com.snapchat.android"),
    "line": ("line.me", "lin.ee", "jp.naver.line.android"),
    "viber": ("viber.com", "com.viber.voip"),
    "teams": (
        "teams.microsoft.com", "teams.live.com", "teams.cloud.microsoft", "teams.cdn.office.net", "com.microsoft.teams",
    ),
    "vk": ("vk.com", "vk.ru", "vk.cc", "vkontakte.ru", "com.vkontakte.android"),
    "weibo": ("weibo.com", "weibo.cn", "t.cn", "com.sina.weibo"),
    "wechat": ("wechat.com", "wx.qq.com", "weixin.qq.com", "com.tencent.mm"),
    "hackernews": ("news.ycombinator.com",),
    "youtube": ("youtube.com", "youtu.be", "com.google.android.youtube"),
}
"""Hosts of referrers."""

MARKS: Traces = {
    "facebook": ("FBAN/", "FBAV/", "FB_IAB/", "[FB", "MetaIAB Facebook"),
    "x": ("Twitter for iPhone", "Twitter for iPad", "TwitterAndroid"),
    "pinterest": ("Pinterest",),
    "telegram": ("Telegram-Android/",),
    "bluesky": ("Bluesky/",),
    "threads": ("Barcelona ", "Threads"),
    "linkedin": ("LinkedInApp",),
    "reddit": ("Reddit/Version",),
    "instagram": ("Instagram",),
    "tiktok": ("musical_ly", "BytedanceWebview", "TikTok", "trill_"),
    "tumblr": ("Tumblr/",),
    "messenger": ("FBAN/Messenger", "FB_IAB/MESSENGER", "FB_IAB/Orca", "FBAN/Orca", "MetaIAB Messenger"),
    "slack": ("Slack_SSB/",),
    "snapchat": ("Snapchat",),
    "line": (" Line/",),
    "viber": (" Viber/",),
    "teams": (" Teams/", "TeamsMobile"),
    "vk": ("VKAndroidApp", "VKiOSApp"),
    "weibo": ("__weibo__", "Weibo ("),
    "wechat": ("MicroMessenger/",),
}
"""Parts of the agents of in-app browsers."""

CLICK_PARAMETERS: Traces = {
    "facebook": ("mibextid",),
    "x": ("twclid",),
    "pinterest": ("epik",),
    "email": ("mc_cid", "mc_eid", "_hsenc"),
    "linkedin": ("li_fat_id",),
    "reddit": ("rdt_cid",),
    "instagram": ("igshid", "igsh"),
    "tiktok": ("ttclid",),
    "snapchat": ("ScCid",),
    "meta": ("fbclid",),
}
"""Parameters that a network appends to the links that leave it."""

UTM_SOURCES: Traces = {
    "whatsapp": ("wa",),
    "facebook": ("fb",),
    "x": ("twitter",),
    "telegram": ("tg",),
    "email": ("e-mail", "mail", "newsletter"),
    "bluesky": ("bsky",),
    "instagram": ("ig",),
    "sms": ("text",),
    "hackernews": ("hacker_news", "hacker-news", "hn"),
    "youtube": ("yt",),
    "vk": ("vkontakte",),
}
"""What else people write as `utm_source` where they mean the network, beside its id and its hosts."""
# fmt: on

_BY_HOST = {host: network for network, hosts in HOSTS.items() for host in hosts}


def by_host(host: str) -> str | None:
    """The network to which a host belongs, by whole labels: `x.com` is neither `fedex.com` nor `x.com.evil.example`."""
    labels = host.lower().rstrip(".").split(".")
    return next((found for at in range(len(labels)) if (found := _BY_HOST.get(".".join(labels[at:])))), None)
