"""Likes and shares over HTTP: once each, taken back only by their own visitor, with the parent that is due."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.kernel.ids import is_code, new_id
from app.referrals.parents import WINDOW
from tests.clock import START, TestClock
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]


@pytest.fixture
def mug(merchant: TestMerchant) -> str:
    return str(merchant.product("Mug", images=["https://cdn.example/mug.jpg"])["id"])


def post(shopper: Shopper, path: str, body: JSON) -> tuple[int, JSON]:
    answer = shopper.http.post(path, json=body, headers=shopper.headers)
    return answer.status_code, answer.json()


def test_a_like_is_a_referral_with_a_link_of_its_own(merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    like = ana.like(mug)
    assert like["id"].startswith("ref_")
    assert (True, 1) == (like["liked"], like["likes"])
    assert is_code(like["code"])
    assert f"{merchant.base}/r/{like['code']}" == like["url"]
    assert like["visitor"].startswith("vt_vis_")


def test_the_same_like_again_is_the_one_that_stands(merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    first = ana.like(mug)
    status, again = post(ana, "/v1/likes", {"product": mug})
    assert status == 200
    assert {**first, "visitor": None} == again


def test_likes_count_people(merchant: TestMerchant, mug: str) -> None:
    wall = merchant.wall(mug)["id"]
    ana, bo = merchant.shopper(), merchant.shopper()
    assert [1, 1, 2] == [ana.like(mug)["likes"], ana.like(mug, wall=wall)["likes"], bo.like(mug)["likes"]]


def test_a_like_can_be_taken_back_and_given_again(merchant: TestMerchant, mug: str) -> None:
    ana, bo = merchant.shopper(), merchant.shopper()
    like = ana.like(mug)
    bo.like(mug)
    path = f"/v1/likes/{like['id']}"
    for _ in range(2):  # taking back twice is taking back
        gone = ok(ana.http.delete(path, headers=ana.headers), 200)
        assert (False, 1, like["code"]) == (gone["liked"], gone["likes"], gone["code"])
    assert 410 == ana.http.get(f"/r/{like['code']}").status_code

    status, again = post(ana, "/v1/likes", {"product": mug})
    assert (201, 2) == (status, again["likes"])
    assert again["code"] != like["code"]


def test_only_its_own_visitor_takes_a_like_back(merchant: TestMerchant, mug: str, new_merchant: NewMerchant) -> None:
    ana, bo, nobody = merchant.shopper(), merchant.shopper(), merchant.shopper()
    like, share = ana.like(mug), ana.share(mug)
    bo.like(mug)
    stranger = new_merchant()
    cy = stranger.shopper()
    cy.like(stranger.product()["id"])
    path = f"/v1/likes/{like['id']}"
    forged = {"Grapevine-Visitor": f"vt_{ana.id}.{'A' * 22}"}
    refused = [
        *(nobody.http.delete(path, headers=headers) for headers in (nobody.headers, bo.headers, cy.headers, forged)),
        ana.http.delete(f"/v1/likes/{share['id']}", headers=ana.headers),
        ana.http.delete(f"/v1/likes/{new_id('ref', 1, START)}", headers=ana.headers),
        ana.http.delete("/v1/likes/ref_", headers=ana.headers),
    ]
    assert [404] * 7 == [each.status_code for each in refused]
    assert 1 == len({each.content for each in refused})
    assert 2 == ana.like(mug)["likes"]


def test_each_network_has_a_link_of_its_own(merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    shares = {network: ana.share(mug, network) for network in ("whatsapp", "x", "copy", "email", "qr")}
    assert 5 == len({share["code"] for share in shares.values()})
    assert list(shares) == [share["network"] for share in shares.values()]
    assert shares["whatsapp"]["intent_url"].startswith("https://wa.me/?text=")
    assert shares["copy"]["intent_url"] is None
    status, again = post(ana, "/v1/shares", {"product": mug, "network": "x"})
    assert (200, shares["x"]["code"]) == (status, again["code"])


def test_a_wall_can_be_shared_by_itself_and_a_product_on_it(merchant: TestMerchant, mug: str) -> None:
    wall = merchant.wall(mug)["id"]
    ana = merchant.shopper()
    codes = {ana.share(mug)["code"], ana.share(wall=wall)["code"], ana.share(mug, wall=wall)["code"]}
    assert 3 == len(codes)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"network": "x"}, "/product"),
        ({"product": "mug", "network": "x"}, "/product"),
        ({"wall": "wall_", "network": "x"}, "/wall"),
        ({"product": "{mug}", "network": "myspace"}, "/network"),
        ({"product": "{mug}", "network": "onsite"}, "/network"),
        ({"product": "{mug}"}, "/network"),
        ({"product": "{mug}", "network": "x", "wall": "{mug}"}, "/wall"),
        ({"product": "{mug}0", "network": "x"}, "/product"),
        ({"product": "{mug}", "network": "x", "caption": "x" * 501}, "/caption"),
        ({"product": "{mug}", "network": "x", "name": "x\x00"}, "/name"),
        ({"product": "{mug}", "network": "x", "parent": "ref_1"}, "/parent"),
    ],
)
def test_what_cannot_be_shared_is_refused(merchant: TestMerchant, mug: str, body: JSON, pointer: str) -> None:
    filled = {name: value.replace("{mug}", mug) for name, value in body.items()}
    status, problem = post(merchant.shopper(), "/v1/shares", filled)
    assert (422, [pointer]) == (status, [error["pointer"] for error in problem["errors"]])


def test_a_withdrawn_product_or_wall_is_neither_liked_nor_shared(merchant: TestMerchant, mug: str) -> None:
    wall = merchant.wall(mug)["id"]
    ok(merchant.http.delete(f"/v1/walls/{wall}"))
    assert 422 == post(merchant.shopper(), "/v1/likes", {"product": mug, "wall": wall})[0]
    ok(merchant.http.delete(f"/v1/products/{mug}"))
    assert 422 == post(merchant.shopper(), "/v1/likes", {"product": mug})[0]
    assert 422 == post(merchant.shopper(), "/v1/shares", {"product": mug, "network": "x"})[0]


def test_likes_of_one_visitor_at_the_same_time_are_one(merchant: TestMerchant, mug: str) -> None:
    ana = merchant.shopper()
    ana.share(mug)  # so that she has a token
    answers = together(*[lambda: post(ana, "/v1/likes", {"product": mug})] * 12)
    assert 1 == len({like["id"] for _, like in answers})
    assert 1 == sum(status == 201 for status, _ in answers)
    assert {1} == {like["likes"] for _, like in answers}


# the parent is inferred (attribution.md)


def test_who_came_through_a_friend_shares_as_that_friends_child(merchant: TestMerchant, mug: str) -> None:
    ana, bo = merchant.shopper(), merchant.shopper()
    link = ana.share(mug)
    assert link["parent"] is None
    bo.follow(link["code"])
    assert link["id"] == bo.share(mug)["parent"] == bo.share(mug, "x")["parent"]


def test_the_product_comes_before_the_wall_and_the_wall_before_the_merchant(
    merchant: TestMerchant, mug: str, clock: TestClock
) -> None:
    bowl, vase = merchant.product("Bowl")["id"], merchant.product("Vase")["id"]
    wall = merchant.wall(mug, bowl)["id"]
    bo = merchant.shopper()
    links: dict[str, JSON] = {}
    for name, subject in (
        ("mug", {"product": mug}),
        ("wall", {"wall": wall}),
        ("bowl on the wall", {"product": bowl, "wall": wall}),
        ("vase", {"product": vase}),
    ):
        links[name] = merchant.shopper().share(**subject)
        bo.follow(links[name]["code"])
        clock.move(minutes=1)

    def parent(network: str, **subject: str) -> str:
        of = bo.share(network=network, **subject)["parent"]
        return next(name for name, link in links.items() if link["id"] == of)

    assert "mug" == parent("x", product=mug)
    assert "mug" == parent("x", product=mug, wall=wall)
    assert "bowl on the wall" == parent("x", product=bowl)
    assert "bowl on the wall" == parent("x", wall=wall)
    other = merchant.product("Lamp")["id"]
    assert "vase" == parent("x", product=other)
    assert "bowl on the wall" == parent("x", product=other, wall=wall)


def test_the_latest_visit_is_the_parent(merchant: TestMerchant, mug: str, clock: TestClock) -> None:
    first, second = merchant.shopper().share(mug), merchant.shopper().share(mug)
    bo = merchant.shopper()
    bo.follow(second["code"])
    clock.move(seconds=1)
    bo.follow(first["code"])
    assert first["id"] == bo.share(mug)["parent"]


@pytest.mark.parametrize(("later", "counts"), [(WINDOW, True), (WINDOW + timedelta(microseconds=1), False)])
def test_a_visit_is_remembered_for_thirty_days(
    merchant: TestMerchant, mug: str, clock: TestClock, later: timedelta, counts: bool
) -> None:
    link, bo = merchant.shopper().share(mug), merchant.shopper()
    bo.follow(link["code"])
    clock.set(clock.now() + later)
    assert (link["id"] if counts else None) == bo.share(mug)["parent"]


def test_a_visitor_without_visits_names_the_way_by_click_id_or_code(merchant: TestMerchant, mug: str) -> None:
    link = merchant.shopper().share(mug)
    for via in (link["code"], merchant.shopper().follow(link["code"], claim=False)):
        assert link["id"] == merchant.shopper().share(mug, via=via)["parent"]


def test_what_the_page_says_does_not_outdo_a_visit(merchant: TestMerchant, mug: str) -> None:
    came_by, claimed = merchant.shopper().share(mug), merchant.shopper().share(mug)
    bo = merchant.shopper()
    bo.follow(came_by["code"])
    assert came_by["id"] == bo.share(mug, via=claimed["code"])["parent"]


def test_a_way_that_is_unknown_or_anothers_is_ignored(
    merchant: TestMerchant, mug: str, new_merchant: NewMerchant
) -> None:
    stranger = new_merchant()
    foreign = stranger.shopper().share(stranger.product()["id"])
    foreign_click = stranger.shopper().follow(foreign["code"])
    missing = [new_id("clk", 1, START), "123456789", "clk_", "", "x", mug, "a" * 64]
    for via in (foreign["code"], foreign_click, *missing):
        assert merchant.shopper().share(mug, via=via)["parent"] is None


def test_a_parent_stays_what_it_was(merchant: TestMerchant, mug: str) -> None:
    bo = merchant.shopper()
    assert bo.share(mug)["parent"] is None
    bo.follow(merchant.shopper().share(mug)["code"])
    assert bo.share(mug)["parent"] is None


def test_a_product_on_a_wall_is_liked_and_shared_once_however_often(merchant: TestMerchant) -> None:
    product = merchant.product()["id"]
    wall, ana = merchant.wall(product)["id"], merchant.shopper()

    likes = [ana.like(product, wall=wall) for _ in range(3)]
    shares = [ana.share(product, "x", wall=wall) for _ in range(3)]

    assert (1, 1) == (len({like["id"] for like in likes}), len({share["id"] for share in shares}))
    assert 1 == likes[-1]["likes"]
