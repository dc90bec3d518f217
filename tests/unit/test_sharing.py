"""A merchant's settings for shares, as they are kept and as pages are told."""

import json

import pytest

from app.merchants.origins import normal_page
from app.merchants.sharing import Sharing
from app.networks.catalogue import SHAREABLE

EVERYTHING = Sharing(("email", "whatsapp", "copy"), True, "https://shop.example/rewards", True)


@pytest.mark.parametrize("sharing", [Sharing(), EVERYTHING])
def test_settings_are_the_same_after_they_were_kept(sharing: Sharing) -> None:
    assert sharing == Sharing.from_json(json.loads(json.dumps(sharing.to_json())))


def test_where_nothing_was_set_the_defaults_hold() -> None:
    assert Sharing(None, False, None, False) == Sharing.from_json(None) == Sharing.from_json({})


def test_networks_are_offered_in_the_merchants_order_and_all_where_they_say_nothing() -> None:
    assert ("email", "whatsapp", "copy") == tuple(each.id for each in EVERYTHING.offered())
    assert tuple(each.id for each in Sharing().offered()) == SHAREABLE


def test_a_network_that_is_offered_no_more_is_left_out() -> None:
    assert ["copy"] == [each.id for each in Sharing(("friendster", "copy", "meta", "onsite")).offered()]


def test_people_are_told_of_rewards_and_their_terms_and_of_nothing_else() -> None:
    assert {"rewarded": True, "terms": "https://shop.example/rewards"} == EVERYTHING.told()


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://Shop.Example:443", "https://shop.example/"),
        (" https://shop.example/a b?c=d e#f g ", None),
        ("https://shop.example/é?q=ü&x=%20#ß", "https://shop.example/%C3%A9?q=%C3%BC&x=%20#%C3%9F"),
        ("https://bücher.example/terms", "https://xn--bcher-kva.example/terms"),
        ("http://shop.example/#top", "http://shop.example/#top"),
        ("javascript:alert(1)", None),
        ("//shop.example/", None),
        ("https://user:secret@shop.example/", None),
        ("https://shop.example/\n", "https://shop.example/"),
        ("https://shop.example/\x00", None),
        ('https://shop.example/"><script>', "https://shop.example/%22%3E%3Cscript%3E"),
        ("https://", None),
    ],
)
def test_people_are_only_led_to_pages_of_the_web(typed: str, address: str | None) -> None:
    if address is None:
        with pytest.raises(ValueError, match="http"):
            normal_page(typed)
    else:
        assert address == normal_page(typed) == normal_page(address)
