"""The words that sentences are made of: the same in both languages, each written as the language writes it."""

import re
from fractions import Fraction
from string import Formatter

import pytest

from app.attribution.engine import DOUBTED, Model, Reason, SelfReferral, TouchType, TypePriority, UplineMode
from app.attribution.explanation import End, LeftOut
from app.attribution.sentences.speech import (
    TABLES,
    Count,
    Part,
    Percent,
    Seconds,
    Value,
    listed,
    percentage,
    say,
    together,
)
from app.kernel.money import Money

ENGLISH, FRENCH = TABLES["en"], TABLES["fr"]
OF_ORDERS = {
    *DOUBTED,
    Reason.NO_TOUCH,
    Reason.UNKNOWN_CLICK,
    Reason.SELF_REFERRAL,
    Reason.PREVIOUS_ORDER,
    Reason.BOT,
    Reason.EXPIRED,
    Reason.NOT_KEPT,
}
OF_COUPONS = {
    *DOUBTED,
    Reason.COUPON_OFF,
    Reason.COUPON_UNKNOWN,
    Reason.COUPON_LATER,
    Reason.COUPON_WITHDRAWN,
    Reason.UNKNOWN_REFERRAL,
    Reason.SELF_REFERRAL,
    Reason.NOT_KEPT,
}
OF_TOUCHES = set(Reason) - (OF_ORDERS | OF_COUPONS) | {
    *DOUBTED,
    Reason.SELF_REFERRAL,
    Reason.PREVIOUS_ORDER,
    Reason.BOT,
    Reason.EXPIRED,
}


def names(text: str) -> set[str]:
    """The placeholders of a template."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


# -- the tables --------------------------------------------------------------------------------------------------


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    assert {key: names(text) for key, text in ENGLISH.items()} == {key: names(text) for key, text in FRENCH.items()}


def test_every_reason_is_a_sentence_wherever_it_can_be_told() -> None:
    told = {
        *(f"order.{reason}" for reason in OF_ORDERS),
        *(f"coupon.{reason}" for reason in OF_COUPONS),
        *(f"touch.{reason}" for reason in OF_TOUCHES),
    }
    assert told <= set(ENGLISH)
    assert set(Reason) == OF_ORDERS | OF_COUPONS | OF_TOUCHES


def test_everything_that_a_policy_and_a_chain_can_be_has_its_sentence() -> None:
    words = {
        *(f"policy.{each}" for each in (*Model, *TypePriority, *SelfReferral)),
        *(f"policy.upline.{mode}" for mode in UplineMode),
        *(f"chain.{each}" for each in LeftOut),
        *(f"chain.ends.{each}" for each in End),
        *(f"a.{kind}" for kind in TouchType if kind is not TouchType.DIRECT),
    }
    assert words <= set(ENGLISH)


def test_no_sentence_ends_without_a_full_stop_and_none_has_an_apostrophe_of_a_typewriter() -> None:
    pieces = ("part.", "percent", "people.", "touches.", "a.", "this.", "house", "nobody", "summary.person")
    for table in TABLES.values():
        for key, text in table.items():
            assert "'" not in text, key
            assert text.endswith(".") or key.startswith((*pieces, "summary.others")), key


def test_french_never_breaks_a_line_before_its_high_punctuation() -> None:
    for text in FRENCH.values():
        assert not re.search(r"\S[:;!?»]| [:;!?%»]|«(?!\u00a0)", text), text


# -- values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (Money(123456, "eur"), "€1,234.56", "1\u202f234,56\u00a0€"),
        (Money(500, "jpy"), "¥500", "500\u00a0JPY"),
        (Money(1999, "kwd"), "KWD\u00a01.999", "1,999\u00a0KWD"),
        (Part(Fraction(1, 3)), "1/3", "1/3"),
        (Part(Fraction(1429, 10_000)), "about 14.29%", "environ 14,29\u00a0%"),
        (Part(Fraction(1, 2**40)), "less than 0.0001%", "moins de 0,0001\u00a0%"),
        (Percent(3_333), "33.33%", "33,33\u00a0%"),
        (Percent(5_000), "50%", "50\u00a0%"),
        (Seconds(30 * 86_400), "30 days", "30\u00a0jours"),
        (Seconds(93_604), "1 day, 2 hours, and 4 seconds", "1\u00a0jour, 2\u00a0heures et 4\u00a0secondes"),
        (Seconds(0), "0 seconds", "0\u00a0seconde"),
        (Count("people", 1), "1 person", "1 personne"),
        (Count("people", 5), "5 people", "5 personnes"),
        (Count("touches", 0), "0 touches", "0 contact"),
        (12_345, "12,345", "12\u202f345"),
        ("{nothing} 'is' filled in here", "{nothing} 'is' filled in here", "{nothing} 'is' filled in here"),
        (say("house"), "the house", "la maison"),
    ],
)
def test_values_are_written_as_each_language_writes_them(value: Value, english: str, french: str) -> None:
    said = say("summary.person", sharer=value, amount="")
    assert {"en": f"{english} ", "fr": f"{french} "} == said


def test_a_percentage_is_rounded_to_four_decimals_half_to_even_and_has_no_needless_zeros() -> None:
    parts = (Fraction(1, 3), Fraction(1), Fraction(0), Fraction(1, 10), Fraction(5, 10**7), Fraction(15, 10**7))
    assert ["33.3333", "100", "0", "10", "0", "0.0002"] == [percentage(part) for part in parts]


def test_sentences_stand_beside_each_other_and_things_in_a_list() -> None:
    one, two = {"en": "One.", "fr": "Un."}, {"en": "Two.", "fr": "Deux."}
    assert {"en": "One. Two.", "fr": "Un. Deux."} == together(one, two)
    assert {"en": "One., Two., and One.", "fr": "Un., Deux. et Un."} == listed([one, two, one])
