"""docs/widgets.md names what a page may use of the elements, and nothing that is not there."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / "docs" / "widgets.md").read_text("utf-8")
MODULES: Final = {file.name: file.read_text("utf-8") for file in sorted((ROOT / "widgets" / "elements").glob("*.js"))}
SCRIPTS: Final = "\n".join(MODULES.values())
ELEMENTS: Final = (
    "element.js",
    "section.js",
    "wall.js",
    "product.js",
    "share-button.js",
    "share.js",
    "seen.js",
    "click.js",
    "choices.js",
)


def named(pattern: str, text: str) -> set[str]:
    return set(re.findall(pattern, text))


def table_of(heading: str) -> str:
    """The part of the guide below a heading."""
    return re.split(r"\n#", GUIDE.split(f"{heading}\n", 1)[1], maxsplit=1)[0]


def test_every_custom_property_is_told() -> None:
    assert named(r"var\((--grapevine-[a-z-]+)", SCRIPTS) == named(r"`(--grapevine-[a-z-]+)`", GUIDE)


def test_every_part_is_told() -> None:
    made = named(r'\bel\(\s*"[a-z0-9]+",\s*"([a-z -]+)"', SCRIPTS) | named(r'\? "([a-z ]+)" : "card"', SCRIPTS)
    parts = {part for each in made for part in each.split()} | {"card", "title", "turn"}
    only_for_readers = {"hidden", "back", "on"}
    table = re.split(r"For the rest there are parts:", GUIDE)[1].split("```")[0]
    assert parts - only_for_readers == named(r"`([a-z-]+)`", table)


def test_every_event_is_told() -> None:
    events = {f"grapevine-{name}" for name in named(r'\btell\((?:host, )?"([a-z]+)", \{', SCRIPTS)}
    assert events == named(r"\| `(grapevine-[a-z]+)` \|", GUIDE)


def test_every_attribute_is_told() -> None:
    read = named(r'(?:getAttribute|hasAttribute)\("(?!data-)([a-z-]+)"\)', "".join(MODULES[name] for name in ELEMENTS))
    of_the_host = {"theme"}  # read by the style sheet
    assert read | of_the_host == named(r"(?m)^\| `([a-z-]+)` \|", table_of("### Attributes"))


@pytest.mark.parametrize("picture", sorted(named(r"\]\(images/([a-z-]+\.png)\)", GUIDE)))
def test_every_picture_is_there(picture: str) -> None:
    assert (ROOT / "docs" / "images" / picture).exists()


def test_the_pictures_of_the_documentation_are_small_together() -> None:
    assert sum(file.stat().st_size for file in (ROOT / "docs" / "images").iterdir()) < 1_500_000
