"""What there is to look at: a wall with everything that a card can be, and every page and frame that shows it."""

from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Page

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.shop import JSON, TestMerchant, ok

MACHINE: Final = "Twitterbot/1.0"

LAYOUTS: Final = ["grid", "list", "carousel", "single"]
PAGES: Final = [
    "wall",
    "product",
    "link",
    "thanks",
    "notice",
    "code to embed",
    "page passed on",
    "home",
    "sharer's page",
]
ASKS: Final = "sharer's page"
"""Its script asks for what it shows."""
FRAMES: Final = [
    "framed wall",
    "framed list",
    "framed carousel",
    "framed single",
    "framed product",
    "framed link",
    "framed page",
    "framed emptiness",
    "framed nothing",
]
ALL_FRAMES: Final = "all frames"
"""The page on which they stand one below the other."""
FOR_MACHINES: Final = ["page passed on"]
"""People are led on from there."""
ELEMENTS: Final = ["elements", "elements from right to left"]

FRAME_HEIGHT: Final = 700
TALL: Final = 300 + len(FRAMES) * (FRAME_HEIGHT + 10)
"""Height of a screen on which all frames are seen: what is not, browsers do not draw."""

CUP: Final = "Cup of the house"
ABOUT_THE_CUP: Final = "Turned by hand.\nHolds a quarter of a litre."
THEME: Final = {"accent": "#0b6e4f"}
CAPTION: Final = "For the first hour of the day"


MANY: Final = 1000
"""Cards of the largest wall."""


@dataclass(frozen=True)
class Places:
    """Addresses at the server `api` and at a friend's site, and what is found there."""

    api: str
    site: Elsewhere
    merchant: str
    wall: str
    product: str
    empty: str
    code: str
    code_of_page: str
    checkout: str
    token: str

    def seen(self, name: str) -> str:
        """The address at which `name` is met: frames stand in a page of the friend's."""
        shown = FRAMES if name == ALL_FRAMES else [name]
        if not set(shown) <= set(FRAMES):
            return self.of(name)
        size = f'width="100%" height="{FRAME_HEIGHT}"'
        frames = "".join(f'<iframe src="{self.of(each)}" title="Shop: {each}" {size}></iframe>' for each in shown)
        return self.site.write(f"<main><h1>Elsewhere</h1>{frames}</main>", f"/{name.replace(' ', '-')}")

    def headers(self, name: str) -> dict[str, str]:
        """What must be said to see it."""
        return {"user-agent": MACHINE} if name in FOR_MACHINES else {}

    def visit(self, page: Page, name: str) -> None:
        """Open the page at which `name` is met."""
        if said := self.headers(name):
            page.route(self.of(name), lambda route: route.continue_(headers=route.request.headers | said))
        page.goto(self.seen(name))
        if name == ASKS:
            page.get_by_role("list").first.wait_for()

    def of(self, name: str) -> str:
        """The address of the page or frame called `name`."""
        frame = f"{self.api}/embed/walls/{self.wall}"
        return {
            "wall": f"{self.api}/w/{self.wall}",
            "product": f"{self.api}/p/{self.product}",
            "link": f"{self.api}/r/{self.code}",
            "thanks": f"{self.api}/thanks/{self.checkout}",
            "notice": f"{self.api}/p/prod_nothing",
            "code to embed": f"{self.api}/w/{self.wall}/embed",
            "page passed on": f"{self.api}/r/{self.code_of_page}",
            "home": f"{self.api}/",
            "sharer's page": f"{self.api}/me#{self.token}",
            "framed wall": frame,
            "framed list": f"{frame}?layout=list",
            "framed carousel": f"{frame}?layout=carousel",
            "framed single": f"{frame}?layout=single",
            "framed product": f"{self.api}/embed/products/{self.product}",
            "framed link": f"{self.api}/embed/r/{self.code}",
            "framed page": f"{self.api}/embed/r/{self.code_of_page}",
            "framed emptiness": f"{self.api}/embed/walls/{self.empty}",
            "framed nothing": f"{self.api}/embed/walls/wall_nothing",
            "elements": f"{self.site.origin}/all-elements",
            "elements from right to left": f"{self.site.origin}/all-elements-rtl",
        }[name]


def make(demo: Demo, shop: TestMerchant, site: Elsewhere) -> Places:
    """Make it all, with pictures of the demonstration's."""
    cup, others = _products(shop, demo.blog)
    walls = {layout: shop.wall(cup["id"], *others, title=f"On the {layout}", theme=THEME)["id"] for layout in LAYOUTS}
    wall = walls["grid"]
    merchant = ok(shop.http.get("/v1/merchant"))["id"]
    ana = shop.shopper()
    shared = ana.share(cup["id"], wall=wall, name="Ana", caption=CAPTION)
    page = ana.share(merchant=merchant, url=f"{site.origin}/slow", title="Slow mornings", name="Ana", caption=CAPTION)
    bought = {"items": [{"variant": cup["variants"][0]["id"], "quantity": 1}], "wall": wall}
    places = Places(
        api=demo.url,
        site=site,
        merchant=merchant,
        wall=wall,
        product=cup["id"],
        empty=shop.wall(title="Nothing yet")["id"],
        code=str(shared["code"]),
        code_of_page=str(page["code"]),
        checkout=ok(shop.public.post("/v1/checkouts", json=bought), 201)["id"],
        token=ana.token or "",
    )
    _write(places, walls)
    return places


def _products(shop: TestMerchant, pictures: str) -> tuple[JSON, list[str]]:
    """A cup with two prices, one of them reduced; what is sold out; what has no price."""
    small = {"title": "Small", "price": {"amount": 1500, "currency": "eur"}}
    large = {
        "title": "Large",
        "price": {"amount": 2500, "currency": "eur"},
        "compare_at": {"amount": 3000, "currency": "eur"},
    }
    picture = f"{pictures}pictures/colline-mug.png"
    cup = shop.product(CUP, description=ABOUT_THE_CUP, variants=[small, large], images=[picture])
    bowl = shop.product("Bowl", variants=[{"price": {"amount": 900, "currency": "eur"}, "stock": 0}])
    more = [shop.product(f"A thing with a rather long name, number {number}", price=None) for number in range(3)]
    return cup, [each["id"] for each in (bowl, *more)]


def _write(places: Places, walls: dict[str, str]) -> None:
    """The page of a friend's on which all elements stand, and the same from right to left."""
    body = "".join(foreign.wall(wall, layout=layout) for layout, wall in walls.items())
    here = f"{places.site.origin}/all-elements"
    share = f'<grapevine-share merchant="{places.merchant}" url="{here}">Pass it on</grapevine-share>'
    body = f"<h1>Elsewhere</h1>{body}{foreign.product(places.product)}{share}"
    places.site.write(f"<main>{body}</main>", "/all-elements")
    places.site.write(f'<main dir="rtl">{body}</main>', "/all-elements-rtl")


def large_wall(demo: Demo, shop: TestMerchant) -> JSON:
    """A wall of MANY things, each with a picture."""
    picture = f"{demo.blog}pictures/colline-mug.png"
    rows = [f"thing-{number},Thing {number:04},10,{picture}?{number},of-a-thousand" for number in range(MANY)]
    content = "\n".join(["Handle,Title,Variant Price,Image Src,Tags", *rows]).encode()
    files = {"file": ("products.csv", content, "text/csv")}
    begun = ok(shop.http.post("/v1/imports", data={"format": "shopify_csv"}, files=files), 202)
    assert MANY == shop.finished(begun)["created"]
    return shop.wall(title="A thousand", products={"tag": "of-a-thousand", "limit": MANY})
