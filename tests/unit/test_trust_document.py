"""docs/trust.md says of every rule what it is in the code, and nothing of rules that are not."""

import re
from pathlib import Path

from app.trust.rules import RULES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "trust.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL))


def test_every_rule_has_its_place_in_their_order() -> None:
    assert list(RULES) == list(SECTIONS)


def test_every_threshold_is_told_with_its_bounds() -> None:
    row = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (\w+) \|$", re.MULTILINE)
    told = {
        code: {name: (*map(int, numbers), unit) for name, *numbers, unit in row.findall(text)}
        for code, text in SECTIONS.items()
    }
    assert {code: {name: tuple(each) for name, each in rule.thresholds.items()} for code, rule in RULES.items()} == told


def test_what_a_rule_does_by_itself_is_told_where_it_can_be_changed() -> None:
    for code, rule in RULES.items():
        alike = "The same of shares" in SECTIONS[code]
        assert (rule.fixed is None) == (f"itself: `{rule.usual}`" in " ".join(SECTIONS[code].split()) or alike), code
