"""The stream of a wall: what happens is heard by whoever follows, and nothing is lost by being cut off."""

from collections.abc import Callable

import httpx
import pytest

from tests.conftest import AppServer
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.streams import Event, Stream, listening

SOON = 2.0
"""Seconds within which what happens is seen."""


@pytest.fixture
def wall(merchant: TestMerchant, product: str) -> JSON:
    return merchant.wall(product, str(merchant.product("Cup")["id"]))


@pytest.fixture
def address(app_server: AppServer, wall: JSON) -> str:
    return f"{app_server.url}/v1/walls/{wall['id']}/live"


def first(stream: Stream) -> Event:
    return stream.next("likes")


def test_the_first_event_tells_all_likes_and_cards(address: str, wall: JSON, ana: Shopper, product: str) -> None:
    ana.like(product)
    with listening(address) as stream:
        assert first(stream).data == {"likes": {product: 1}, "all": True, "shown": sorted(wall["products"])}
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"


def test_a_like_is_heard_and_so_is_its_end(address: str, ana: Shopper, merchant: TestMerchant, product: str) -> None:
    with listening(address) as one, listening(address) as other:
        assert {} == first(one).data["likes"] == first(other).data["likes"]
        liked = ana.like(product)
        for stream in (one, other):
            stream.count(product, 1, SOON)
        ok(merchant.public.delete(f"/v1/likes/{liked['id']}", headers=ana.headers))
        for stream in (one, other):
            stream.count(product, 0, SOON)


def test_a_like_of_another_wall_counts_here_too_and_what_is_not_shown_does_not(
    address: str, merchant: TestMerchant, product: str
) -> None:
    hidden = str(merchant.product("Hidden")["id"])
    elsewhere = merchant.wall(product)
    with listening(address) as stream:
        first(stream)
        merchant.shopper().like(hidden)
        merchant.shopper().like(product, wall=elsewhere["id"])
        assert stream.next(within=SOON).data == {"likes": {product: 1}}


def test_shares_are_told(address: str, wall: JSON, ana: Shopper, product: str) -> None:
    with listening(address) as stream:
        first(stream)
        ana.share(product, wall=wall["id"])
        assert stream.next("share", SOON).data == {"product": product, "wall": wall["id"]}
        ana.share(wall=wall["id"], network="x")
        assert stream.next("share", SOON).data == {"product": None, "wall": wall["id"]}


def test_cards_that_come_and_go_are_told(address: str, wall: JSON, merchant: TestMerchant, product: str) -> None:
    lamp = str(merchant.product("Lamp")["id"])
    with listening(address) as stream:
        first(stream)
        ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"products": [product, lamp]}))
        gone = next(each for each in wall["products"] if each != product)
        assert stream.next("cards", SOON).data == {"added": [lamp], "removed": [gone]}
        ok(merchant.http.delete(f"/v1/products/{lamp}"))
        assert stream.next("cards", SOON).data == {"added": [], "removed": [lamp]}
        merchant.shopper().like(product)
        stream.count(product, 1, SOON)


def test_what_a_rule_finds_is_told(app_server: AppServer, merchant: TestMerchant) -> None:
    wall = ok(merchant.http.post("/v1/walls", json={"title": "New", "products": {"tag": "new"}}))
    with listening(f"{app_server.url}/v1/walls/{wall['id']}/live") as stream:
        first(stream)
        lamp = merchant.product("Lamp", tags=["new"])["id"]
        assert stream.next("cards", SOON).data == {"added": [lamp], "removed": []}
        merchant.shopper().like(str(lamp))
        stream.count(str(lamp), 1, SOON)


