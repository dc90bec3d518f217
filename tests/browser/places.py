"""What there is to look at: a wall with everything that a card can be, and every page and frame that shows it."""

from dataclasses import dataclass
from typing import Final

from tests.browser import foreign
from tests.browser.demo import Demo
from tests.browser.foreign import Elsewhere
from tests.shop import JSON, TestMerchant, ok

LAYOUTS: Final = ["grid", "list", "carousel", "single"]
PAGES: Final = ["wall", "product", "link", "thanks", "notice", "code to embed"]
FRAMES: Final = ["framed wall", "framed list", "framed carousel", "framed single", "framed product", "framed link"]
ELEMENTS: Final = ["elements", "elements from right to left"]

CUP: Final = "Cup of the house"
ABOUT_THE_CUP: Final = "Turned by hand.\nHolds a quarter of a litre."
CAPTION: Final = "For the first hour of the day"


@dataclass(frozen=True)
class Places:
    """Addresses at the server `api` and at a friend's site, and what is found there."""

    api: str
    site: Elsewhere
    merchant: str
    wall: str
    product: str
    code: str
    checkout: str

    def seen(self, name: str) -> str:
        """The address at which `name` is met: frames stand in a page of the friend's."""
        if name not in FRAMES:
            return self.of(name)
        frame = f'<iframe src="{self.of(name)}" title="From the shop" width="100%" height="700"></iframe>'
        return self.site.write(f"<main><h1>Elsewhere</h1>{frame}</main>", f"/{name.replace(' ', '-')}")

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
            "framed wall": frame,
            "framed list": f"{frame}?layout=list",
            "framed carousel": f"{frame}?layout=carousel",
            "framed single": f"{frame}?layout=single",
            "framed product": f"{self.api}/embed/products/{self.product}",
            "framed link": f"{self.api}/embed/r/{self.code}",
            "elements": f"{self.site.origin}/all-elements",
            "elements from right to left": f"{self.site.origin}/all-elements-rtl",
        }[name]


def make(demo: Demo, shop: TestMerchant, site: Elsewhere) -> Places:
    """Make it all, with pictures of the demonstration's."""
    cup, others = _products(shop, demo.blog)
    walls = {layout: shop.wall(cup["id"], *others, title=f"On the {layout}")["id"] for layout in LAYOUTS}
    wall = walls["grid"]
    shared = shop.shopper().share(cup["id"], wall=wall, name="Ana", caption=CAPTION)
    bought = {"items": [{"variant": cup["variants"][0]["id"], "quantity": 1}], "wall": wall}
    places = Places(
        api=demo.url,
        site=site,
        merchant=ok(shop.http.get("/v1/merchant"))["id"],
        wall=wall,
        product=cup["id"],
        code=str(shared["url"]).rpartition("/")[2],
        checkout=ok(shop.public.post("/v1/checkouts", json=bought), 201)["id"],
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
