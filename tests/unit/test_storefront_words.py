"""Which language is spoken, and that each says everything."""

from string import Formatter

import pytest

from app.resources import WIDGETS
from app.storefront.words import Words, network_name, preferred

OURS = ("en", "fr")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("FR-ca", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr;q=0.5, en;q=0.4", "fr"),
        ("fr;q=0, en;q=0.1", "en"),
        ("de, es;q=0.9, fr;q=0.1", "fr"),
        ("de", "en"),
        ("*", "en"),
        ("fr;q=nonsense", "en"),
        (";;;,,,=", "en"),
        ("fr ; q=1.0", "fr"),
    ],
)
def test_the_visitors_best_language_of_ours_is_spoken(header: str, language: str) -> None:
    assert preferred(header, OURS) == language


def test_every_language_says_everything_with_the_same_blanks() -> None:
    words = Words(WIDGETS / "messages")
    english = words["en"]
    for language in ("fr",):
        assert words[language].keys() == english.keys()
        for key, text in words[language].items():
            assert _blanks(text) == _blanks(english[key]), key


def test_a_wall_may_have_a_language_of_its_own() -> None:
    words = Words(WIDGETS / "messages")
    assert words.of_locale("fr-CH", "en") == "fr"
    assert words.of_locale("de-AT", "fr") == "fr"
    assert words.of_locale(None, "fr") == "fr"


def test_networks_that_are_never_offered_are_named_on_pages_and_cost_widgets_nothing() -> None:
    words = Words(WIDGETS / "messages")
    assert "Sur le site" == network_name("onsite", words["fr"])
    assert "E-mail" == network_name("email", words["fr"])
    assert "WhatsApp" == network_name("whatsapp", words["fr"])
    assert "fidonet" == network_name("fidonet", words["fr"])
    assert "Sur le site" not in words.for_widgets("fr").values()


def _blanks(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text)} - {None}
