"""A key can be told from a mistyped one without a look-up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.merchants.keys import KeyKind, is_well_formed, new_key

KEY = new_key("secret")


@pytest.mark.parametrize(("kind", "prefix"), [("secret", "sk_"), ("report", "rk_")])
def test_a_new_key_begins_with_its_kind_and_is_well_formed(kind: KeyKind, prefix: str) -> None:
    key = new_key(kind)
    assert key.startswith(prefix)
    assert is_well_formed(key)


@given(st.integers(0, len(KEY) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_one_mistyped_character_is_seen(position: int, character: str) -> None:
    mistyped = KEY[:position] + character + KEY[position + 1 :]
    assert is_well_formed(mistyped) == (mistyped == KEY)


@pytest.mark.parametrize(
    "text", ["", "sk_", KEY + "1", KEY[:-1], KEY.upper(), "é" * 41, "rk_" + KEY[3:], "\x00" * 41], ids=lambda _: "text"
)
def test_what_is_no_key_is_refused(text: str) -> None:
    assert not is_well_formed(text)


def test_keys_differ() -> None:
    assert 1000 == len({new_key("secret") for _ in range(1000)})
