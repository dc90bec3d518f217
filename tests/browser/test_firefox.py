"""The elements in Firefox, as Debian ships it, on somebody else's page. Chromium shows the same in more detail."""

import time
from collections.abc import Iterator

import pytest

from tests.browser import firefox, foreign
from tests.browser.demo import Demo
from tests.browser.firefox import Firefox, Tab
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE
from tests.browser.places import LAYOUTS, MANY
from tests.net import free_port
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

CAUTIOUS = {
    "privacy.globalprivacycontrol.enabled": True,
    "network.cookie.cookieBehavior": 2,  # no site may store anything
    "layout.css.prefers-color-scheme.content-override": 0,  # dark
}
"""Preferences of somebody who asks not to be followed, keeps nothing, and likes it dark."""


@pytest.fixture(scope="module")
def fox(firefox_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox.running(firefox_program, tmp_path_factory.mktemp("firefox"), {}) as browser:
        yield browser


@pytest.fixture(scope="module")
def cautious(firefox_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox.running(firefox_program, tmp_path_factory.mktemp("cautious"), CAUTIOUS) as browser:
        yield browser


@pytest.fixture(scope="module")
def wall(shop: TestMerchant) -> JSON:
    """Eight cards; on the first is a mug at €19.99."""
    things = [shop.product("Mug"), *(shop.product(f"Thing {number}") for number in range(7))]
    return shop.wall(*(thing["id"] for thing in things), title="By the fox")


def boxes(tab: Tab, layout: str) -> list[dict[str, float]]:
    """Where the cards of the wall with this layout are."""
    found: list[dict[str, float]] = tab.wait(
        "(() => { const root = document.querySelector(`[layout=${given[0]}]`).shadowRoot;"
        " const cards = [...root.querySelectorAll('li[data-product]')].map((card) => card.getBoundingClientRect());"
        " return cards.length && cards.map(({ x, y }) => ({ x, y })) })()",
        layout,
    )
    return found


def test_each_layout_is_what_its_name_says(fox: Firefox, elsewhere: Elsewhere, wall: JSON) -> None:
    tab = fox.tab()
    tab.size(1280, 900)
    tab.goto(elsewhere.write("".join(foreign.wall(wall["id"], layout=name) for name in LAYOUTS)))
    grid, rows, carousel, single = (boxes(tab, name) for name in LAYOUTS)
    assert [8, 8, 8, 1] == [len(each) for each in (grid, rows, carousel, single)]
    assert len({box["x"] for box in grid}) > 2
    assert [1, 8] == [len({box["x"] for box in rows}), len({box["y"] for box in rows})]
    assert [8, 1] == [len({box["x"] for box in carousel}), len({box["y"] for box in carousel})]
    assert tab.do("return document.documentElement.scrollWidth <= innerWidth")
    assert [] == tab.complaints()


def test_under_the_strictest_policy_one_likes_and_shares_and_nothing_is_breached(
    fox: Firefox, elsewhere: Elsewhere, wall: JSON
) -> None:
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.wall(wall["id"]), policy=foreign.STRICT))
    assert tab.do("return typeof trustedTypes") == "object"
    tab.click("button.like")
    tab.find("button.like[aria-pressed=true]", "1")
    assert [201] == tab.answered("/v1/likes")

    tab.click("button.share")
    tab.click("dialog button", "Copy link")
    tab.find("dialog", "Link copied.")
    tab.press("Escape")
    tab.wait("!find('dialog')")
    tab.goto(tab.do("return location.href"))
    tab.find("button.like[aria-pressed=true]")  # remembered by the page
    assert [] == tab.complaints()


def test_one_buys_at_the_till_in_the_whole_window(fox: Firefox, elsewhere: Elsewhere, wall: JSON) -> None:
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.wall(wall["id"])))
    tab.click("button.buy")
    tab.wait("location.pathname.startsWith('/pay/')")
    tab.click("input[type=email]")
    tab.press(*"fox@example.com")
    tab.click("button", "Pay €19.99")
    tab.find("h1", "Thank you!")


def test_a_product_stands_alone_and_so_many_are_bought_as_were_asked_for(
    fox: Firefox, shop: TestMerchant, elsewhere: Elsewhere
) -> None:
    lamp = shop.product("Lamp", 2500, description="Gives light.")
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.product(lamp["id"]), policy=foreign.STRICT))
    tab.find(".description", "Gives light.")
    tab.click("input.quantity")
    tab.press("Backspace", "3")
    assert [] == tab.complaints()
    tab.click("button.buy")
    tab.wait("location.pathname.startsWith('/pay/')")
    tab.find("button", "Pay €75.00")


