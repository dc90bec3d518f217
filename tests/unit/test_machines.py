"""Whose machine it is that asks; machines and browsers of today are told apart, on agents seen in the wild."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.referrals.bots import Asker, kind_of, machine_of
from app.referrals.machines import MACHINES, NAMES

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
BARE = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible;"
CHROME = "Chrome/142.0.0.0 Safari/537.36"

PREVIEWS = {
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0": "apple",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)": "facebook",
    "Mozilla/5.0 (compatible; Meta-ExternalHit/1.1; +http://www.facebook.com/externalhit_uatext.php)": "facebook",
    "meta-externalfetcher/1.1": "facebook",
    "facebookexternalhit/1.1;line-poker/1.0": "line",
    "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984": "kakaotalk",
    "WhatsApp/2.24.11.85 A": "whatsapp",
    "TelegramBot (like TwitterBot)": "telegram",
    "Twitterbot/1.0": "x",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)": "slack",
    "Slack-ImgProxy (+https://api.slack.com/robots)": "slack",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)": "discord",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)": "linkedin",
    "Mozilla/5.0 (compatible; Pinterestbot/1.0; +https://www.pinterest.com/bot.html)": "pinterest",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)": "reddit",
    "Tumblr/14.0.835.186": "tumblr",
    "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)": "vk",
    f"{WINDOWS} SkypeUriPreview Preview/0.5": "microsoft",
    "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)": "bluesky",
    "ViberUrlDownloader": "viber",
    "Mastodon/4.3.0 (http.rb/5.2.0; +https://piaille.fr/)": "mastodon",
    "gotosocial/0.19.2+git-90851fc (+https://social.example)": "mastodon",
    "Synapse (bot; +https://github.com/matrix-org/synapse)": "matrix",
    "Mozilla/5.0 (compatible; SnapURLPreview/1.0; +https://www.snapchat.com)": "snapchat",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots": "snapchat",
    "Notion/1.0 (https://notion.so; team@makenotion.com)": "notion",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)": "iframely",
    "Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)": "embedly",
    "WordPress/6.9; https://blog.example": "link_preview",
    "ClickUpLinkUnfurler/1.0 (+https://clickup.com)": "link_preview",
}
CRAWLERS = {
    "": "none",
    f"{BARE} GPTBot/1.2; +https://openai.com/gptbot)": "openai",
    f"{BARE} ChatGPT-User/1.0; +https://openai.com/bot": "openai",
    f"{MAC} {CHROME}; compatible; OAI-SearchBot/1.3; +https://openai.com/searchbot": "openai",
    f"{BARE} ClaudeBot/1.0; +claudebot@anthropic.com)": "anthropic",
    f"{BARE} Claude-User/1.0; +Claude-User@anthropic.com)": "anthropic",
    f"{BARE} PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)": "perplexity",
    f"{BARE} Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)": "perplexity",
    "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; "
    "Bytespider; spider-feedback@bytedance.com)": "bytedance",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)": "meta_ai",
    "CCBot/2.0 (https://commoncrawl.org/faq/)": "commoncrawl",
    f"{BARE} Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)": "amazon",
    f"{BARE} MistralAI-User/1.0; +https://docs.mistral.ai/robots)": "mistral",
    "cohere-ai": "cohere",
    f"{LINUX[:-1]}; compatible; Google-Agent)": "agent",
    f"{MAC} {CHROME}; Manus-User/1.0": "agent",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "googlebot",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    f"{CHROME} (compatible; GoogleOther)": "googlebot",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)": "bingbot",
    f"{MAC} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)": "applebot",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": "yandex",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)": "baidu",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)": "sogou",
    f"{LINUX} {CHROME} (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)": "petalbot",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)": "seo",
    f"{WINDOWS} {CHROME} (compatible; SemrushBot-SI/0.97; +http://www.semrush.com/bot.html)": "seo",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)": "monitor",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)": "monitor",
    f"{LINUX} {CHROME} (Checkly, https://www.checklyhq.com)": "monitor",
    f"{MAC} {CHROME} (ThousandEyes Agent)": "monitor",
    f"{WINDOWS} {CHROME} (Dotcom-Monitor)": "monitor",
    f"{LINUX} {CHROME} NewRelicSynthetics/1.0": "monitor",
    f"{LINUX} {CHROME} Chrome-Lighthouse": "monitor",
    "ELB-HealthChecker/2.0": "monitor",
    f"{MAC} {CHROME} Silktide": "monitor",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)": "mail_scanner",
    "Barracuda Sentinel (EE)": "mail_scanner",
    "Microsoft Office Existence Discovery": "mail_scanner",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; ms-office; MSOffice 16)": "mail_scanner",
    f"{MAC} {CHROME} Cloudmark/1.0": "mail_scanner",
    "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)": "feed_reader",
    "Mozilla/5.0 (compatible; inoreader.com; 3 subscribers)": "feed_reader",
    f"{LINUX} HeadlessChrome/142.0.0.0 Safari/537.36": "headless",
    f"{WINDOWS} {CHROME} Playwright/1.40.0": "headless",
    f"{WINDOWS} {CHROME}; Selenium": "headless",
    "curl/8.14.1": "script",
    "Wget/1.25.0": "script",
    "python-requests/2.32.3": "script",
    "Python/3.13 aiohttp/3.11.0": "script",
    "Scrapy/2.12.0 (+https://scrapy.org)": "script",
    "Go-http-client/2.0": "script",
    "okhttp/5.0.0": "script",
    "Apache-HttpClient/5.4 (Java/21)": "script",
    "axios/1.7.9": "script",
    "node": "script",
    "PostmanRuntime/7.43.0": "script",
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)": "script",
    "Mozilla/5.0": "other",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64)": "other",
    "Mozilla/5.0 (compatible; SomethingNew; +https://new.example)": "other",
    f"{MAC} {CHROME} (see www.research.example/why)": "other",
    f"{MAC} {CHROME} scanner@research.example": "other",
    "Hello World": "other",
    "'; DROP TABLE visits; --": "other",
}
PEOPLE = [
    f"{WINDOWS} {CHROME}",
    f"{WINDOWS} {CHROME} Edg/142.0.0.0",
    f"{WINDOWS} {CHROME} OPR/120.0.0.0",
    f"{WINDOWS} {CHROME} Vivaldi/7.5",
    f"{LINUX} Ubuntu Chromium/142.0.0.0 {CHROME}",
    f"{MAC} Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Goanna/6.7 Firefox/128.0 PaleMoon/33.3.1",
    "Opera/9.80 (Android; Opera Mini/36.2/191.283; U; en) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (Mobile; Nokia_2720_Flip; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.2.1",
    "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/4.0 "
    "Chrome/94.0.4606.31 TV Safari/537.36",
    "Mozilla/5.0 (Linux; Android 12; AFTKA) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.1 like Chrome/120.0 Safari",
    f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1",
    f"{IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15",
    f"{IPHONE} Version/18.1 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
    f"{IPHONE} Mobile/15E148 Ecosia ios@10.4.0.2380 (Ecosia ios@10.4.0.2380)",
    f"{IPHONE} Mobile/15E148 NAVER(inapp; search; 1010; 12.3.1)",
    f"{IPHONE} Mobile/15E148 baiduboxapp/13.60.0.10 (Baidu; P2 18.1)",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.54(0x18003630) NetType/4G Language/zh_CN",
    f"{ANDROID} {CHROME};KAKAOTALK 2610420 (INAPP)",
    f"{ANDROID} {CHROME} [FB_IAB/FB4A;FBAV/490.0.0.63.82;IABMV/1;]",
    f"{ANDROID} {CHROME} MetaIAB Facebook",
    f"{ANDROID} {CHROME} Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; CPH2557; en_US; 812345678)",
    f"{ANDROID} {CHROME} Flipboard/4.3.30/5505,4.3.30.5505",
    f"{ANDROID} {CHROME} YaApp_Android/24.90 YaSearchBrowser/24.90",
    f"{ANDROID} {CHROME} GSA/15.40.31.28.arm64",
    f"{ANDROID} {CHROME} TeamsMobile-Android",
    f"{ANDROID} {CHROME} trill_330304 JsSdk/1.0 NetType/WIFI AppName/trill app_version/33.3.4 BytedanceWebview/d8a21c6",
    f"{ANDROID} {CHROME} Perplexity/2.47",
    f"{WINDOWS} {CHROME} Avast/142.0",
    f"{WINDOWS} discord/1.0.9168 Chrome/124.0.6367.243 Electron/30.2.0 Safari/537.36",
    f"{WINDOWS} Code/1.115.0 Chrome/142.0.7444.265 Electron/39.8.5 Safari/537.36",
    f"{WINDOWS[:-1]}) Chrome/98.0.4758.102 Safari/537.36 SE 2.X MetaSr 1.0",
]


@pytest.mark.parametrize("agent", PREVIEWS)
def test_a_network_that_draws_a_card_is_known_by_name(agent: str) -> None:
    assert (Asker.PREVIEW, PREVIEWS[agent]) == (kind_of("GET", agent, {}), machine_of(agent))


@pytest.mark.parametrize("agent", CRAWLERS)
def test_whoever_reads_for_another_purpose_is_a_crawler_of_somebodys(agent: str) -> None:
    assert (Asker.CRAWLER, CRAWLERS[agent]) == (kind_of("GET", agent, {}), machine_of(agent))


@pytest.mark.parametrize("agent", PEOPLE)
def test_people_are_people_in_whatever_browser(agent: str) -> None:
    assert kind_of("GET", agent, {}) is Asker.PERSON


def test_no_agent_has_a_name_of_its_own() -> None:
    assert "none" == machine_of(None) == machine_of("  ")


@given(st.text(max_size=600))
def test_whatever_agent_comes_the_names_are_few(agent: str) -> None:
    assert machine_of(agent) in NAMES


def test_names_fit_where_they_are_counted_and_each_stands_once() -> None:
    assert max(map(len, NAMES)) <= 40
    assert len({machine.name for machine in MACHINES}) == len(MACHINES)


@pytest.mark.parametrize("word", ["a", "a-", "0123456789", "Mozilla"])
def test_a_word_without_an_end_is_no_browsers_and_costs_no_thought(word: str) -> None:
    assert kind_of("GET", f"{LINUX} {word * 500}", {}) is Asker.CRAWLER
    assert machine_of(f"{LINUX} {word * 500}") == "other"
