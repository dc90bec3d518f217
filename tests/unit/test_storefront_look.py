"""A wall's theme in a page: its own colours, and nothing that anybody could write into a style."""

import base64
import hashlib

import pytest

from app.storefront.look import letting_in, scheme_of, source_of, style_of


def test_a_theme_becomes_declarations() -> None:
    assert ":root{--accent:#0b6e4f;--round:0px}" == style_of({"accent": "#0b6e4f", "radius": 0})
    assert "" == style_of({"scheme": "dark", "accent": None, "radius": None})


@pytest.mark.parametrize("accent", ["red", "#fff", "#0b6e4f}", "#0b6e4f;x", "</style>", 7, None])
def test_what_is_no_colour_never_reaches_a_style(accent: object) -> None:
    assert "" == style_of({"accent": accent, "radius": "4px;}"})


def test_the_scheme_is_the_readers_unless_the_theme_says_otherwise() -> None:
    themes = [{"scheme": "dark"}, {"scheme": "light"}, {"scheme": "auto"}, {"scheme": "x"}, {}]
    assert ["dark", "light", None, None, None] == [scheme_of(theme) for theme in themes]


def test_only_this_style_is_let_in() -> None:
    headers = [(b"content-security-policy", b"default-src 'self'"), (b"x", b"y")]
    digest = base64.b64encode(hashlib.sha256(b":root{}").digest()).decode()
    assert f"'sha256-{digest}'" == source_of(":root{}")
    assert letting_in(":root{}", headers) == [
        (b"content-security-policy", f"default-src 'self'; style-src 'self' 'sha256-{digest}'".encode()),
        (b"x", b"y"),
    ]
    assert headers == letting_in("", headers)
