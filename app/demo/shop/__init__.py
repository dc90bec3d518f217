"""Vine & Thread, the shop of the demonstration: its catalogue in Shopify's form and the pictures drawn for it.

Knows where they lie in the package; knows no server and no database. Each PNG is its drawing in `pictures/src`,
rendered at 800 x 800 in 128 colours: small, and fit for an unfurled link.
"""

from importlib.resources import files

NAME = "Vine & Thread"
CURRENCY = "eur"
FAVOURITE = "moon-tea-bowl"
"""The handle of what stands by itself on the blog."""
_HERE = files(__name__)


def catalogue(pictures: str) -> bytes:
    """The catalogue as a Shopify export, its images under the address `pictures` (without a slash at its end)."""
    return (_HERE / "catalogue.csv").read_bytes().replace(b"{pictures}", pictures.encode())


def picture(name: str) -> bytes | None:
    """The PNG called `name`, such as `olive-soap.png`; None where there is none."""
    known = {entry.name: entry for entry in (_HERE / "pictures").iterdir() if entry.name.endswith(".png")}
    return known[name].read_bytes() if name in known else None
