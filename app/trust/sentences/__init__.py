"""What is said of rules and doubts, in English and French: what a rule sees, what it found, what became of it. Pure."""

from collections.abc import Mapping
from typing import Final

from app.kernel.speech import Count, Percent, Said, Seconds, Speech, Value, together
from app.trust.found import Evidence
from app.trust.rules import Rule
from app.trust.sentences.english import ENGLISH
from app.trust.sentences.french import FRENCH

SPEECH: Final = Speech(ENGLISH, FRENCH)
_LENGTHS: Final = {"seconds": 1, "minutes": 60, "days": 86_400}
_NOUNS: Final = {
    "alike": "orders",
    "claimed": "visits",
    "seen": "visits",
    "sharers": "visitors",
    "taken_back": "orders",
}
"""What is counted under a name that is not that of a noun."""
_OF_RULES: Final = {
    "own_device": {"alike": "referrals"},
    "velocity_likes": {"by_visitor": "likes", "by_block": "likes"},
    "velocity_shares": {"by_visitor": "shares", "by_block": "shares"},
}


def of_rule(rule: Rule, thresholds: Mapping[str, int]) -> Said:
    """What a rule sees, with the thresholds that stand."""
    values = {name: _counted(rule.thresholds[name].unit, value) for name, value in thresholds.items()}
    return SPEECH.say(f"rule.{rule.code}", **values)


def because(rule: Rule) -> Said | None:
    """Why a rule cannot be told otherwise here; None for one that can."""
    return None if rule.fixed is None else SPEECH.say(f"fixed.{rule.fixed}")


def of_doubt(rule: str, evidence: Evidence, standing: str) -> Said:
    """What was found, and what became of it: `standing` is a rule's verdict (`flag`, …) or a merchant's (`yours.…`).

    Of evidence that an older or newer release wrote otherwise, or of a rule that is no more, it says which rule it was.
    """
    try:
        found = SPEECH.say(f"doubt.{rule}", **_values(rule, evidence))
    except KeyError:
        found = SPEECH.say("doubt", rule=rule)
    return together(found, SPEECH.say(f"standing.{standing}"))


def _values(rule: str, evidence: Evidence) -> dict[str, Value]:
    nouns = {**_NOUNS, **_OF_RULES.get(rule, {})}
    return {
        name: _counted(nouns.get(name, name), value) if isinstance(value, int) else value
        for name, value in evidence.items()
        if not isinstance(value, list)
    }


def _counted(what: str, number: int) -> Value:
    if what in _LENGTHS:
        return Seconds(number * _LENGTHS[what])
    if what == "percent":
        return Percent(number * 100)
    return Count(what, number) if f"{what}.one" in ENGLISH else number