def test_a_page_is_passed_on_by_a_button(fox: Firefox, shop: TestMerchant, elsewhere: Elsewhere) -> None:
    merchant = ok(shop.http.get("/v1/merchant"))["id"]
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.element("share", "", "Pass it on", merchant=merchant), policy=foreign.STRICT))
    tab.click("button.share-button", "Pass it on")
    tab.click("dialog button", "Copy link")
    tab.find("dialog", "Link copied.")
    assert [201] == tab.answered("/v1/shares")
    tab.press("Escape")
    tab.wait("!find('dialog')")
    assert [] == tab.complaints()
    assert tab.do("return document.cookie") == ""


def test_a_like_of_somebody_else_is_seen_within_two_seconds(
    fox: Firefox, shop: TestMerchant, elsewhere: Elsewhere
) -> None:
    cup = shop.product("Cup")["id"]
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.wall(shop.wall(cup)["id"])))
    shop.shopper().like(cup)
    tab.find("button.like", "1")  # from here on the page follows
    shop.shopper().like(cup)
    since = time.monotonic()
    tab.find("button.like", "2")
    assert time.monotonic() - since < 2


def test_a_thousand_cards_are_there(fox: Firefox, elsewhere: Elsewhere, many: JSON) -> None:
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.wall(many["id"], cards="60")))
    tab.wait("everywhere('li.card:not(.bone) button.buy').length === given[0]", MANY)
    assert (
        0 < tab.do("return everywhere('img.image').filter((one) => one.complete && one.naturalWidth).length") < MANY / 2
    )
    tab.do("everywhere('li.card').at(-1).scrollIntoView({ block: 'center', behavior: 'instant' })")
    last = "everywhere('li.card').at(-1).getBoundingClientRect()"
    tab.wait(f"{last}.top >= 0 && {last}.bottom <= innerHeight")
    assert [] == tab.complaints()


def test_french_is_spoken_to_who_reads_french(fox: Firefox, elsewhere: Elsewhere, wall: JSON) -> None:
    tab = fox.tab(locale="fr-FR")
    tab.goto(elsewhere.write(foreign.wall(wall["id"])))
    tab.find("button.buy", "Acheter")
    assert "19,99 €" == tab.do("return find('.price').textContent").replace("\u00a0", " ")


def test_the_fallback_stays_when_the_server_is_away(fox: Firefox, demo: Demo, elsewhere: Elsewhere, wall: JSON) -> None:
    there = f"{demo.url}/w/{wall['id']}"
    away = f"http://127.0.0.1:{free_port()}"
    tab = fox.tab()
    tab.goto(elsewhere.write(foreign.wall(wall["id"], f'<a href="{there}">See our favourites</a>', api=away)))
    tab.click("a", "See our favourites")
    tab.wait("location.href === given[0]", there)


def test_in_a_frame_without_storage_one_still_likes(fox: Firefox, elsewhere: Elsewhere, wall: JSON) -> None:
    tab = fox.tab()
    inside = elsewhere.write(foreign.wall(wall["id"], layout="single"))
    tab.goto(elsewhere.write(f'<iframe sandbox="allow-scripts" src="{inside}" width="900" height="700"></iframe>'))
    frame = tab.frame()
    frame.click("button.like")
    frame.find("button.like[aria-pressed=true]")
    assert [201] == frame.answered("/v1/likes")


def test_who_asks_not_to_be_followed_is_not_and_may_keep_it_dark_and_store_nothing(
    cautious: Firefox, demo: Demo, shop: TestMerchant, elsewhere: Elsewhere
) -> None:
    path = "/fox-lamp"
    lamp = shop.product("Lamp", url=elsewhere.origin + path)["id"]
    passed = shop.wall(lamp, landing="merchant")["id"]
    elsewhere.write(foreign.wall(passed), path)
    sharer = shop.shopper()
    link = sharer.share(lamp, "telegram", wall=passed)["url"]

    tab = cautious.tab()
    tab.goto(link)
    tab.wait("location.pathname === given[0] && !location.search", path)  # the click was taken out of the address
    tab.find("button.buy")
    assert ["SecurityError", True, True] == tab.do(
        "const stored = (() => { try { return String(localStorage) } catch ({ name }) { return name } })();"
        "return [stored, navigator.globalPrivacyControl, matchMedia('(prefers-color-scheme: dark)').matches]"
    )
    assert tab.do("return getComputedStyle(find('li.card')).backgroundColor.match(/[\\d.]+/)[0] < 80")
    tab.click("button.like")
    tab.find("button.like[aria-pressed=true]")
    assert [] == tab.calls("/claim")
    assert [] == tab.complaints()
    tab.click("button.buy")
    tab.wait("location.pathname.startsWith('/pay/')")
