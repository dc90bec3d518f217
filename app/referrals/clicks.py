"""Click ids and codes of links in what other systems hand on: by themselves, in a landing address, in a coupon field,
in a note. Pure: whether there is such a click or link is not known here."""

import re
from typing import Final

from app.kernel.ids import is_code

LONGEST_ADDRESS: Final = 2_000
"""Characters of a landing address that are read."""

_CLICK = "clk_[0-9a-hjkmnp-tv-z]{30}"
_PARAMETER = re.compile(rf"gv_click(?:=|%3D)({_CLICK})(?![0-9a-z_])", re.IGNORECASE)
_ANYWHERE = re.compile(rf"(?<![0-9a-z_])({_CLICK})(?![0-9a-z_])", re.IGNORECASE)
_LINK = re.compile(r"/r/([0-9A-Za-z]+)")


def click_in(text: str) -> str | None:
    """The click id that `text` holds, known or not: its last `gv_click` parameter (a copied address may carry an older
    one in front), else the first click id that stands in it by itself. None if there is none.

    Whatever its case: shops write coupons in capitals, and ids are lower case.
    """
    named = _PARAMETER.findall(text)
    if named:
        return str(named[-1]).lower()
    alone = _ANYWHERE.search(text)
    return None if alone is None else alone[1].lower()


def code_in(text: str) -> str | None:
    """The code of a link that `text` is, or whose address (`/r/CODE`) it holds. None if it has not the shape."""
    alone = text.strip()
    if is_code(alone):
        return alone
    return next((code for code in _LINK.findall(text) if is_code(code)), None)
