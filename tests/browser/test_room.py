"""The room of an element: nothing moves when it fills, on any screen; and cards that fit whatever room they get."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.places import LAYOUTS
from tests.browser.shifts import ONCE_THERE_ARE_ELEMENTS, shifts, slowly, watch
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

SCREENS = {"phone": 390, "small phone": 280, "desktop": 1280}
RESERVED = "<style>grapevine-wall, grapevine-product { display: block; min-block-size: 70rem }</style>"


@pytest.fixture(scope="module")
def variety(shop: TestMerchant) -> list[str]:
    """Products of every shape that a card can take: long, on sale, with choices, sold out, without a picture."""
    money = {"amount": 123450, "currency": "eur"}
    sale = {"price": money, "compare_at": {"amount": 199950, "currency": "eur"}}
    told = "A long story of wool, told slowly. " * 12
    things: dict[str, JSON] = {
        "Tea": {},
        "A title that goes on and on, over two lines and more, to the very end of it": {"variants": [sale]},
        "Scarf": {"variants": [{"title": size, **sale} for size in ("Small", "Large")], "description": told},
        "Bowl": {"variants": [{"price": money, "stock": 0}]},
    }
    return [shop.product(title, **fields)["id"] for title, fields in things.items()]


def filled(page: Page, address: str, elements: int) -> None:
    """Open the page at `address`, and wait until all its elements show their cards."""
    page.goto(address)
    page.wait_for_function(
        "many => [...document.querySelectorAll('grapevine-wall, grapevine-product')]"
        ".filter(each => each.shadowRoot?.querySelector('[data-product]')).length == many",
        arg=elements,
    )


def all_layouts(shop: TestMerchant, products: list[str], inside: str = "") -> tuple[str, int]:
    """Every layout one below the other, with words between, and how many elements that are."""
    wall = shop.wall(*products)["id"]
    count = str(len(products))
    shown = [foreign.wall(wall, inside, layout=layout, cards=count) for layout in LAYOUTS]
    shown += [foreign.wall(wall, inside, cards=count, quantity="")]
    shown += [foreign.product(each, inside) for each in products[:3]]
    return "".join(f"{each}<p>Below.</p>" for each in shown), len(shown)


@pytest.mark.parametrize("screen", SCREENS)
def test_what_keeps_the_room_has_the_height_of_the_cards_in_every_layout(
    shop: TestMerchant, variety: list[str], elsewhere: Elsewhere, person: NewPerson, screen: str
) -> None:
    page = person(viewport={"width": SCREENS[screen], "height": 9000}).new_page()
    page.route("**/widget", slowly)
    watch(page, ONCE_THERE_ARE_ELEMENTS)
    body, elements = all_layouts(shop, variety)
    filled(page, elsewhere.write(body), elements)
    assert [] == shifts(page)


def test_with_room_of_the_pages_own_nothing_moves_however_late_anything_comes(
    shop: TestMerchant, variety: list[str], elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person(viewport={"width": 900, "height": 9000}).new_page()
    watch(page)
    for late in ("**/grapevine.js", "**/widget", "**/after.js"):
        page.route(late, slowly)
    body, elements = all_layouts(shop, variety)
    filled(page, elsewhere.write(RESERVED + body), elements)
    assert [] == shifts(page)


def test_a_fallback_of_about_the_final_size_keeps_its_room(
    shop: TestMerchant, variety: list[str], elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person(viewport={"width": 900, "height": 9999}).new_page()
    watch(page)
    for late in ("**/grapevine.js", "**/widget"):
        page.route(late, slowly)
    fallback = '<a href="/"><svg width="100%" height="1150"></svg></a>'
    body, elements = all_layouts(shop, variety, fallback)
    filled(page, elsewhere.write(body), elements)
    assert [] == shifts(page)


def test_the_room_is_given_back_when_the_window_changes(mug: JSON, elsewhere: Elsewhere, person: NewPerson) -> None:
    page = person(viewport={"width": 900, "height": 900}).new_page()
    page.goto(elsewhere.write(foreign.product(mug["id"], '<div style="height: 850px"></div>')))
    section = page.locator("grapevine-product section[lang]")
    expect(section).to_have_css("min-height", "850px")
    page.wait_for_load_state("networkidle")
    page.set_viewport_size({"width": 500, "height": 900})
    expect(section).to_have_css("min-height", "0px")


@pytest.mark.parametrize(("width", "size"), [(150, "14px"), (250, "16px"), (400, "17px")])
def test_a_card_has_three_sizes_by_its_own_width(
    mug: JSON, shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson, width: int, size: str
) -> None:
    wall = foreign.wall(shop.wall(mug["id"])["id"], layout="single")
    page = person().new_page()
    page.goto(elsewhere.write(f'<div style="width: {width}px">{wall}</div>'))
    expect(page.locator("li.card .price")).to_have_css("font-size", size)
    assert width == page.locator("li.card").evaluate("card => card.offsetWidth")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("width", [280, 320, 640])
def test_on_a_narrow_screen_and_at_twice_the_size_all_is_there_without_scrolling_sideways(
    shop: TestMerchant, variety: list[str], elsewhere: Elsewhere, person: NewPerson, width: int, direction: str
) -> None:
    """A window of 640 pixels at 200 % has 320 CSS pixels; text alone at 200 % is a root of 32 pixels."""
    page = person(viewport={"width": width, "height": 900}).new_page()
    body, elements = all_layouts(shop, variety)
    big = "<style>html { font-size: 32px }</style>" if width == 640 else ""
    filled(page, elsewhere.write(f'{big}<div dir="{direction}">{body}</div>'), elements)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    cut = page.evaluate(
        """() => [...document.querySelectorAll("grapevine-wall, grapevine-product")].flatMap(host =>
          [...host.shadowRoot.querySelectorAll(".card")].flatMap(card => {
            const around = card.getBoundingClientRect();
            return [...card.querySelectorAll(".price, button, select, input")].filter(part => {
              const { left, right, top, bottom } = part.getBoundingClientRect();
              return left < around.left - 1 || right > around.right + 1 || top < around.top - 1
                || bottom > around.bottom + 1;
            }).map(part => [host.getAttribute("layout"), part.className]);
          }))"""
    )
    assert [] == cut


def test_controls_are_named_and_large_enough(
    shop: TestMerchant, variety: list[str], elsewhere: Elsewhere, person: NewPerson
) -> None:
    """WCAG 2.2: 4.1.2 (names), 2.5.8 (24 by 24 CSS pixels)."""
    page = person(viewport={"width": 390, "height": 900}).new_page()
    body, elements = all_layouts(shop, variety)
    filled(page, elsewhere.write(body), elements)
    controls = page.locator("li.card").locator("button, select, input, .title a")
    assert [] == controls.evaluate_all(
        """controls => controls.filter(control => {
          const { width, height } = control.getBoundingClientRect();
          return !control.matches("a") && (width < 24 || height < 24);
        }).map(control => control.outerHTML)"""
    )
    hearts, buys = page.get_by_role("button", name="Like Scarf"), page.get_by_role("button", name="Buy: Scarf")
    assert [elements - 3] == [hearts.count()] == [buys.count()]  # not in two other products, nor in the single layout
    expect(page.get_by_role("spinbutton", name="How many of Scarf")).to_have_count(2)
    expect(page.get_by_role("region", name="Scarf")).to_have_count(1)


def test_a_carousel_runs_the_way_of_reading_and_turns_by_its_buttons(
    shop: TestMerchant, elsewhere: Elsewhere, person: NewPerson
) -> None:
    wall = shop.wall(*(shop.product(f"Thing {number}")["id"] for number in range(8)), layout="carousel")["id"]
    page = person(viewport={"width": 900, "height": 700}, reduced_motion="reduce").new_page()
    for direction, sign in (("ltr", 1), ("rtl", -1)):
        page.goto(elsewhere.write(f'<div dir="{direction}">{foreign.wall(wall)}</div>'))
        first = page.locator("li.card").first
        expect(first).to_be_visible()
        lefts = page.locator("li.card").evaluate_all("cards => cards.map(card => card.getBoundingClientRect().left)")
        assert lefts == sorted(lefts, reverse=sign < 0)
        first.hover()
        page.get_by_label("More products").click()
        page.wait_for_function(
            "sign => document.querySelector('grapevine-wall').shadowRoot.querySelector('ul').scrollLeft * sign > 200",
            arg=sign,
        )
        page.get_by_label("Earlier products").click()
        expect(first).to_be_in_viewport(ratio=0.9)


def test_the_cards_of_a_long_wall_are_drawn_in_slices_and_have_their_room_from_the_first(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    many = shop.wall(*(shop.product(f"Thing {number}")["id"] for number in range(130)))["id"]
    page = person(viewport={"width": 390, "height": 844}).new_page()
    page.add_init_script(
        """addEventListener("grapevine-ready", ({ target }) => {
          window.atFirst = [target.shadowRoot.querySelectorAll("[data-product]").length];
          requestAnimationFrame(() => requestAnimationFrame(() => window.atFirst.push(target.offsetHeight)));
        })"""
    )
    page.goto(elsewhere.write(foreign.wall(many)))
    cards = page.locator("li[data-product]")
    expect(cards).to_have_count(130)
    titles = cards.locator(".title").all_text_contents()
    assert [f"Thing {number}" for number in range(130)] == titles
    assert [60, page.locator("grapevine-wall").evaluate("wall => wall.offsetHeight")] == page.evaluate("window.atFirst")
