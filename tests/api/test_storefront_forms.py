"""Buying by the plain form of a page: what it sends, and what is said when it is refused."""

from collections.abc import Callable

import httpx
import pytest

from tests.heads import ParsedPage
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till


def page_of(till: Till, address: str) -> ParsedPage:
    answer = httpx.get(address if address.startswith("http") else till.url + address)
    assert answer.status_code == 200
    return ParsedPage(answer.text)


def send(till: Till, page: ParsedPage, came_from: str, **changed: str) -> httpx.Response:
    """Send the page's form with some of it changed, as a browser would."""
    form = page.form() | changed
    return httpx.post(f"{till.url}/v1/checkouts", data=form, headers={"Referer": came_from}, timeout=30)


@pytest.fixture
def hat(seller: TestMerchant) -> JSON:
    """In two sizes, three of the larger one left."""
    euros = {"amount": 2500, "currency": "eur"}
    return seller.product("Hat", variants=[{"title": "S", "price": euros}, {"title": "M", "price": euros, "stock": 3}])


def test_a_form_buys_a_variant_in_the_quantity_that_was_chosen(till: Till, seller: TestMerchant, hat: JSON) -> None:
    here = f"{till.url}/p/{hat['id']}"
    page = page_of(till, here)
    assert page.form() == {"variant": hat["variants"][0]["id"], "quantity": "1", "coupon": ""}

    led = send(till, page, here, variant=hat["variants"][1]["id"], quantity="2")

    assert led.status_code == 303
    (session,) = till.sessions_of(seller)
    assert session["amount_total"] == 5000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"variant": "M", "quantity": "4"}, "Not that many left"),
        ({"variant": "M", "quantity": "0"}, "How many shall it be?"),
        ({"variant": "M", "quantity": "1000"}, "How many shall it be?"),
        ({"variant": "M", "coupon": "X" * 201}, "This code cannot be right"),
        ({"variant": "var_x"}, "This cannot be bought"),
        ({"variant": "M", "wall": "wall_x"}, "That did not work"),
    ],
)
def test_a_refusal_is_said_in_fitting_words(
    till: Till, seller: TestMerchant, hat: JSON, changed: dict[str, str], said: str
) -> None:
    here = f"{till.url}/p/{hat['id']}"
    given = changed | ({"variant": hat["variants"][1]["id"]} if changed["variant"] == "M" else {})
    answer = send(till, page_of(till, here), here, **given)
    assert (answer.status_code, ParsedPage(answer.text).one("h1").text) == (422, said)
    assert till.sessions_of(seller) == []


def test_the_way_back_keeps_what_was_chosen(till: Till, hat: JSON) -> None:
    here = f"{till.url}/p/{hat['id']}"
    wanted = {"variant": hat["variants"][1]["id"], "quantity": "4", "coupon": "ANA10"}
    refused = send(till, page_of(till, here), here, **wanted)

    back = ParsedPage(refused.text).one("a", class_="wide")["href"]
    again = httpx.get(back)

    assert wanted == ParsedPage(again.text).form()
    assert "open" in ParsedPage(again.text).one("details", class_="code").attributes
    assert again.headers["cache-control"] == "no-store"
    assert ParsedPage(again.text).canonical() == here
    mended = send(till, ParsedPage(again.text), back, quantity="3")
    assert mended.status_code == 303


def test_what_is_sold_out_meanwhile_is_not_chosen_again(till: Till, seller: TestMerchant, hat: JSON) -> None:
    large = hat["variants"][1]["id"]
    euros = {"amount": 2500, "currency": "eur"}
    gone = [{"title": "S", "price": euros}, {"title": "M", "price": euros, "stock": 0}]
    here = f"{till.url}/p/{hat['id']}"
    page = page_of(till, here)
    ok(seller.http.patch(f"/v1/products/{hat['id']}", json={"variants": gone}))

    refused = send(till, page, here, variant=large)

    assert ParsedPage(refused.text).one("h1").text == "Just sold out"
    back = page_of(till, ParsedPage(refused.text).one("a", class_="wide")["href"])
    assert back.form()["variant"] != large
    assert large not in [option["value"] for option in back.all("option") if "disabled" not in option.attributes]


def test_what_stripe_refuses_is_not_called_a_form_that_cannot_be_read(
    till: Till, new_seller: Callable[..., TestMerchant]
) -> None:
    cheap = new_seller(currency="eur").product("Thread", 1)
    here = f"{till.url}/p/{cheap['id']}"
    answer = send(till, page_of(till, here), here)
    page = ParsedPage(answer.text)
    assert (answer.status_code, page.one("h1").text) == (422, "This cannot be paid here")
    assert "Nothing was paid" in page.one("section", class_="notice").text


def test_a_page_made_for_one_person_knows_their_click_and_is_kept_by_nobody(till: Till, seller: TestMerchant) -> None:
    hat = seller.product("Hat")
    share = seller.shopper().share(hat["id"])
    click = seller.shopper().follow(share["code"], claim=False)
    answer = httpx.get(f"{till.url}/p/{hat['id']}", params={"gv_click": click, "quantity": "7"})
    form = ParsedPage(answer.text).form()
    assert (form["click"], form["quantity"]) == (click, "7")
    assert answer.headers["cache-control"] == "no-store"
