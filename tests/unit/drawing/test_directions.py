"""Texts of both directions are seen in the order in which people read them."""

from itertools import groupby

import pytest

from app.storefront.pictures.drawing.directions import as_seen, is_right_to_left, levels


def seen(text: str) -> str:
    """`text` as it stands on paper, from left to right."""
    level_at = levels(text, right_to_left=is_right_to_left(text))
    pieces = [
        (level, "".join(char for _, char in group))
        for level, group in groupby(zip(level_at, text, strict=True), key=lambda each: each[0])
    ]
    return "".join(part[::-1] if level % 2 else part for level, part in as_seen(pieces))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mug", "Mug"),
        ("", ""),
        ("250 ml", "250 ml"),
        ("אבג", "גבא"),
        ("אב 250 גד", "דג 250 בא"),
        ("אב 1,250.50 גד", "דג 1,250.50 בא"),
        ("ב-1", "1-ב"),
        ("50% אב", "בא 50%"),
        ("אב $50", "$50 בא"),
        ("אב Mug גד", "דג Mug בא"),
        ("אב Mug 250 גד", "דג Mug 250 בא"),
        ("אב Mug!", "!Mug בא"),
        ("Mug אב גד ml", "Mug דג בא ml"),
        ("Mug אב 12 גד ml", "Mug דג 12 בא ml"),
        ("Mug אב!", "Mug בא!"),
        ("12 אב", "בא 12"),
    ],
)
def test_a_line_is_seen_as_it_is_read(text: str, expected: str) -> None:
    assert expected == seen(text)


def test_a_mark_stays_with_its_letter() -> None:
    assert [1, 1, 1] == levels("\u05d0\u05b8\u05d1", right_to_left=True)
    assert [1] == levels("\u05b8", right_to_left=True)


@pytest.mark.parametrize(("text", "expected"), [("Mug", False), ("12 أ", True), ("... א Mug", True), ("12", False)])
def test_the_first_letter_says_where_reading_begins(text: str, expected: bool) -> None:
    assert expected == is_right_to_left(text)
