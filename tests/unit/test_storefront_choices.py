"""What was chosen in a refused form comes back, and nothing else does."""

import pytest

from app.kernel.ids import new_id
from app.storefront.pages.choices import NOTHING, Chosen, way_back
from tests.clock import START

OWN = "https://grapevine.example"
VARIANT = new_id("var", 7, START)


@pytest.mark.parametrize(
    ("came_from", "form", "led"),
    [
        ("/p/prod_1", "variant=var_1&quantity=3", "/p/prod_1?variant=var_1&quantity=3"),
        ("/p/prod_1?wall=wall_1", "variant=v&quantity=1&coupon=ANA10", "/p/prod_1?wall=wall_1&variant=v&coupon=ANA10"),
        ("/p/prod_1?variant=old&quantity=9", "variant=var_1&quantity=1", "/p/prod_1?variant=var_1"),
        ("/p/prod_1?gv_click=clk_1", "variant=var_1&click=clk_1&wall=w", "/p/prod_1?gv_click=clk_1&variant=var_1"),
        ("/r/Code#top", "variant=var_1&coupon=%F0%9F%8D%87", "/r/Code?variant=var_1&coupon=%F0%9F%8D%87"),
        ("/w/wall_1", "variant=var_1", "/w/wall_1"),
        ("/p/prod_1", "", "/p/prod_1"),
        ("/p/prod_1", "&".join(["a=b"] * 400), "/p/prod_1"),
        ("/p/prod_1", "coupon=%ff", "/p/prod_1?coupon=%EF%BF%BD"),
    ],
)  # fmt: skip
def test_the_way_back_to_a_product_keeps_what_was_chosen(came_from: str, form: str, led: str) -> None:
    assert OWN + led == way_back(OWN + came_from, OWN, form.encode())


@pytest.mark.parametrize("elsewhere", ["https://blog.example/p/1", f"{OWN}.evil.example/p/1", "javascript:alert(1)"])
def test_a_page_that_is_not_ours_is_left_as_it_is(elsewhere: str) -> None:
    assert elsewhere == way_back(elsewhere, OWN, b"variant=var_1")


def test_without_a_page_there_is_no_way_back() -> None:
    assert way_back(None, OWN, b"variant=var_1") is None


def test_a_page_offers_again_what_was_chosen() -> None:
    query = {"variant": VARIANT, "quantity": "12", "coupon": " ana10 ", "wall": "wall_1"}
    assert Chosen(VARIANT, 12, "ana10") == Chosen.of(query, 7)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"variant": "var_x"},
        {"variant": VARIANT.replace("var_", "prod_")},
        {"variant": new_id("var", 8, START)},
        {"quantity": "1"},
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "100"},
        {"quantity": "²"},
        {"quantity": "many"},
        {"coupon": "a\x00b"},
        {"coupon": "x" * 201},
        {"coupon": "  "},
    ],
)
def test_what_cannot_be_chosen_is_not_offered(query: dict[str, str]) -> None:
    assert NOTHING == Chosen.of(query, 7)
