"""Cards look the same in the elements and on the pages, whose sheets are two: what differs is listed here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

WIDGETS: Final = Path(__file__).parents[2] / "widgets"

Rules = Mapping[str, Mapping[str, str]]
"""Declarations by selector, the condition of a block before it."""

DIFFERENT: Final = {
    # An element has no margins, no lines under links and one font from its first rule on; a page says so where it is.
    "*": {"margin", "padding", "font", "color"},
    "a": {"text-decoration", "outline-offset", "color", "text-underline-offset"},
    ".cards": {"margin", "padding"},
    ".title": {"margin", "font-size", "text-wrap"},
    ".price": {"margin"},
    ".media": {"text-decoration"},
    ".choice>*": {"color", "font"},
    ".buy": {"text-align", "text-decoration", "font", "cursor"},
    ".hidden": {"inline-size", "block-size", "overflow", "white-space"},
    # On a page it has paragraphs, and is never cut.
    ".description": {"display", "overflow", "white-space", "-webkit-box-orient", "-webkit-line-clamp"},
    ".alone .title": {"display"},
}
"""The properties that only one of them has, or that differ."""

OF_ELEMENTS: Final = re.compile(r"like|share|bone|room|:host|^section|^\.alone$|^button$|^svg$|:disabled")
"""Selectors of what a page has not: hearts, share buttons, kept room."""
OF_PAGES: Final = re.compile(
    r":root|^html|^body$|^h[123]$|:focus-visible|passed|\.by$|\.face|grapevine-|\.cards-of"
    r"|:hover|\.form|\.field|\.off|\.none|\.short|\.description p|p\.description|::before|^\.title a$|forced-colors"
)
"""Selectors of what an element has not: forms without scripts, whole descriptions, who passed it on."""


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """What stands before each pair of braces, and what is in it."""
    at = 0
    while found := re.compile(r"([^{}]+)\{").search(text, at):
        depth, at = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield found[1].strip(), text[found.end() : at - 1]


def rules_of(text: str, condition: str = "") -> dict[str, dict[str, str]]:
    """Without comments, spaces, and what only a host may set."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"\s*([*+,/<>=:;{}])\s*", r"\1", re.sub(r"\s+", " ", text))
    rules: dict[str, dict[str, str]] = {}
    for head, body in blocks(text):
        if head.startswith("@"):
            rules |= rules_of(body, head.replace(" ", ""))
            continue
        said = dict(each.split(":", 1) for each in body.split(";") if ":" in each)
        for selector in head.split(","):
            rules.setdefault(f"{condition}{selector}", {}).update({key: plain(value) for key, value in said.items()})
    return rules


def plain(value: str) -> str:
    """A value as it is where the host has set nothing."""
    while found := re.search(r"var\(--(?:grapevine|theme)-[a-z-]+,", value):
        depth, at = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(value[at], 0)
            at += 1
        value = value[: found.start()] + value[found.end() : at - 1] + value[at:]
    return value.strip()


def template(module: str) -> str:
    return str(re.findall(r"= `([^`]*)`", (WIDGETS / "elements" / module).read_text("utf-8"))[0])


ELEMENTS: Final = rules_of(template("styles.js"))
PAGES: Final = rules_of((WIDGETS / "styles" / "cards.css").read_text("utf-8"))
WITH_DARK: Final = "@supports(color:light-dark(#fff,#000))"


def test_a_card_has_the_same_measures_on_a_page_and_in_an_element() -> None:
    different = {
        selector: {name for name in ELEMENTS[selector] | PAGES[selector] if unlike(selector, name)}
        for selector in ELEMENTS.keys() & PAGES.keys()
    }
    assert {selector: names for selector, names in different.items() if names} == DIFFERENT


def unlike(selector: str, name: str) -> bool:
    return ELEMENTS[selector].get(name) != PAGES[selector].get(name)


def test_what_only_one_of_them_shows_is_no_part_of_a_card_in_both() -> None:
    assert [each for each in ELEMENTS.keys() - PAGES.keys() if not OF_ELEMENTS.search(each)] == []
    assert [each for each in PAGES.keys() - ELEMENTS.keys() if not OF_PAGES.search(each)] == []


def colors(rules: Rules, selector: str) -> dict[str, str]:
    return {name: value for name, value in rules[selector].items() if name.startswith("--")}


def test_pages_and_elements_have_the_same_colours() -> None:
    own = {"--page", "--serif"}
    page = {**colors(PAGES, ":root"), **colors(PAGES, f"{WITH_DARK}:root")}
    assert colors(ELEMENTS, "section") == {name: value for name, value in page.items() if name not in own}


def test_browsers_without_a_dark_scheme_get_the_light_colours_of_the_others() -> None:
    def light(said: Mapping[str, str]) -> dict[str, str]:
        found = {name: re.fullmatch(r"light-dark\((#\w+),#\w+\)", value) for name, value in said.items()}
        return {name: match[1] for name, match in found.items() if match}

    pages = light(colors(PAGES, f"{WITH_DARK}:root"))
    assert pages == {name: value for name, value in colors(PAGES, ":root").items() if name in pages}
    assert light(colors(ELEMENTS, "section")) == colors(rules_of(template("light.js")), "section")
