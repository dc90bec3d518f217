"""Addresses and queries that are made up without end: they build nothing of their own, and drive out nobody's pages."""

import time
from collections.abc import Callable
from html import unescape
from typing import Any

import httpx
import pytest

from app.kernel.ids import merchant_of, new_id
from app.storefront.views import Viewer
from tests.clock import A_SECOND, START
from tests.heads import ParsedPage
from tests.shop import TestMerchant, ok

ASKED = 30
"""Requests with a query of their own each; far more than there are seconds in which they are answered."""
BUILT = 12


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which views were read by the server, which runs in this process."""
    read: list[str] = []

    def counting(name: str, view: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            read.append(name)
            return view(*given, **named)

        return counted

    for name in ("wall", "product", "referral"):
        monkeypatch.setattr(Viewer, name, counting(name, getattr(Viewer, name)))
    return read


@pytest.mark.parametrize(
    "path", ["/p/{product}", "/embed/products/{product}", "/embed/walls/{wall}", "/embed/r/{code}"]
)
def test_walls_that_are_made_up_build_nothing(
    path: str, http: httpx.Client, merchant: TestMerchant, product: str, built: list[str]
) -> None:
    code, number_of = merchant.shopper().share(product)["code"], merchant_of(product)
    address = path.format(product=product, wall=merchant.wall(product)["id"], code=code)
    plain = http.get(address)
    for number in range(ASKED):
        ours, theirs = (new_id("wall", whose, START) for whose in (number_of, number_of + 1))
        answer = http.get(address, params={"wall": (ours, theirs, f"x{number}" * 900)[number % 3]})
        assert (200, plain.text) == (answer.status_code, answer.text)
    assert 1 <= len(built) <= BUILT


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/w/{}", "wall"),
        ("/w/{}/embed", "wall"),
        ("/w/{}/feed.xml", "wall"),
        ("/p/{}", "prod"),
        ("/thanks/{}", "chk"),
        ("/embed/walls/{}", "wall"),
        ("/embed/products/{}", "prod"),
        ("/v1/walls/{}/widget", "wall"),
        ("/v1/walls/{}/live", "wall"),
        ("/oembed?url=http://127.0.0.1/w/{}", "wall"),
    ],
)
def test_who_asks_for_what_can_be_no_id_is_answered_as_if_it_were_one(
    path: str, kind: str, http: httpx.Client, merchant: TestMerchant, product: str
) -> None:
    nobodys = new_id(kind, merchant_of(product), START)
    unknown, impossible = (http.get(path.format(name)) for name in (nobodys, "x" * 900))
    assert (404, unknown.content) == (impossible.status_code, impossible.content)
    assert unlike_dates(unknown) == unlike_dates(impossible)


def unlike_dates(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.items() if name != "date"]


def test_a_wall_that_was_closed_is_no_longer_where_something_is_met(
    http: httpx.Client, merchant: TestMerchant, product: str
) -> None:
    wall = merchant.wall(product)["id"]
    path, met = f"/embed/products/{product}", {"wall": wall}
    assert wall == ParsedPage(http.get(path, params=met).text).one("body")["data-wall"]
    ok(merchant.http.delete(f"/v1/walls/{wall}"))
    time.sleep(A_SECOND)
    assert "data-wall" not in ParsedPage(http.get(path, params=met).text).one("body").attributes
    assert wall not in http.get(f"/p/{product}", params=met).text


def test_numbers_of_cards_that_are_made_up_build_a_few_frames(
    http: httpx.Client, merchant: TestMerchant, product: str, built: list[str]
) -> None:
    wall = merchant.wall(product)["id"]
    for number in range(37, 37 + 2 * ASKED):
        assert http.get(f"/embed/walls/{wall}", params={"cards": number, "lang": f"x{number}"}).is_success
    assert len(built) <= BUILT


def test_the_page_with_the_code_is_kept_by_what_was_chosen(
    http: httpx.Client, merchant: TestMerchant, product: str, built: list[str]
) -> None:
    wall = merchant.wall(product)["id"]
    for number in range(ASKED):
        assert http.get(f"/w/{wall}/embed", params={"layout": "list", "theme": f"x{number}"}).is_success
    assert 1 <= len(built) <= BUILT


def test_a_frame_and_the_page_with_its_code_know_how_many_cards_there_are(
    http: httpx.Client, merchant: TestMerchant
) -> None:
    products = [str(merchant.product(f"No. {number}", tags=["new"])["id"]) for number in range(14)]
    ok(merchant.http.delete(f"/v1/products/{products[0]}"))
    by_hand = merchant.wall(*products[1:], layout="list")["id"]
    by_rule = ok(
        merchant.http.post(
            "/v1/walls", json={"title": "New", "layout": "list", "products": {"tag": "new", "limit": 13}}
        )
    )["id"]
    ok(merchant.http.delete(f"/v1/products/{products[1]}"))
    for wall, order in ((by_hand, products[2:]), (by_rule, products[:1:-1])):
        frame = ParsedPage(http.get(f"/embed/walls/{wall}", params={"cards": 3}).text)
        assert order[:3] == [card["data-product"] for card in frame.all("li")]
        assert any(link.text.startswith("See all") for link in frame.all("a"))
        whole = ParsedPage(http.get(f"/embed/walls/{wall}", params={"cards": 12}).text)
        assert order == [card["data-product"] for card in whole.all("li")]
        assert not any(link.text.startswith("See all") for link in whole.all("a"))
        code = ok(merchant.http.get(f"/v1/walls/{wall}/embed-code"))
        assert 'cards="12"' in code["element"]
        assert code["element"] in unescape(http.get(f"/w/{wall}/embed").text)
