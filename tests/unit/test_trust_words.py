"""What is said of rules and doubts: in both languages alike, of every rule, and of whatever evidence is kept."""

import re
from string import Formatter
from typing import Any, cast

import pytest

from app.trust import sentences
from app.trust.found import Evidence
from app.trust.rules import RULES, Do, click_stuffing, own_device, own_mail, velocity_likes, velocity_visits
from app.trust.rules.click_stuffing import Crowd
from app.trust.rules.own_device import SameDevice
from app.trust.rules.pace import Busy
from app.trust.rules.same_buyer import SameBuyer
from app.trust.sentences import SPEECH
from app.trust.wire import DoubtWithDecisions

ENGLISH, FRENCH = SPEECH.tables["en"], SPEECH.tables["fr"]
DOUBTING = [code for code, rule in RULES.items() if rule.fixed is None]


def names(text: str) -> set[str]:
    """The placeholders of a template."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def thresholds(code: str) -> dict[str, int]:
    return dict(RULES[code].usual_thresholds())


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    assert {key: names(text) for key, text in ENGLISH.items()} == {key: names(text) for key, text in FRENCH.items()}


def test_every_rule_is_said_and_nothing_of_rules_that_are_not() -> None:
    said = {key.partition(".")[2] for key in ENGLISH if key.startswith("rule.")}
    assert set(RULES) == said
    assert set(DOUBTING) == {key.partition(".")[2] for key in ENGLISH if key.startswith("doubt.")}
    assert {*Do, "yours.credit", "yours.refuse"} == {
        key.partition(".")[2] for key in ENGLISH if key.startswith("standing.")
    }


def test_a_sentence_of_a_rule_names_all_of_its_thresholds() -> None:
    for code, rule in RULES.items():
        assert names(ENGLISH[f"rule.{code}"]) == set(rule.thresholds), code


def test_no_sentence_has_an_apostrophe_of_a_typewriter_and_french_breaks_no_line_before_its_punctuation() -> None:
    assert not [text for table in SPEECH.tables.values() for text in table.values() if "'" in text]
    assert not [text for text in FRENCH.values() if re.search(r"\S[:;!?»]| [:;!?%»]|«(?!\u00a0)", text)]


def test_a_rule_is_said_with_what_counts_now() -> None:
    said = sentences.of_rule(RULES["coupon_site"], {"latest": 60, "strangers": 12, "percent": 75})
    assert "the latest 60 orders with a code" in said["en"]
    assert "at least 12 orders, and at least 75%" in said["en"]
    assert "au moins 75\u00a0%" in said["fr"]
    said = sentences.of_rule(RULES["refunds_in_series"], {"orders": 1, "days": 30})
    assert "Within 30 days, the same buyer took back at least 1 order whole." == said["en"]


def test_why_a_rule_cannot_be_changed_is_said_of_those_alone() -> None:
    assert DOUBTING == [code for code, rule in RULES.items() if sentences.because(rule) is None]


def evidence_of_each() -> dict[str, Evidence | None]:
    """What rules tell that have most to tell."""
    return {
        "own_mail": own_mail.judge(SameBuyer("ord_1", False, ["ord_2"])),
        "own_device": own_device.judge(SameDevice("ord_1", False, ["ref_1", "ref_2"])),
        "click_stuffing": click_stuffing.judge(Crowd(200, 200, 3, 150, 1), thresholds("click_stuffing")),
        "velocity_visits": velocity_visits.judge(61, thresholds("velocity_visits")),
        "velocity_likes": velocity_likes.judge(Busy(61, 70), thresholds("velocity_likes")),
    }


def test_what_was_found_is_said_with_its_figures() -> None:
    found = {code: sentences.of_doubt(code, told or {}, "flag") for code, told in evidence_of_each().items()}
    beginnings = {
        "own_mail": "The sharer has 1 order with the mail address of ord_1,",
        "own_device": "On the device of ord_1 the sharer made 2 referrals that day,",
        "click_stuffing": (
            "Within 10 minutes, the links of this person had 200 visits: 200 visits from 3 devices that could be told "
            "apart, and 150 visits that 1 visitor claimed."
        ),
        "velocity_visits": "Within 10 minutes, this referral had 61 visits from one network block.",
        "velocity_likes": "Within 10 minutes, there were 61 likes of its visitor, and 70 likes from its block.",
    }
    for code, beginning in beginnings.items():
        assert found[code]["en"].startswith(beginning), found[code]["en"]
        assert "{" not in found[code]["fr"]


@pytest.mark.parametrize("evidence", [{}, {"minutes": 10}, {"other": "figures", "minutes": "many"}])
def test_evidence_of_another_release_is_still_told_by_its_rule(evidence: Evidence) -> None:
    said = sentences.of_doubt("velocity_visits", evidence, "hold")
    expected = "The rule velocity_visits found something doubtful. Nothing is earned through it until you decide."
    assert expected == said["en"]
    assert "The rule no_more found something doubtful." in sentences.of_doubt("no_more", evidence, "flag")["en"]


def test_the_example_of_the_apis_page_is_what_would_be_said() -> None:
    (example,) = cast("list[dict[str, Any]]", DoubtWithDecisions.model_config["json_schema_extra"]["examples"])  # type: ignore[index]
    assert example == DoubtWithDecisions.model_validate(example).model_dump(mode="json")
    assert example["explanation"] == sentences.of_doubt(example["rule"], example["evidence"], "yours.refuse")
