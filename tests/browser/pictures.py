"""The pictures of docs/widgets.md: `make pictures`. No tests: what they show is tested elsewhere."""

import httpx
import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.browser import foreign
from tests.browser.camera import keep, picture
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson
from tests.browser.places import LAYOUTS
from tests.shop import JSON, TestMerchant, ok

pytestmark = ON_ONE_DATABASE

SCREENS = {"desktop": {"width": 960, "height": 640}, "phone": {"width": 360, "height": 640}}
STYLE = (
    "<style>:root{color-scheme:light dark}body{margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;"
    "background:light-dark(#faf7f2,#16130f)}@media(max-width:500px){body{padding:14px}}</style>"
)


def look(person: NewPerson, screen: str, scheme: str = "light", **more: object) -> Page:
    return person(viewport=SCREENS[screen], color_scheme=scheme, **more).new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(demo: Demo, elsewhere: Elsewhere, person: NewPerson, layout: str, screen: str, scheme: str) -> None:
    page = look(person, screen, scheme)
    page.goto(elsewhere.write(STYLE + foreign.wall(demo.wall, layout=layout)))
    expect(page.locator("grapevine-wall .buy").first).to_be_visible()
    picture(page, f"wall-{layout}-{screen}-{scheme}", around(page))


def around(page: Page) -> FloatRect:
    """The screen, down to where the wall ends."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    end = page.locator("grapevine-wall").evaluate("wall => wall.getBoundingClientRect().bottom")
    return {"x": 0, "y": 0, "width": width, "height": min(height, end + 24)}


@pytest.fixture
def card(demo: Demo) -> JSON:
    """The first card of the demonstration's wall."""
    return dict(ok(httpx.get(f"{demo.url}/v1/walls/{demo.wall}/widget"))["cards"][0])


def test_product(elsewhere: Elsewhere, person: NewPerson, card: JSON) -> None:
    page = look(person, "desktop")
    page.goto(elsewhere.write(STYLE + foreign.product(card["id"])))
    expect(page.locator("grapevine-product .buy")).to_be_visible()
    picture(page, "product")


@pytest.mark.parametrize(("screen", "scheme"), [("desktop", "light"), ("phone", "dark")])
def test_share_sheet(demo: Demo, elsewhere: Elsewhere, person: NewPerson, card: JSON, screen: str, scheme: str) -> None:
    page = look(person, screen, scheme)
    page.goto(elsewhere.write(STYLE + foreign.wall(demo.wall)))
    page.get_by_role("button", name=f"Share {card['title']}").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    picture(page, f"share-sheet-{screen}-{scheme}")


def test_frame(demo: Demo, elsewhere: Elsewhere, person: NewPerson) -> None:
    page = look(person, "desktop")
    frame = (
        f'<iframe src="{demo.url}/embed/walls/{demo.wall}" title="A wall" width="100%" height="500" style="border:0">'
    )
    page.goto(elsewhere.write(f"{STYLE}<p>A page that allows no scripts of others.</p>{frame}</iframe>"))
    expect(page.frame_locator("iframe").locator(".buy").first).to_be_visible()
    picture(page, "frame")


def test_pages(demo: Demo, shop: TestMerchant, person: NewPerson, card: JSON) -> None:
    shared = shop.shopper().share(card["id"], wall=demo.wall, name="Ana", caption="My mornings, since March.")
    pages = {
        "page-wall": f"{demo.url}/w/{demo.wall}",
        "page-product": f"{demo.url}/p/{card['id']}",
        "page-link": shared["url"],
        "page-embed-code": f"{demo.url}/w/{demo.wall}/embed",
    }
    for name, address in pages.items():
        page = look(person, "desktop")
        if name == "page-embed-code":
            page.set_viewport_size({"width": 960, "height": 1100})
        page.goto(address)
        picture(page, name)
    keep(httpx.get(_card_of(pages["page-product"])).content, "card")


def test_me(demo: Demo, shop: TestMerchant, person: NewPerson) -> None:
    cards = ok(httpx.get(f"{demo.url}/v1/walls/{demo.wall}/widget"))["cards"]
    ana, ways = shop.shopper(), {"whatsapp": 14, "pinterest": 7, "email": 1}
    for number, (network, friends) in enumerate(ways.items()):
        name, caption = (None, None) if number != 1 else ("Ana", "A year in my kitchen, and still my favourite.")
        shared = ana.share(cards[number]["id"], network, wall=demo.wall, name=name, caption=caption)
        for one in range(friends):
            friend = shop.shopper()
            click = friend.follow(shared["code"])
            if one % 2 == 0:
                shop.order(2450 + 100 * one, click_id=click, test=True)
    page = look(person, "desktop")
    page.goto(f"{demo.url}/me#{ana.token}")
    expect(page.get_by_role("heading", name="What you liked and shared")).to_be_visible()
    page.set_viewport_size({"width": 960, "height": 1260})
    picture(page, "me")


def _card_of(page: str) -> str:
    """The picture that networks show of a page."""
    return httpx.get(page).text.split('property="og:image" content="', 1)[1].partition('"')[0].replace("&amp;", "&")
