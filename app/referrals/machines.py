"""The machines that ask for links, by name: whose they are, and whether they make a preview. Data; pure.

Agents are those that each house documents, or that were seen in the wild. The first row that fits counts, so whoever
claims somebody else's name as well stands before them. Whoever is in no row is told as a machine by `bots`.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

OTHER = "other"
NOBODY = "none"
"""A machine that sends no agent at all."""
BROWSER = "browser"
"""Somebody's browser, where a page had it ask unseen."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Whose it is, by which its visits are counted, and parts of its agents (regular expressions, any case)."""

    name: str
    agents: tuple[str, ...]
    preview: bool = False


def _previews(name: str, *agents: str) -> Machine:
    return Machine(name, agents, preview=True)


# fmt: off
MACHINES: tuple[Machine, ...] = (
    # Apple's preview (iMessage) is a Safari with Meta's and X's tokens, and comes from the user's own address.
    _previews("apple", r"safari/[\d.]+ facebookexternalhit/[\d.]+ facebot twitterbot"),
    _previews("line", "line-poker"),
    _previews("kakaotalk", "kakaotalk-scrap"),
    _previews("telegram", "telegrambot"),  # "(like TwitterBot)"
    _previews("snapchat", "snap url preview", "snapurlpreview", "snapchat; https"),
    _previews("whatsapp", "^whatsapp/"),  # Signal's previews ask in this name too
    Machine("meta_ai", ("meta-externalagent", "meta-externalads", "meta-webindexer", "facebookbot/")),
    _previews("facebook", "facebookexternalhit", "facebot", "facebookcatalog", "meta-external(?:fetcher|hit)"),
    _previews("x", "twitterbot", "xbot-preview"),
    _previews("slack", "slackbot", "slack-imgproxy"),
    _previews("discord", "discordbot"),
    _previews("linkedin", "linkedinbot"),
    _previews("pinterest", r"pinterest(?:bot|/0\.)"),
    _previews("reddit", "redditbot"),
    _previews("tumblr", "^tumblr/"),
    _previews("vk", "vkshare"),
    _previews("viber", "viberurldownloader", "^viber"),
    _previews("bluesky", "cardyb", "^bluesky/", "^bluesky-"),
    _previews(
        "mastodon", "mastodon/", "pleroma", "akkoma", "misskey/", "^sharkey/", "^friendica ", "gotosocial/", "lemmy/",
        "pixelfed/", "^peertube/",
    ),
    _previews("matrix", "synapse[ /]", "^conduit", "^dendrite"),
    _previews("mattermost", "mattermost-bot", "^mattermost/", "rocket\\.chat"),
    _previews("zoom", "zoombot", "^zoom\\.us"),
    _previews("wechat", "wechatshare", "^micromessenger client"),
    _previews("microsoft", "skypeuripreview", "microsoftpreview", "teamsbot", "bingpreview"),
    _previews(
        "google_preview", "google-pagerenderer", "google-messages", "googlemessages", "google-chat", "googlechat",
    ),
    _previews("notion", "^notion", "notionembedder"),
    _previews("iframely", "iframely"),
    _previews("embedly", "embedly"),
    _previews(
        "link_preview", "bitlybot", "clickuplinkunfurler", "opengraph\\.io", "unfurl", "linkpreview", "link-preview",
        "steamchaturllookup", "fastmailua", "twilioproxy", "outbrain", "flipboardproxy", "trello", "asana/",
        "metascraper", "discourse (?:forum )?onebox", "^wordpress/", "^wordpress\\.com;", "embed\\.rocks",
    ),
    # Those who read for models and their assistants.
    Machine("openai", ("gptbot", "chatgpt-user", "oai-searchbot", "oai-adsbot")),
    Machine("anthropic", ("claudebot", "claude-user", "claude-searchbot", "claude-web", "anthropic-ai")),
    Machine("perplexity", ("perplexitybot", "perplexity-?user")),
    Machine("bytedance", ("bytespider", "tiktokspider", "bytedance\\.com")),
    Machine("mistral", ("mistralai-",)),
    Machine("cohere", ("cohere-",)),
    Machine("commoncrawl", ("ccbot/",)),
    Machine("amazon", ("amazonbot", "amzn-", "amazon-(?:bedrock|qbusiness|kendra|adbot)", "amazonbuyforme", "novaact")),
    Machine("diffbot", ("diffbot",)),
    Machine("agent", ("google-agent", "googleagent-", "manus-user", "devin/", "browser-use", "twinagent")),
    # Feedly says that it is like Google's reader.
    Machine("feed_reader", (
        "feedly", "inoreader", "newsblur", "theoldreader", "feedbin", "netnewswire", "tiny tiny rss", "freshrss",
        "miniflux", "feedparser", "feedburner", "superfeedr", "flipboardrss", "rss-parser", "rssapi", "rssowl",
        "openrss", "overcast/", "pocketcasts/",
    )),
    # Search.
    Machine("googlebot", (
        "googlebot", "google-inspectiontool", "googleother", "google-extended", "storebot-google", "adsbot-google",
        "mediapartners-google", "apis-google", "feedfetcher-google", "google-read-aloud", "google-site-verification",
        "google favicon", "google-cloudvertexbot", "gemini-deep-research", "google-notebooklm", "google-safety",
        "duplexweb-google", "googleproducer", "google-physicalweb", "^google",
    )),
    Machine("bingbot", ("bingbot", "adidxbot", "msnbot")),
    Machine("applebot", ("applebot",)),
    Machine("yandex", ("yandex\\w*bot", "yandex(?:images|metrika|favicons|webmaster)/")),
    Machine("baidu", ("baiduspider",)),
    Machine("duckduckgo", ("duckduckbot", "duckassistbot", "duckduckgo-favicons")),
    Machine("yahoo", ("yahoo! slurp", "yahoomailproxy", "yahoocachesystem")),
    Machine("naver", ("yeti/", "naverbot")),
    Machine("seznam", ("seznambot",)),
    Machine("petalbot", ("petalbot", "aspiegelbot")),
    Machine("sogou", ("sogou [a-z]* ?spider",)),
    Machine("internet_archive", ("archive\\.org_bot", "ia_archiver", "archive-it", "wayback")),
    # Those who measure the web, and those who watch over it.
    Machine("seo", (
        "ahrefs", "semrush", "mj12bot", "dotbot", "rogerbot", "dataforseo", "blexbot", "serpstat", "screaming frog",
        "seokicks", "siteaudit", "barkrowler", "sitebulb", "megaindex", "linkdex", "seobility",
    )),
    Machine("monitor", (
        "uptimerobot", "pingdom", "statuscake", "site24x7", "better uptime", "betterstack", "newrelicsynthetics",
        "newrelicpinger", "datadog", "checkly", "freshping", "hetrixtools", "uptime-kuma", "uptimebot", "updown\\.io",
        "catchpoint", "thousandeyes", "dotcom-monitor", "alertsite", "uptrends", "nagios", "check_http", "zabbix",
        "blackbox[ -]exporter", "monitis", "rigor\\)", "kube-probe", "googlestackdrivermonitoring", "route ?53",
        "elb-healthchecker", "cloudflare-(?:health|traffic)", "gtmetrix", "lighthouse", "pagespeed", "webpagetest",
        "ptst/", "silktide", "appinsights", "speedcurve",
    )),
    # Gateways that look at the links of a mail before, or while, somebody reads it.
    Machine("mail_scanner", (
        "googleimageproxy", "barracuda", "proofpoint", "mimecast", "microsoft office", "ms-office", "msoffice",
        "microsoft outlook", "safelinks", "symantec", "messagelabs", "cloudmark", "trendmicro", "trend micro",
        "sophos", "fortiguard", "fortinet", "zscaler", "palo ?alto", "ironport", "checkpoint", "avanan", "forcepoint",
        "fireeye", "mailguard", "spamhaus", "virustotal", "urlscan", "urlhaus", "phishtank", "netcraft",
        "safebrowsing", "cyren", "vade ?secure", "hornetsecurity", "expanse", "censys",
    )),
    Machine("headless", (
        "headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver", "cypress/", "splash version/",
        "slimerjs", "prerender", "htmlunit", "electron-fetch",
    )),
    Machine("script", (
        r"^curl", "libcurl", "^wget", "python[-/ ]", "^python", "requests/", "aiohttp", "httpx", "urllib", "scrapy",
        "go-http-client", "^go ", "okhttp", "apache-httpclient", "httpclient", "^java", "jakarta", "^axios",
        "node-fetch", "^node", "undici", "^got[ /]", "^ruby", "faraday", "http\\.rb", "^perl", "libwww", "lwp::",
        "^php", "guzzle", "symfony", "^dart", "^dalvik", "cfnetwork", "^rust", "reqwest", "^hyper", "postman",
        "^insomnia", "httpie", "^deno", "^bun/", "restsharp", "winhttp", "powershell", "^colly", "^k6/", "jmeter",
        "^ab/", "^wrk", "^vegeta", "^locust", "fasthttp", "typhoeus", "mechanize", "nutch", "lua-resty", "^r ",
        "http_request",
    )),
)
# fmt: on

NAMES = frozenset({OTHER, NOBODY, BROWSER, *(machine.name for machine in MACHINES)})
"""All that a machine may be called: few, so that counting by them stays small whatever agents come."""


@cache
def _fits() -> list[tuple[re.Pattern[str], Machine]]:
    """What their agents look like, prepared at the first question: start-up should not wait for it."""
    return [(re.compile("|".join(machine.agents), re.IGNORECASE), machine) for machine in MACHINES]


@lru_cache(maxsize=8192)
def known(user_agent: str) -> Machine | None:
    """The machine with this agent, where it is one that we know by name."""
    return next((machine for fits, machine in _fits() if fits.search(user_agent)), None)
