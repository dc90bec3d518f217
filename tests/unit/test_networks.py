"""Where one may share, and by which address."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.networks.catalogue import NETWORKS, ONSITE, SHAREABLE, Kind
from app.networks.intents import intent_url
from app.networks.wording import fit, graphemes, length, plain, weight_on_x

URL = "https://shop.example/r/a1B2c3D4?x=1&y=é"
WITH_INTENT = [network.id for network in NETWORKS if network.intent]

ADDRESSES = {
    "facebook": "https://www.facebook.com/sharer/sharer.php?u={u}",
    "x": "https://x.com/intent/post?text={t}&url={u}",
    "threads": "https://www.threads.net/intent/post?text={t}&url={u}",
    "bluesky": "https://bsky.app/intent/compose?text={t}%20{u}",
    "mastodon": "https://share.joinmastodon.org/#text={t}%20{u}",
    "linkedin": "https://www.linkedin.com/sharing/share-offsite/?url={u}",
    "whatsapp": "https://wa.me/?text={t}%20{u}",
    "telegram": "https://t.me/share/url?url={u}&text={t}",
    "pinterest": "https://www.pinterest.com/pin/create/button/?url={u}&media={m}&description={t}",
    "reddit": "https://www.reddit.com/submit?url={u}&title={t}",
    "tumblr": "https://www.tumblr.com/widgets/share/tool?canonicalUrl={u}",
    "vk": "https://vk.com/share.php?url={u}",
    "line": "https://social-plugins.line.me/lineit/share?url={u}",
    "weibo": "https://service.weibo.com/share/share.php?url={u}&title={t}",
    "hackernews": "https://news.ycombinator.com/submitlink?u={u}&t={t}",
    "snapchat": "https://www.snapchat.com/share?link={u}",
    "viber": "viber://forward?text={t}%20{u}",
    "teams": "https://teams.microsoft.com/share?href={u}",
    "email": "mailto:?subject=Bowl&body={t}%0D%0A%0D%0A{u}",
    "sms": "sms:?body={t}%20{u}",
}


@pytest.mark.parametrize("network", ADDRESSES)
def test_each_network_gets_its_own_address_percent_encoded(network: str) -> None:
    encoded = {
        "u": "https%3A%2F%2Fshop.example%2Fr%2Fa1B2c3D4%3Fx%3D1%26y%3D%C3%A9",
        "t": "Tea%20%26%20bread%20%2B%201",
        "m": "https%3A%2F%2Fshop.example%2Fbowl.png",
    }
    expected = ADDRESSES[network].format(**encoded)
    assert expected == intent_url(network, URL, "Tea & bread + 1", "https://shop.example/bowl.png", "Bowl")


def test_every_network_with_an_address_is_in_that_table() -> None:
    assert set(WITH_INTENT) == set(ADDRESSES)


@pytest.mark.parametrize("network", ["copy", "qr", "device", "onsite", "instagram", "tiktok", "nowhere", ""])
def test_where_there_is_no_web_address_there_is_none(network: str) -> None:
    assert intent_url(network, URL, "Tea") is None


def test_what_is_not_given_leaves_no_empty_parameter() -> None:
    assert "media" not in (intent_url("pinterest", URL, "Tea") or "")
    assert (intent_url("whatsapp", "https://a.example/", "") or "").endswith("?text=https%3A%2F%2Fa.example%2F")


def test_a_caption_cannot_add_headers_to_a_mail() -> None:
    url = intent_url("email", URL, "Hi\r\nBcc: all@example.com\x00", title="Tea\r\nBcc: all@example.com") or ""
    assert "subject=Tea%20Bcc%3A%20all%40example.com&body=Hi%0D%0ABcc" in url
    assert "%00" not in url
    assert url.count("&") == 1


def test_x_takes_280_of_which_a_link_is_23() -> None:
    exactly, over = "a" * 256, "a" * 257
    assert _text("x", exactly) == exactly
    assert _text("x", over) == "a" * 254 + "…"
    assert weight_on_x("日") == weight_on_x("👩‍👩‍👧‍👦") == 2


def test_bluesky_takes_300_graphemes_with_the_link() -> None:
    family = "👩‍👩‍👧‍👦"
    text = _text("bluesky", family * 400)
    assert text.endswith("… " + URL)
    assert length(text) <= 300
    assert text.startswith(family * 200)


def test_a_text_is_cut_at_a_word_and_a_link_never() -> None:
    long_url = "https://shop.example/r/" + "x" * 500
    assert _text("bluesky", "some words", long_url) == long_url
    assert _text("hackernews", "word " * 40).endswith("word…")


@pytest.mark.parametrize("network", WITH_INTENT)
@given(text=st.text(max_size=700), title=st.none() | st.text(max_size=300))
def test_any_caption_makes_an_address_of_plain_ascii_that_keeps_the_link(
    network: str, text: str, title: str | None
) -> None:
    url = intent_url(network, URL, text, title=title)
    assert url is not None
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert "+" not in url
    assert URL in unquote(url)


@given(st.text(max_size=400), st.integers(min_value=0, max_value=300))
def test_what_is_cut_always_fits(text: str, room: int) -> None:
    assert length(fit(plain(text), room)) <= room
    assert length(fit(plain(text), room, weight_on_x), weight_on_x) <= room


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("é", 1),
        ("e\u0301", 1),
        ("🇫🇷🇬🇧", 2),
        ("👍🏽", 1),
        ("👩‍🚀!", 2),
        ("한국", 2),
        ("\u1112\u1161\u11ab", 1),
        ("\r\n", 1),
    ],
)
def test_graphemes_are_what_a_reader_would_count(text: str, count: int) -> None:
    assert len(list(graphemes(text))) == count


def test_a_letter_under_a_thousand_accents_stays_short() -> None:
    assert len("".join(graphemes("Z" + "\u0300" * 10_000))) < 20


def test_where_no_web_address_is_offered_people_copy_or_hand_over() -> None:
    without = {network.id for network in NETWORKS if network.shareable and not network.intent}
    assert {"instagram", "tiktok", "signal", "discord", "messenger", "slack", "wechat", "youtube"} == without - {
        "copy",
        "qr",
        "device",
    }


def test_one_shares_anywhere_but_in_the_place_itself() -> None:
    assert ONSITE not in SHAREABLE
    assert "meta" not in SHAREABLE
    assert {"whatsapp", "copy", "qr", "device", "instagram", "email"} < set(SHAREABLE)


def test_chosen_people_are_a_private_matter() -> None:
    private = {network.id for network in NETWORKS if network.kind is Kind.PRIVATE}
    assert {"whatsapp", "telegram", "email", "sms", "signal", "messenger", "line", "viber", "teams"} < private
    assert not private & {"facebook", "x", "mastodon", "pinterest"}


def _text(network: str, text: str, url: str = URL) -> str:
    address = intent_url(network, url, text) or ""
    parts = urlsplit(address)
    values = dict(parse_qsl(parts.query or parts.fragment))
    return values.get("text") or values["t"]
