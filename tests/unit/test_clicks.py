"""Click ids and codes of links, found in what other systems hand on."""

import pytest

from app.referrals.clicks import click_in, code_in

CLICK = "clk_01k9xkq2v900000001abcdefghjkmn"
OTHER = "clk_01k9xkq2v900000001zzzzzzzzzzzz"


@pytest.mark.parametrize(
    "text",
    [
        CLICK,
        CLICK.upper(),
        f"  {CLICK}\n",
        f"https://shop.example/mug?size=xl&gv_click={CLICK}&utm_source=x#top",
        f"/mug?gv_click={CLICK}",
        f"https://shop.example/?ref={OTHER}&gv_click={CLICK}",
        f"https://shop.example/?gv_click={OTHER}&gv_click={CLICK}",
        f"https://pay.example/?back=https%3A%2F%2Fshop.example%2F%3Fgv_click%3D{CLICK}",
        f"https://pay.example/?back=https%3a%2f%2fshop.example%2f%3fgv_click%3d{CLICK}",
        f"A gift for Ana. ({CLICK}) Thanks!",
        f"note {CLICK}; {OTHER}",
    ],
)
def test_a_click_id_is_found_where_a_shop_put_it(text: str) -> None:
    assert CLICK == click_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clk_",
        CLICK[:-1],
        CLICK + "0",
        "x" + CLICK,
        CLICK.replace("01k9", "01ku"),  # no such letter in ids
        CLICK.replace("clk_", "ref_"),
        "https://shop.example/?gv_click=",
        "gv_click=" * 100_000,
        "clk_" * 100_000,
    ],
)
def test_what_is_no_click_id_is_none(text: str) -> None:
    assert click_in(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Abc123xyZ", "Abc123xyZ"),
        (" Abc123xyZ ", "Abc123xyZ"),
        ("https://links.example/r/Abc123xyZ", "Abc123xyZ"),
        ("https://links.example/r/Abc123xyZ?utm=1#x", "Abc123xyZ"),
        ("/r/nope /r/Abc123xyZ", "Abc123xyZ"),
        ("Abc123xy", None),
        ("Abc123xy0", None),
        ("Abc123xyZZ", None),
        ("https://links.example/r/Abc123xyZZ", None),
        ("https://links.example/p/Abc123xyZ", None),
        ("", None),
        ("/r/" * 100_000, None),
    ],
)
def test_the_code_of_a_link_is_found_by_itself_or_in_its_address(text: str, code: str | None) -> None:
    assert code == code_in(text)
