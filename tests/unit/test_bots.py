"""Who is a visitor and who is not, on agents that were seen in the wild."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.referrals.bots import Asker, is_machine, kind_of

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A.240505.004; wv) AppleWebKit/537.36 Chrome/126.0.0.0"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 12; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
BROWSER = f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36"

PREVIEWS = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1",
    "facebookcatalog/1.0",
    "meta-externalfetcher/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",  # iMessage, from the user's own address
    "Twitterbot/1.0",
    "WhatsApp/2.23.20.0",
    "WhatsApp/2.2411.2 W",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slackbot 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Pinterest/0.2 (+https://www.pinterest.com/bot.html)",
    "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
    "Tumblr/14.0.835.186",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) SkypeUriPreview Preview/0.5",
    "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
    "ViberUrlDownloader",
    "http.rb/5.1.1 (Mastodon/4.2.8; +https://mastodon.social/)",
    "Mastodon/4.3.0 (http.rb/5.2.0; +https://piaille.fr/)",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "facebookexternalhit/1.1;line-poker/1.0",
    "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984",
    "Synapse (bot; +https://github.com/matrix-org/synapse)",
]
CRAWLERS = [
    "",
    "   ",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    f"{MAC} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "python-httpx/0.28.1",
    "Python-urllib/3.11",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "axios/1.7.2",
    "Java/17.0.9",
    f"{LINUX} HeadlessChrome/126.0.0.0 Safari/537.36",
    "UptimeRobot/2.0; http://www.uptimerobot.com/",
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
]
PEOPLE = [
    BROWSER,
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 OPR/111.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    f"{MAC} Version/17.5 Safari/605.1.15",
    f"{IPHONE} Version/17.5 Mobile/15E148 Safari/604.1",
    f"{IPHONE} CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1",
    f"{IPHONE} GSA/321.0.642804631 Mobile/15E148 Safari/604.1",
    f"{ANDROID.format('K')} Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 "
    "Chrome/121.0.0.0 Mobile Safari/537.36",
    f"{ANDROID.format('CUBOT KINGKONG 7')} Safari/537.36",
    "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0",
    f"{IPHONE} Mobile/15E148 Instagram 336.0.0.20.90 (iPhone14,5; iOS 17_5; en_US; scale=3.00; 1170x2532)",
    f"{PIXEL} Mobile Safari/537.36 Instagram 336.0.0.35.90 Android (34/14; 420dpi)",
    f"{PIXEL} Mobile Safari/537.36 Barcelona 336.0.0.35.109 Android (34/14; 420dpi)",
    f"{IPHONE} Mobile/15E148 Threads/336.0",
    f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/468.0.0.34.109;FBBV/613117530;FBDV/iPhone14,5;FBLC/en_US]",
    f"{PIXEL} Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/468.0.0.53.86;]",
    f"{PIXEL} Mobile Safari/537.36 [FB_IAB/Orca-Android;FBAV/462.0.0.20.85;]",
    f"{IPHONE} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/462.0.0.32.106;FBDV/iPhone14,5]",
    f"{IPHONE} Mobile/15E148 Snapchat/12.95.0.35 (like Safari/8617.2.4.10.8, panda)",
    f"{PIXEL} Mobile Safari/537.36Snapchat12.95.0.42 (Pixel 8; Android 14#11860263)",
    f"{IPHONE} Mobile/15E148 [Pinterest/iOS]",
    f"{PIXEL} Mobile Safari/537.36 [Pinterest/Android]",
    f"{PIXEL} Mobile Safari/537.36 trill_2023505030 BytedanceWebview/d8a21c6",
    f"{IPHONE} Mobile/15E148 musical_ly_34.5.0 JsSdk/2.0 NetType/WIFI Channel/App Store",
    f"{IPHONE} Safari Line/14.9.0",
    f"{PIXEL} Mobile Safari/537.36 Line/14.9.0/IAB",
    f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.29.7513",
    f"{IPHONE} Mobile/15E148 Twitter for iPhone/10.44",
    f"{PIXEL} Mobile Safari/537.36 TwitterAndroid",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/en",
    f"{WINDOWS} Slack_SSB/4.38.125 Chrome/126.0.0.0 Electron/31.1.0 Safari/537.36",
    f"{WINDOWS} Chrome/126.0.0.0 Safari/537.36 Teams/24102.2223.2870.9480",
    f"{IPHONE} Mobile/15E148 Viber/22.7.0",
    f"{PIXEL} Mobile Safari/537.36 Telegram-Android/10.14.0",
]


@pytest.mark.parametrize("agent", PREVIEWS)
def test_a_link_preview_gets_the_card_and_is_no_visit(agent: str) -> None:
    assert kind_of("GET", agent, {}) is Asker.PREVIEW


@pytest.mark.parametrize("agent", CRAWLERS)
def test_a_crawler_is_no_visit(agent: str) -> None:
    assert kind_of("GET", agent, {}) is Asker.CRAWLER


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_browser_is_a_person_even_inside_an_app_that_lists_call_a_bot(agent: str) -> None:
    assert kind_of("GET", agent, {}) is Asker.PERSON


def test_nobody_who_names_no_agent_is_counted() -> None:
    assert kind_of("GET", None, {}) is Asker.CRAWLER


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"sec-purpose": "prefetch;anonymous-client-ip"},
        {"purpose": "prefetch"},
        {"x-purpose": "preview"},
        {"x-moz": "prefetch"},
        {"sec-purpose": "Prefetch", "range": "bytes=0-"},
    ],
)
def test_a_browser_that_looks_ahead_has_not_come_yet(headers: dict[str, str]) -> None:
    assert kind_of("GET", BROWSER, headers) is Asker.PREFETCH


@pytest.mark.parametrize(
    ("method", "headers"), [("HEAD", {}), ("GET", {"range": "bytes=0-32767"}), ("OPTIONS", {}), ("POST", {})]
)
def test_a_partial_request_with_a_browsers_agent_is_no_visit(method: str, headers: dict[str, str]) -> None:
    assert kind_of(method, BROWSER, headers) is Asker.PARTIAL


def test_slack_asks_with_a_range_and_still_gets_the_card() -> None:
    assert is_machine("GET", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", {"range": "bytes=0-32768"})


def test_an_ordinary_navigation_is_a_person_whatever_other_headers_say() -> None:
    assert not is_machine("GET", BROWSER, {"sec-fetch-mode": "navigate", "purpose": "", "x-moz": "other"})


def test_an_enormous_agent_is_judged_by_its_beginning() -> None:
    assert kind_of("GET", BROWSER + " a" * 500_000, {}) is Asker.PERSON
    assert kind_of("GET", "Googlebot/2.1" + "(" * 500_000, {}) is Asker.CRAWLER


def test_many_threads_may_ask_first_at_once() -> None:
    with ThreadPoolExecutor(8) as pool:
        kinds = set(pool.map(lambda number: kind_of("GET", f"Thing-{number % 7}-bot/1.0", {}), range(200)))
    assert kinds == {Asker.CRAWLER}


UNSEEN = [
    *(
        {"sec-fetch-dest": each}
        for each in ("image", "iframe", "frame", "script", "style", "object", "embed", "worker")
    ),
    *({"sec-fetch-dest": each, "sec-fetch-mode": "navigate"} for each in ("iframe", "frame", "object", "fencedframe")),
    *({"sec-fetch-dest": "empty", "sec-fetch-mode": each} for each in ("cors", "no-cors")),
    {"sec-fetch-dest": "what comes after us"},
]
FOLLOWED = [
    {"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"},
    {"sec-fetch-dest": "empty", "sec-fetch-mode": "navigate"},  # to be saved
    {"sec-fetch-dest": "empty", "sec-fetch-mode": "same-origin"},  # passed on by a worker of the same site
    {"sec-fetch-dest": ""},
    {"sec-fetch-mode": "no-cors"},
]


@pytest.mark.parametrize("headers", UNSEEN, ids=range(len(UNSEEN)))
def test_what_a_page_has_a_browser_ask_for_unseen_is_no_visit(headers: dict[str, str]) -> None:
    assert kind_of("GET", BROWSER, headers) is Asker.HIDDEN
    assert kind_of("GET", BROWSER, {**headers, "range": "bytes=0-"}) is Asker.PARTIAL
    assert kind_of("GET", BROWSER, {**headers, "sec-purpose": "prefetch"}) is Asker.PREFETCH
    assert kind_of("HEAD", BROWSER, headers) is Asker.PARTIAL
    assert kind_of("GET", "curl/8.5.0", headers) is Asker.CRAWLER
    assert not is_machine("GET", BROWSER, headers)  # it is somebody's browser, which may report what they see


@pytest.mark.parametrize("headers", FOLLOWED, ids=range(len(FOLLOWED)))
def test_who_follows_a_link_is_a_person_however_their_browser_says_so(headers: dict[str, str]) -> None:
    assert kind_of("GET", BROWSER, headers) is Asker.PERSON
