"""In which language Stripe's page greets the buyer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.stripe.parameters.builtin import SCHEMAS
from app.orders.stripe.languages import AUTO, LOCALES, locale_for
from tests.stripe_document import request_of


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        (None, "auto"),
        ("", "auto"),
        ("*", "auto"),
        ("fr", "fr"),
        ("FR-fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr-CA"),
        ("de-AT", "de"),
        ("en-US,en;q=0.9", "en"),
        ("en-GB", "en-GB"),
        ("en-AU,en;q=0.9", "en-GB"),
        ("es-ES", "es"),
        ("es-MX,es;q=0.9", "es-419"),
        ("es-419", "es-419"),
        ("pt-BR", "pt-BR"),
        ("pt-PT", "pt"),
        ("zh-CN", "zh"),
        ("zh-TW", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-Hant-TW", "zh-TW"),
        ("zh-Hant-HK", "zh-HK"),
        ("zh-Hans-SG", "zh"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("tl-PH", "fil"),
        ("ar, he;q=0.9, sv;q=0.1", "sv"),
        ("ar", "auto"),
        ("fr;q=0, it;q=0.1", "it"),
        ("it;q=0.5, ja", "ja"),
        ("fr;q=nonsense", "auto"),
        (";;;,,,=", "auto"),
        ("-", "auto"),
        ("x" * 10_000, "auto"),
        ("<script>", "auto"),
    ],
)
def test_the_buyers_best_language_of_stripes_is_asked_for(header: str | None, locale: str) -> None:
    assert locale == locale_for(header)


@given(st.text(max_size=300))
def test_whatever_a_browser_says_stripe_gets_a_locale_that_it_knows(header: str) -> None:
    assert locale_for(header) in LOCALES | {AUTO}


def test_our_list_of_locales_is_stripes() -> None:
    what = ("POST", "/v1/checkout/sessions")
    asked: Any = request_of(*what) or SCHEMAS[what]
    assert {*asked["properties"]["locale"]["enum"]} == LOCALES | {AUTO}
