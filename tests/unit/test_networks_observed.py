"""From where somebody was seen to come, and what the merchant's statistics are told of it."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.networks.catalogue import BY_ID, NETWORKS, SHAREABLE
from app.networks.observed import seen_from
from app.networks.traces import CLICK_PARAMETERS, HOSTS, MARKS, UTM_SOURCES
from app.networks.utm import with_utm

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 "


@pytest.mark.parametrize(
    ("referer", "network"),
    [
        ("https://www.facebook.com/", "facebook"),
        ("https://l.facebook.com/l.php?u=x", "facebook"),
        ("https://lm.facebook.com/", "facebook"),
        ("https://l.instagram.com/", "instagram"),
        ("https://t.co/abc", "x"),
        ("https://X.COM:443/someone", "x"),
        ("https://x.com./", "x"),
        ("https://fedex.com/", None),
        ("https://x.com.evil.example/", None),
        ("https://notreddit.com/", None),
        ("https://out.reddit.com/t3_1", "reddit"),
        ("https://away.vk.com/", "vk"),
        ("https://mail.google.com/", "email"),
        ("https://www.google.com/", None),
        ("https://piaille.fr/@ana/1", "mastodon"),
        ("https://news.ycombinator.com/item?id=1", "hackernews"),
        ("https://ana.tumblr.com/", "tumblr"),
        ("https://teams.microsoft.com/", "teams"),
        ("https://www.microsoft.com/", None),
        ("android-app://org.telegram.messenger/", "telegram"),
        ("android-app://com.google.android.gm", "email"),
        ("http://[broken", None),
        ("x.com", None),
        ("", None),
        ("https://x.com/" + "a" * 1_000_000, "x"),
        ("https://t.umblr.com/redirect?z=1", "tumblr"),
        ("https://go.bsky.app/redirect?u=1", "bluesky"),
        ("https://l.threads.com/", "threads"),
        ("https://e.mail.ru/inbox", "email"),
        ("https://my.mail.ru/", None),  # another social network
        ("https://deref-gmx.net/mail/client/x", "email"),
        ("https://mp.weixin.qq.com/s/1", "wechat"),
        ("android-app://com.Slack/", "slack"),
        ("android-app://com.google.android.apps.messaging/", "sms"),
        ("https://pinterest.co.uk/", "pinterest"),
        ("https://co.uk/", None),
        ("https://" + "a." * 1000 + "x.com/", "x"),
    ],
)
def test_a_referrer_is_read_by_whole_labels(referer: str, network: str | None) -> None:
    assert seen_from(referer, None, {}) == network


@pytest.mark.parametrize(
    ("agent", "network"),
    [
        ("Instagram 336.0.0.20.90 (iPhone14,5)", "instagram"),
        ("Barcelona 336.0.0", "threads"),
        ("[FBAN/FBIOS;FBAV/468.0.0.34.109]", "facebook"),
        ("[FB_IAB/Orca-Android;FBAV/462.0.0.20.85;]", "messenger"),
        ("[FBAN/MessengerForiOS;FBAV/462.0.0.32.106]", "messenger"),
        ("Snapchat/12.95.0.35 (like Safari)", "snapchat"),
        ("[Pinterest/iOS]", "pinterest"),
        ("musical_ly_34.5.0 BytedanceWebview/d8a21c6", "tiktok"),
        ("Safari Line/14.9.0", "line"),
        ("[LinkedInApp]/9.29", "linkedin"),
        ("MetaIAB Facebook", "facebook"),
        ("TeamsMobile-iOS", "teams"),
        ("Safari/604.1 Online/1", None),
        ("Version/17.5 Safari/604.1", None),
    ],
)
def test_an_in_app_browser_shows_its_network(agent: str, network: str | None) -> None:
    assert seen_from(None, IPHONE + agent, {}) == network


def test_the_referrer_is_believed_before_the_app_around_it() -> None:
    assert seen_from("https://www.reddit.com/", IPHONE + "[FBAN/FBIOS]", {}) == "reddit"


def test_inside_metas_house_the_app_is_more_exact_than_the_referrer() -> None:
    assert seen_from("https://l.facebook.com/", IPHONE + "[FBAN/MessengerForiOS]", {}) == "messenger"


def test_fbclid_means_meta_and_not_facebook() -> None:
    assert seen_from(None, None, {"fbclid": "IwAR0"}) == "meta"
    assert seen_from(None, None, {"fbclid": "IwAR0"}, shared_to="copy") == "meta"
    assert seen_from(None, None, {"fbclid": "IwAR0"}, shared_to="instagram") is None
    assert seen_from(None, None, {"fbclid": ""}) is None
    assert seen_from(None, None, {"igsh": "1", "fbclid": "2"}) == "instagram"


@pytest.mark.parametrize(
    ("query", "network"),
    [
        ({"utm_source": "whatsapp", "utm_medium": "social", "utm_campaign": "grapevine"}, "whatsapp"),
        ({"utm_source": "Twitter"}, "x"),
        ({"utm_source": " ig "}, "instagram"),
        ({"utm_source": "l.facebook.com"}, "facebook"),
        ({"utm_source": "fedex.com"}, None),
        ({"utm_source": "autumn-letter", "utm_medium": "email"}, "email"),
        ({"utm_source": "autumn-letter", "utm_medium": "social"}, None),
        ({"utm_source": "qr"}, "qr"),
        ({"utm_source": "copy"}, None),
        ({"utm_source": "onsite"}, None),
        ({"utm_source": "shop.text"}, None),
        ({"utm_source": ""}, None),
        ({"utm_source": "x" * 1_000_000}, None),
        ({"mc_cid": "1", "mc_eid": "2"}, "email"),
        ({"utm_source": "facebook", "twclid": "1"}, "x"),
        ({"utm_source": "instagram", "fbclid": "1"}, "instagram"),
        ({"utm_source": "reddit", "fbclid": "1"}, "meta"),
    ],
)
def test_what_a_link_says_of_its_way_is_believed_last(query: dict[str, str], network: str | None) -> None:
    assert network == seen_from(None, None, query)
    assert seen_from("https://www.reddit.com/", None, query) == "reddit"
    assert seen_from(None, IPHONE + "Snapchat/12", query) == "snapchat"


def test_inside_metas_house_utm_is_more_exact_than_fbclid_and_neither_contradicts_what_was_declared() -> None:
    assert seen_from(None, None, {"utm_source": "newsletter-7", "fbclid": "1"}, shared_to="whatsapp") is None
    assert seen_from(None, None, {"utm_source": "instagram", "fbclid": "1"}, shared_to="whatsapp") == "instagram"


@pytest.mark.parametrize(
    ("network", "medium"),
    [
        ("whatsapp", "social"),
        ("x", "social"),
        ("discord", "social"),
        ("meta", "social"),
        ("email", "email"),
        ("sms", "sms"),
        ("qr", "qr"),
        ("copy", "referral"),
        ("device", "referral"),
        ("onsite", "referral"),
    ],
)
def test_statistics_are_told_the_network_and_its_channel(network: str, medium: str) -> None:
    tags = f"utm_source={network}&utm_medium={medium}&utm_campaign=grapevine"
    assert f"https://shop.example/mug?{tags}" == with_utm("https://shop.example/mug", network)
    assert f"https://shop.example/mug?a=1&b&{tags}#photos" == with_utm(
        "https://shop.example/mug?a=1&&b#photos", network
    )


@pytest.mark.parametrize("own", ["utm_source=mine", "a=1&utm_campaign=autumn", "UTM_Medium=cpc", "utm_id="])
def test_an_address_with_utm_of_its_own_is_left_as_it_is(own: str) -> None:
    assert f"https://shop.example/mug?{own}#x" == with_utm(f"https://shop.example/mug?{own}#x", "x")


def test_what_we_put_on_is_what_we_read() -> None:
    for network in set(SHAREABLE) - {"copy", "device"}:
        query = dict(parse_qsl(urlsplit(with_utm("https://shop.example/", network)).query))
        assert network == seen_from(None, None, query)


def test_traces_are_of_networks_that_there_are_and_each_leads_to_one() -> None:
    for table in (HOSTS, MARKS, CLICK_PARAMETERS, UTM_SOURCES):
        assert set(table) <= set(BY_ID)
        entries = [entry for entries in table.values() for entry in entries]
        assert len(entries) == len(set(entries))
    assert all(host == host.lower() and "." in host for hosts in HOSTS.values() for host in hosts)


def test_whatever_was_seen_is_a_network_of_the_catalogue() -> None:
    assert len(BY_ID) == len(NETWORKS)
    assert "FACEBOOK" not in BY_ID


@given(st.text(max_size=200), st.text(max_size=200))
def test_hostile_headers_are_only_strings(referer: str, agent: str) -> None:
    found = seen_from(referer, agent, {referer: agent})
    assert found is None or found in BY_ID
