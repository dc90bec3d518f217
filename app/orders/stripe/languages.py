"""In which language Stripe's page greets the buyer. Pure.

Stripe's list: its OpenAPI document, `locale` of a checkout session (a test compares the two).
"""

from app.kernel.languages import accepted

AUTO = "auto"
"""Stripe's page chooses by the browser itself."""

_LOCALES = """
    bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
    th tr vi zh zh-HK zh-TW
"""
LOCALES = frozenset(_LOCALES.split())
_BY_TAG = {locale.lower(): locale for locale in LOCALES}
_SAME = {"no": "nb", "nn": "nb", "tl": "fil", "in": "id", "mo": "ro"}
"""Other names, or the next of kin, of languages on the list."""
_TRADITIONAL = {"zh-hant": "zh-TW", "zh-mo": "zh-HK", "zh-hant-hk": "zh-HK", "zh-hant-mo": "zh-HK"}
_LATIN_AMERICAN = {"ar", "bo", "cl", "co", "cr", "cu", "do", "ec", "gt", "hn", "mx", "ni"}
_LATIN_AMERICAN |= {"pa", "pe", "pr", "py", "sv", "us", "uy", "ve"}
_BRITISH = {"au", "ie", "in", "nz", "za"}
"""Their English is written as Britain's."""


def locale_for(accept_language: str | None) -> str:
    """The locale of Stripe's for an Accept-Language header: the first language that both know, else `auto`."""
    return next((locale for tag in accepted(accept_language) if (locale := _nearest(tag)) is not None), AUTO)


def _nearest(tag: str) -> str | None:
    """The best of the list for one tag: itself, then with less and less behind it (RFC 4647, 3.4)."""
    language, _, rest = tag.partition("-")
    region = rest.rpartition("-")[2]
    if language == "es" and region in _LATIN_AMERICAN:
        return "es-419"
    if language == "en" and region in _BRITISH:
        return "en-GB"
    while tag:
        found = _BY_TAG.get(tag) or _TRADITIONAL.get(tag) or _SAME.get(tag)
        if found is not None:
            return found
        tag = tag.rpartition("-")[0]
    return None
