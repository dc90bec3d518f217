"""Words upon a colour that somebody else has chosen."""

import pytest

from app.storefront.pictures.drawing.ink import ink_on


@pytest.mark.parametrize(("color", "ink"), [("#000000", "#fff"), ("#ffb000", "#000"), ("#5b2a86", "#fff")])
def test_words_on_the_accent_can_be_read(color: str, ink: str) -> None:
    assert ink == ink_on(color)
