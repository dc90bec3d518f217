"""What a page that embeds a frame may choose, and who may show it."""

import pytest

from app.storefront.embeds.answers import policy
from app.storefront.embeds.frames import MOST, STEPS, USUAL, FrameChoice
from app.storefront.look import source_of

OWN = "https://g.example"


def test_a_page_chooses_by_the_query() -> None:
    query = {"layout": "list", "theme": "dark", "cards": "6", "wall": "wall_1", "other": "x"}
    assert FrameChoice("list", "dark", 6, "fr", "wall_1") == FrameChoice.of(query, "fr")


@pytest.mark.parametrize(
    ("query", "cards"),
    [({}, USUAL), ({"cards": "0"}, 1), ({"cards": "999"}, MOST), ({"cards": "-3"}, USUAL), ({"cards": "99999"}, USUAL)],
)
def test_how_many_cards_has_bounds(query: dict[str, str], cards: int) -> None:
    assert cards == FrameChoice.of(query, "").cards


def test_how_many_cards_is_one_of_a_few_numbers_and_never_more_than_was_asked_for() -> None:
    asked = {count: FrameChoice.of({"cards": str(count)}, "").cards for count in range(1, 1000)}
    assert set(STEPS) == set(asked.values())
    assert all(given <= count for count, given in asked.items())
    assert {step: step for step in STEPS} == {count: asked[count] for count in STEPS}


def test_what_does_not_matter_makes_no_frame_of_its_own() -> None:
    many = {"layout": "list", "theme": "dark", "cards": "6", "wall": "wall_1"}
    assert FrameChoice("list", "dark", 6, "fr") == FrameChoice.of(many, "fr").for_cards()
    assert FrameChoice(theme="dark", language="fr", wall="wall_2") == FrameChoice.of(many, "fr").for_one("wall_2")
    alone = [FrameChoice.of({"layout": "single", "cards": count}, "").for_cards() for count in ("1", "6", "48")]
    assert ({FrameChoice("single")}, 1) == (set(alone), alone[0].most)


@pytest.mark.parametrize("query", [{"layout": "spiral"}, {"theme": "pink"}, {"wall": "w" * 65}, {"wall": ""}])
def test_what_makes_no_sense_is_not_there(query: dict[str, str]) -> None:
    assert FrameChoice() == FrameChoice.of(query, "")


@pytest.mark.parametrize(
    ("allowed", "ancestors"),
    [
        ([], "frame-ancestors 'self'"),
        (["https://a.example", "http://b.example:8080"], "frame-ancestors 'self' https://a.example http://b.example:8080"),
        (["https://a.example", "*"], "frame-ancestors *"),
    ],
)  # fmt: skip
def test_the_merchants_list_says_who_may_show_it(allowed: list[str], ancestors: str) -> None:
    assert ancestors == policy(OWN, allowed, ":root{}").rpartition("; ")[2]


def test_nothing_but_our_own_files_runs_in_a_frame() -> None:
    rules = policy(OWN, [], ":root{}").split("; ")
    assert rules[:-1] == [
        "default-src 'none'",
        f"script-src 'self' {OWN}",
        f"style-src {source_of(':root{}')}",
        f"connect-src 'self' {OWN}",
        "img-src * data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
