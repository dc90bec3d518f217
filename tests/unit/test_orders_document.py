"""docs/orders.md says what the code does: its table has every message, its diagrams have the code's states."""

import re
from pathlib import Path
from typing import get_args

import pytest

from app.orders.lifecycle import OrderStatus, dispute_counts, furthest, refund_counts
from app.orders.stripe import messages

DOCUMENT = (Path(__file__).parents[2] / "docs" / "orders.md").read_text("utf-8")
DIAGRAMS = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOCUMENT, re.DOTALL)
CHECKOUT, ORDER, REFUND, DISPUTE = DIAGRAMS


def edges(diagram: str) -> set[tuple[str, str]]:
    """From which state to which, without beginning and end."""
    found = re.findall(r"^ +(\w+) --> (\w+)", diagram, re.MULTILINE)
    return {(before, after) for before, after in found}


def states(diagram: str) -> set[str]:
    return {state for state in re.findall(r"(\w+) -->|--> (\w+)", diagram) for state in state if state}


def test_the_table_has_every_message_that_does_something_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_.]+)` \|", DOCUMENT, re.MULTILINE)

    assert sorted(messages.INTERESTING) == sorted(rows)


def test_a_checkout_goes_on_along_the_arrows_and_never_back() -> None:
    assert {"asking", "open", "paying", "expired", "failed", "paid"} == states(CHECKOUT)
    for before, after in edges(CHECKOUT):
        assert after == furthest(before, after) == furthest(after, before)


def test_the_states_of_an_order_are_those_of_its_status() -> None:
    assert set(get_args(OrderStatus)) == states(ORDER)


def test_a_refund_counts_in_the_states_that_are_not_final() -> None:
    final = set(re.findall(r"(\w+) --> \[\*\]", REFUND))

    assert {"pending", "succeeded", "requires_action"} == {state for state in states(REFUND) if refund_counts([state])}
    assert final == {state for state in states(REFUND) if not refund_counts([state])}


@pytest.mark.parametrize(("box", "takes"), [("inquiry", False), ("dispute", True)])
def test_a_dispute_counts_in_its_box_and_an_inquiry_does_not(box: str, takes: bool) -> None:
    inside = re.search(rf"as {box} {{(.*?)}}", DISPUTE, re.DOTALL)
    assert inside is not None
    assert {takes} == {dispute_counts([state]) for state in states(inside[1])}
    for ends in ("won", "funds_reinstated"):
        assert f"dispute --> {ends}" in DISPUTE
        assert not dispute_counts(["needs_response", ends])
