"""Which page an address means, and what is told of it to those who embed it."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from app.storefront.oembed.document import Described, Target, discovery, document, most, target_of
from tests.wordpress import SECRET, embedded

OWN = "https://wall.example"
CARD = f"{OWN}/cards/prod_1.png?v=1&lang=en"
MUG = Described(
    title="Mug",
    url=f"{OWN}/r/k3vQ9xTbZ",
    frame=f"{OWN}/embed/r/k3vQ9xTbZ",
    shop="Vine & Thread",
    width=480,
    height=640,
    author="Ana",
    caption="So nice",
    picture=(CARD, 1200, 630),
)
HOSTILE = "</blockquote><script>alert(1)</script>\"'<iframe src=javascript:alert(1)></iframe>\x00\u202e & more"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (f"{OWN}/r/k3vQ9xTbZ", Target("r", "k3vQ9xTbZ")),
        (f"{OWN}/p/prod_1", Target("products", "prod_1")),
        (f"{OWN}/w/wall_1", Target("walls", "wall_1")),
        (f"{OWN}/r/k3vQ9xTbZ/", Target("r", "k3vQ9xTbZ")),
        (f"{OWN}/r/k3vQ9xTbZ?utm_source=x&wall=wall_2#top", Target("r", "k3vQ9xTbZ")),
        (f"{OWN}/p/prod_1?a=b&wall=wall_1", Target("products", "prod_1", "wall_1")),
        (f"{OWN}/p/prod_1?wall=%22%3E%3Cscript%3E", Target("products", "prod_1")),
        ("http://wall.example/r/k3vQ9xTbZ", Target("r", "k3vQ9xTbZ")),
        ("HTTPS://Wall.EXAMPLE/r/k3vQ9xTbZ", Target("r", "k3vQ9xTbZ")),
        ("https://wall.example:443/r/k3vQ9xTbZ", Target("r", "k3vQ9xTbZ")),
        (quote(f"{OWN}/r/k3vQ9xTbZ", safe=""), Target("r", "k3vQ9xTbZ")),
        (f" {OWN}/r/k3vQ9xTbZ\n", Target("r", "k3vQ9xTbZ")),
        (f"{OWN}/embed/r/k3vQ9xTbZ", None),
        (f"{OWN}/w/wall_1/feed.json", None),
        (f"{OWN}/r/k3vQ9xTbZ.svg", None),
        (f"{OWN}/r/", None),
        (f"{OWN}//r/k3vQ9xTbZ", None),
        (f"{OWN}/r/../p/prod_1", None),
        (f"{OWN}/", None),
        (f"{OWN}/R/k3vQ9xTbZ", None),
        (f"{OWN}/p/{'a' * 65}", None),
        ("https://wall.example:8443/r/k3vQ9xTbZ", None),
        ("https://wall.example.evil.example/r/k3vQ9xTbZ", None),
        ("https://evil.example/https://wall.example/r/k3vQ9xTbZ", None),
        ("https://ana@wall.example/r/k3vQ9xTbZ", None),
        ("ftp://wall.example/r/k3vQ9xTbZ", None),
        ("javascript:alert(1)", None),
        ("//wall.example/r/k3vQ9xTbZ", None),
        ("wall.example/r/k3vQ9xTbZ", None),
        ("http://[broken", None),
        ("https%3A%2F%2F[broken", None),
        ("", None),
        (f"{OWN}/p/" + "prod_1/" * 10_000, None),
    ],
)
def test_only_our_pages_are_meant_however_their_address_is_written(url: str, target: Target | None) -> None:
    assert target == target_of(url, OWN)


def test_a_server_with_a_port_is_known_by_it() -> None:
    assert Target("r", "k3vQ9xTbZ") == target_of("http://localhost:8000/r/k3vQ9xTbZ", "http://localhost:8000")
    assert target_of("http://localhost/r/k3vQ9xTbZ", "http://localhost:8000") is None


def test_a_product_keeps_the_wall_on_which_it_was_met() -> None:
    assert "/embed/products/prod_1?wall=wall_1" == Target("products", "prod_1", "wall_1").path
    assert "/embed/r/k3vQ9xTbZ" == Target("r", "k3vQ9xTbZ").path


def test_everything_is_told_of_what_a_friend_passed_on() -> None:
    assert {
        "version": "1.0",
        "type": "rich",
        "title": "Mug",
        "author_name": "Ana",
        "provider_name": "Vine & Thread",
        "provider_url": OWN,
        "cache_age": 3600,
        "width": 480,
        "height": 640,
        "html": f'<blockquote>So nice <a href="{OWN}/r/k3vQ9xTbZ">Mug</a></blockquote>'
        f'<iframe src="{OWN}/embed/r/k3vQ9xTbZ" width="480" height="640" title="Mug" frameborder="0" marginwidth="0"'
        ' marginheight="0"></iframe>',
        "thumbnail_url": CARD,
        "thumbnail_width": 1200,
        "thumbnail_height": 630,
    } == document(MUG, OWN, None, None)


def test_what_is_not_known_is_left_out() -> None:
    told = document(replace(MUG, author=None, caption=None, picture=None), OWN, None, None)
    assert {"author_name", "thumbnail_url", "thumbnail_width", "thumbnail_height"}.isdisjoint(told)
    assert None not in told.values()


@pytest.mark.parametrize(
    ("widest", "highest", "size", "picture"),
    [
        (None, None, (480, 640), True),
        (1200, 630, (480, 630), True),
        (2000, 2000, (480, 640), True),
        (1199, None, (480, 640), False),
        (None, 629, (480, 629), False),
        (320, 200, (320, 200), False),
        (1, 1, (1, 1), False),
    ],
)
def test_nothing_is_larger_than_allowed(
    widest: int | None, highest: int | None, size: tuple[int, int], picture: bool
) -> None:
    told = document(MUG, OWN, widest, highest)
    assert size == (told["width"], told["height"])
    assert f'width="{size[0]}" height="{size[1]}"' in str(told["html"])
    assert picture == ("thumbnail_url" in told)


@pytest.mark.parametrize(
    ("text", "number"),
    [("600", 600), ("0", None), ("-5", None), ("6e2", None), ("", None), (None, None), ("²", None), ("9" * 5000, None)],
)
def test_a_limit_that_is_no_number_limits_nothing(text: str | None, number: int | None) -> None:
    assert number == most(text)


def test_wordpress_keeps_the_link_and_the_frame() -> None:
    assert (
        f'<blockquote class="wp-embedded-content" data-secret="{SECRET}">So nice <a href="{OWN}/r/k3vQ9xTbZ">Mug</a>'
        '</blockquote><iframe class="wp-embedded-content" sandbox="allow-scripts" security="restricted"'
        f' style="position: absolute; visibility: hidden;" src="{OWN}/embed/r/k3vQ9xTbZ#?secret={SECRET}"'
        f' data-secret="{SECRET}" width="480" height="640" title="Mug" frameborder="0" marginwidth="0"'
        ' marginheight="0"></iframe>'
    ) == embedded(str(document(MUG, OWN, None, None)["html"]))


def test_hostile_words_stay_words_and_there_is_one_frame() -> None:
    told = document(replace(MUG, title=HOSTILE, caption=HOSTILE, author=HOSTILE), OWN, None, None)
    html = str(told["html"])
    assert "<script" not in html
    assert 1 == html.count("<iframe")
    assert "\x00" not in f"{told}"
    assert "\u202e" not in f"{told}"
    kept = embedded(html) or ""
    assert 1 == kept.count("<iframe")
    assert f'src="{OWN}/embed/r/k3vQ9xTbZ#?secret={SECRET}"' in kept


def test_pages_say_where_their_description_is() -> None:
    (link,) = discovery(OWN, f"{OWN}/p/prod_1?wall=wall_1")
    assert link["href"] == f"{OWN}/oembed?url=https%3A%2F%2Fwall.example%2Fp%2Fprod_1%3Fwall%3Dwall_1&format=json"
    assert ("alternate", "application/json+oembed") == (link["rel"], link["type"])
