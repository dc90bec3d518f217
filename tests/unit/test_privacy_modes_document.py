"""docs/privacy.md says of each place and mode what app/privacy/modes.py decides there."""

import re
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from app.privacy.modes import CONSENTED, COUNTS, NONE, Said, Touchpoint, might_remember, remembers

TEXT: Final = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text("utf-8")
ROWS: Final = {cells[0]: cells[1:] for cells in re.findall(r"(?m)^\| `(\w+)`[^|]*\|" + r" ([^|]+?) \|" * 5 + "$", TEXT)}
WITH_A_RECEIPT: Final = Said(consented=True)
MODES: Final = ((NONE, Said()), (COUNTS, Said()), (CONSENTED, Said()), (CONSENTED, WITH_A_RECEIPT))


def test_the_table_names_every_place() -> None:
    assert set(Touchpoint) == set(ROWS)


@pytest.mark.parametrize("touchpoint", Touchpoint)
def test_the_table_says_what_is_decided(touchpoint: Touchpoint) -> None:
    *by_mode, after_no = ROWS[touchpoint]
    decided = [remembers(touchpoint, mode, said) for mode, said in MODES]
    assert ["yes" if each else "no" for each in decided] == by_mode
    deliberate = after_no == "as by the mode"
    for (mode, said), before, no in zip(MODES * 2, decided * 2, ["no"] * 4 + ["opted_out"] * 4, strict=True):
        assert (before and deliberate) is remembers(touchpoint, mode, said._replace(**{no: True})), (mode, no)


@pytest.mark.parametrize("touchpoint", Touchpoint)
def test_nobody_is_looked_up_where_it_cannot_matter(touchpoint: Touchpoint) -> None:
    for mode, says_no in product((NONE, COUNTS, CONSENTED), (False, True)):
        said = [Said(says_no, opted_out, agreed) for opted_out, agreed in product((False, True), repeat=2)]
        assert any(remembers(touchpoint, mode, each) for each in said) is might_remember(touchpoint, mode, says_no)
