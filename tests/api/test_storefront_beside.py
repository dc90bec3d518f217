"""What stands around a product on its page: more pictures of it, and what else is on its wall."""

import httpx
import pytest

from tests.heads import ParsedPage
from tests.shop import JSON, TestMerchant, ok


@pytest.fixture
def many(merchant: TestMerchant) -> list[JSON]:
    """A dozen products, oldest first."""
    return [merchant.product(f"No. {number}", tags=["all"]) for number in range(12)]


def beside(http: httpx.Client, product: JSON, wall: JSON | None, **query: str) -> list[str]:
    """The names of what is shown below the product, in order."""
    page = ParsedPage(http.get(f"/p/{product['id']}", params=query | ({"wall": wall["id"]} if wall else {})).text)
    return [node.text for node in page.all("span", class_="name")]


def test_the_next_eight_of_the_wall_are_below_and_then_its_first(
    merchant: TestMerchant, http: httpx.Client, many: list[JSON]
) -> None:
    wall = merchant.wall(*(product["id"] for product in many))
    assert [f"No. {number}" for number in range(1, 9)] == beside(http, many[0], wall)
    assert [f"No. {number}" for number in (11, 0, 1, 2, 3, 4, 5, 6)] == beside(http, many[10], wall)
    assert [] == beside(http, many[0], None)


def test_what_was_withdrawn_is_not_beside(merchant: TestMerchant, http: httpx.Client, many: list[JSON]) -> None:
    wall = merchant.wall(*(product["id"] for product in many[:4]))
    ok(merchant.http.delete(f"/v1/products/{many[1]['id']}"))
    assert ["No. 2", "No. 3"] == beside(http, many[0], wall)


def test_of_a_wall_that_fills_itself_the_newest_are_beside(
    merchant: TestMerchant, http: httpx.Client, many: list[JSON]
) -> None:
    filled = ok(merchant.http.post("/v1/walls", json={"title": "All", "products": {"tag": "all", "limit": 5}}), 201)
    assert [f"No. {number}" for number in (11, 10, 8, 7)] == beside(http, many[9], filled)
    assert [f"No. {number}" for number in (11, 10, 9, 8, 7)] == beside(http, many[0], filled)


def test_the_click_goes_along_to_what_is_beside(merchant: TestMerchant, http: httpx.Client, many: list[JSON]) -> None:
    wall = merchant.wall(*(product["id"] for product in many[:2]))
    click = merchant.shopper().follow(merchant.shopper().share(many[0]["id"])["code"], claim=False)
    page = ParsedPage(http.get(f"/p/{many[0]['id']}", params={"wall": wall["id"], "gv_click": click}).text)
    (others,) = page.all("ul", class_="others")
    at = page.nodes.index(others)
    link = next(node for node in page.nodes[at:] if node.tag == "a")
    assert httpx.URL(link["href"]).params["gv_click"] == click


def test_more_pictures_are_shown_small_and_when_they_are_wanted(merchant: TestMerchant, http: httpx.Client) -> None:
    addresses = [f"https://x.example/{number}.jpg" for number in range(12)]
    jug = merchant.product("Jug", images=[addresses[0], *addresses])
    page = ParsedPage(http.get(f"/p/{jug['id']}").text)
    (first, *others) = page.all("img")
    assert (first["src"], first["loading"], first["fetchpriority"]) == (addresses[0], "eager", "high")
    assert [image["src"] for image in others] == addresses[1:9]  # the first ten of the merchant's, each once
    assert {(image["loading"], image["width"], image["height"]) for image in others} == {("lazy", "300", "300")}
    assert others[0]["alt"] == "Picture 2 of Jug"


def test_a_description_stands_in_paragraphs(merchant: TestMerchant, http: httpx.Client) -> None:
    jug = merchant.product("Jug", description="  One.\nStill one.\n \n\n\nTwo.\n\n")
    page = ParsedPage(http.get(f"/p/{jug['id']}").text)
    (whole,) = page.all("div", class_="description")
    at = page.nodes.index(whole)
    assert [node.text for node in page.nodes[at + 1 : at + 3]] == ["One. Still one.", "Two."]
    payload = ok(http.get(f"/v1/products/{jug['id']}/widget"), 200)
    assert payload["product"]["description"] == "One.\nStill one.\n\nTwo."