def test_who_was_cut_off_hears_just_what_has_changed(
    address: str, merchant: TestMerchant, wall: JSON, product: str
) -> None:
    cup = next(each for each in wall["products"] if each != product)
    merchant.shopper().like(cup)
    with listening(address) as stream:
        first(stream)
        merchant.shopper().like(product)
        stream.count(product, 1)
        position = stream.last_id
    with listening(address) as witness:
        merchant.shopper().like(product)
        merchant.shopper().share(cup)
        witness.next("share")
        now = witness.last_id
    with listening(f"{address}?after=1", **{"Last-Event-ID": position}) as stream:
        assert first(stream).data == {"likes": {product: 2}}
        assert stream.next() == Event(now, "share", {"product": cup, "wall": None})
        merchant.shopper().like(cup)
        stream.count(cup, 2)
    with listening(f"{address}?after={now}") as stream:
        assert first(stream).data == {"likes": {cup: 2}}
        now = stream.last_id
    with listening(f"{address}?after={now}") as stream:
        assert first(stream) == Event(now, "likes", {"likes": {}})


def test_a_change_of_cards_that_was_missed_is_told_as_all_cards(
    address: str, merchant: TestMerchant, wall: JSON, product: str
) -> None:
    with listening(address) as stream:
        position = first(stream).id
    ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"products": [product]}))
    merchant.shopper().like(product)
    with listening(address) as stream:  # heard by somebody, so it has its place
        stream.count(product, 1)
    with listening(f"{address}?after={position}") as stream:
        assert stream.next("cards").data == {"added": [product], "removed": [], "all": True}


def test_a_position_that_never_was_begins_anew(address: str, wall: JSON, ana: Shopper, product: str) -> None:
    ana.like(product)
    for position in (
        "1",
        "1-",
        "1-0123456789ab",
        "999999999999999999-0123456789ab",
        "999999999999999999",
        "0x1",
        "-1",
        "",
        "9" * 500,
        "null",
    ):
        with listening(address, **{"Last-Event-ID": position}) as stream:
            assert first(stream).data == {"likes": {product: 1}, "all": True, "shown": sorted(wall["products"])}


def test_another_merchants_walls_hear_nothing(
    address: str, new_merchant: Callable[..., TestMerchant], merchant: TestMerchant, product: str
) -> None:
    other = new_merchant()
    lamp = str(other.product("Lamp")["id"])
    with listening(f"{other.base}/v1/walls/{other.wall(lamp)['id']}/live") as theirs, listening(address) as ours:
        first(theirs), first(ours)
        merchant.shopper().like(product)
        ours.count(product, 1)
        assert theirs.is_silent(0.6)


def test_a_wall_that_is_closed_ends_its_streams_and_begins_no_more(
    address: str, merchant: TestMerchant, wall: JSON, until_seen: Callable[[], None]
) -> None:
    with listening(address) as stream:
        first(stream)
        ok(merchant.http.delete(f"/v1/walls/{wall['id']}"))
        assert stream.ends(SOON)
    until_seen()
    assert 404 == merchant.public.get(address).status_code


@pytest.mark.parametrize("wall_id", ["wall_", "nothing", "wall_01jq2z00000000000000000000000z", "wall_" + "0" * 30])
def test_what_is_no_wall_has_no_stream(app_server: AppServer, merchant: TestMerchant, wall_id: str) -> None:
    assert 404 == merchant.public.get(f"{app_server.url}/v1/walls/{wall_id}/live").status_code


def test_only_listed_origins_may_follow(app_server: AppServer, new_merchant: Callable[..., TestMerchant]) -> None:
    merchant = new_merchant(allowed_origins=["https://blog.example"])
    address = f"{app_server.url}/v1/walls/{merchant.wall()['id']}/live"
    for origin, told in (("https://blog.example", "https://blog.example"), ("https://evil.example", None)):
        answer = httpx.head(address, headers={"Origin": origin}, verify=False)
        assert (200, told) == (answer.status_code, answer.headers.get("access-control-allow-origin"))
        with listening(address, Origin=origin) as stream:
            assert stream.headers.get("access-control-allow-origin") == told
            assert stream.headers["vary"] == "Origin"
