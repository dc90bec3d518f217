"""docs/attribution.md is run: its histories are moved in, its questions asked, its answers compared.

Blocks say what they are after their language: `history` (a new merchant), `later` (the same one), `verdict` (the answer
to the lines before), `preview` and its `answer`, `explanation <order>`.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.moving import bring
from tests.shop import JSON, TestMerchant, ok

DOCUMENT = Path(__file__).parents[2] / "docs" / "attribution.md"
KINDS = ("history", "later", "verdict", "preview", "answer", "explanation")
_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+) (\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """One example's part: what it is, about which order, its text."""

    kind: str
    about: str | None
    text: str


def sections() -> Iterator[tuple[str, list[Block]]]:
    """The sections of the document that have examples."""
    parts = _HEADING.split(DOCUMENT.read_text("utf-8"))
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        blocks = [Block(kind, about, body) for _, kind, about, body in _BLOCK.findall(text)]
        assert 2 * len(blocks) == text.count("\n```"), f"{title}: a block does not say what it is"
        if blocks:
            yield title, blocks


SECTIONS = dict(sections())


def part_of(shown: Any, answer: Any) -> bool:
    """Whether `answer` says all that is `shown`: the same fields, and the same lists, of such parts."""
    if isinstance(shown, dict):
        return isinstance(answer, dict) and all(
            key in answer and part_of(value, answer[key]) for key, value in shown.items()
        )
    if isinstance(shown, list):
        same = isinstance(answer, list) and len(shown) == len(answer)
        return same and all(part_of(*pair) for pair in zip(shown, answer, strict=True))
    if isinstance(shown, str):  # nobody sees which kind of space stands in a document
        return isinstance(answer, str) and _SPACES.sub(" ", shown) == _SPACES.sub(" ", answer)
    return bool(shown == answer)


_SPACES = re.compile(r"[\u00a0\u202f]")


class Reader:
    """Does what one section says, block after block."""

    def __init__(self, new_merchant: Callable[..., TestMerchant]) -> None:
        self._new_merchant = new_merchant
        self._merchant: TestMerchant | None = None
        self._answer: JSON = {}
        self.compared = 0

    @property
    def merchant(self) -> TestMerchant:
        assert self._merchant is not None, "a section begins with a history"
        return self._merchant

    def read(self, block: Block) -> None:
        match block.kind:
            case "history" | "later":
                self._merchant = self._new_merchant() if block.kind == "history" else self.merchant
                self._answer = bring(self.merchant, block.text.encode())
            case "preview":
                asked = json.loads(block.text)
                self._answer = dict(ok(self.merchant.http.post("/v1/attribution/preview", json=asked)))
            case "explanation":
                self._answer = self._explanation(str(block.about))
                self._compare(block)
            case _:
                self._compare(block)

    def _explanation(self, external_id: str) -> JSON:
        orders = ok(self.merchant.http.get("/v1/orders"))["data"]
        return self.merchant.explanation(next(each["id"] for each in orders if each["external_id"] == external_id))

    def _compare(self, block: Block) -> None:
        assert part_of(json.loads(block.text), self._answer), (block.text, json.dumps(self._answer, indent=1))
        self.compared += 1


@pytest.mark.parametrize("title", SECTIONS)
def test_the_document_says_what_happens(new_merchant: Callable[..., TestMerchant], title: str) -> None:
    reader = Reader(new_merchant)
    for block in SECTIONS[title]:
        assert block.kind in KINDS, block.kind
        reader.read(block)
    assert reader.compared


def test_an_answer_is_no_part_of_another() -> None:
    answer = {"orders": [{"id": "o1", "net": 100}], "by_sharer": {"eur": {"ana": 100}}}
    assert part_of({"orders": [{"net": 100}]}, answer)
    others: tuple[JSON, ...] = (
        {"orders": []},
        {"orders": [{"net": 99}]},
        {"by_sharer": {"eur": {"bo": 100}}},
        {"more": None},
    )
    assert not any(part_of(other, answer) for other in others)


def test_every_rule_that_has_an_example_is_still_in_the_document() -> None:
    assert {"One sale, with a pencil", "Who is who", "Which touches count", "Coupons", "Chains", "Cents"} <= set(
        SECTIONS
    )
    assert {"Taking back and giving back", "What is learnt late, and `as_of`", "Moving in", "Totals"} <= set(SECTIONS)
