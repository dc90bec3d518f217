"""How elements are dressed: by the merchant's theme, by the page (attributes, properties, parts), in both schemes."""

import pytest
from playwright.sync_api import expect

from tests.browser import foreign
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(30, 27, 37)"
"""What cards lie on."""

DRESSED = """<style>
grapevine-wall { --grapevine-radius: 0; --grapevine-ratio: 3/4; --grapevine-font-size: 20px; --grapevine-line: #010203 }
grapevine-wall::part(buy) { text-transform: uppercase }
grapevine-wall::part(share) { display: none }
grapevine-wall::part(title) { letter-spacing: 3px }
</style>"""


def test_a_page_dresses_its_cards_by_properties_and_parts(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    page = person().new_page()
    page.goto(elsewhere.write(DRESSED + foreign.wall(shop.wall(mug["id"])["id"])))
    card = page.locator("li.card")
    expect(card.get_by_role("button", name="Buy: Mug")).to_have_css("text-transform", "uppercase")
    expect(card.locator(".title")).to_have_css("letter-spacing", "3px")
    expect(card.locator(".share")).to_be_hidden()
    expect(card).to_have_css("border-radius", "0px")
    expect(card).to_have_css("border-color", "rgb(1, 2, 3)")
    expect(card.locator(".media")).to_have_css("aspect-ratio", "3 / 4")
    expect(page.locator("grapevine-wall section")).to_have_css("font-size", "20px")


@pytest.mark.parametrize("system", ["light", "dark"])
def test_a_page_says_which_scheme_an_element_has(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson, system: str
) -> None:
    """Before the wall's own, which comes before the system's."""
    wall = shop.wall(mug["id"], theme={"scheme": "light" if system == "dark" else "dark"})["id"]
    themes = {"": {}, **{name: {"theme": name} for name in ("light", "dark", "auto")}}
    body = "".join(foreign.wall(wall, **theme) for theme in themes.values())
    body += "".join(foreign.product(mug["id"], **theme) for theme in themes.values())
    page = person(color_scheme=system).new_page()
    page.goto(elsewhere.write(body))
    cards = page.locator("li.card[data-product]")
    expect(cards).to_have_count(8)
    seen = cards.evaluate_all("cards => cards.map(card => getComputedStyle(card).backgroundColor)")
    systems, other = (LIGHT, DARK) if system == "light" else (DARK, LIGHT)
    assert [other, LIGHT, DARK, systems, systems, LIGHT, DARK, systems] == seen


def test_a_wall_has_its_merchants_colours_and_corners(
    shop: TestMerchant, mug: JSON, elsewhere: Elsewhere, person: NewPerson
) -> None:
    wall = shop.wall(mug["id"], theme={"scheme": "dark", "accent": "#ffee00", "radius": 3})["id"]
    page = person(color_scheme="light").new_page()
    page.goto(elsewhere.write(foreign.wall(wall)))
    expect(page.locator("button.buy")).to_have_css("background-color", "rgb(255, 238, 0)")
    expect(page.locator("button.buy")).to_have_css("color", "color(xyz-d65 0 0 0)")
    expect(page.locator("li.card")).to_have_css("background-color", "rgb(30, 27, 37)")
    expect(page.locator("li.card")).to_have_css("border-radius", "3px")


CONTRAST = """(element) => {
  const luminance = (color) => {
    const canvas = Object.assign(new OffscreenCanvas(1, 1)).getContext("2d");
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) =>
      value > 10 ? ((value / 255 + 0.055) / 1.055) ** 2.4 : value / 255 / 12.92);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const { color, backgroundColor } = getComputedStyle(element);
  const [less, more] = [luminance(color), luminance(backgroundColor)].sort((a, b) => a - b);
  return more / less;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_on_any_accent_of_the_merchants_or_the_pages_are_read_well(
    mug: JSON, elsewhere: Elsewhere, person: NewPerson, scheme: str
) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    page = person(color_scheme=scheme).new_page()
    page.goto(elsewhere.write(foreign.product(mug["id"])))
    buy, element = page.locator("button.buy"), page.locator("grapevine-product")
    expect(buy).to_be_visible()
    accents = [
        "#777777",
        "#ff0000",
        "#0000ff",
        "#ff00ff",
        "#767676",
        "#d02090",
        "#008c8c",
        "tomato",
        "oklch(.57 .2 30)",
    ]
    seen = {}
    for accent in ["", *accents]:
        element.evaluate("(host, accent) => host.style.setProperty('--grapevine-accent', accent)", accent)
        seen[accent] = buy.evaluate(CONTRAST)
    assert {} == {accent: contrast for accent, contrast in seen.items() if contrast < 4.5}
