"""The shapes of rules, doubts and decisions in JSON; what they say is said in words too (`sentences/`)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from app.kernel.http.pages import PageQuery
from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.kernel.speech import Said
from app.trust import sentences
from app.trust.book import Book
from app.trust.changing import Asked
from app.trust.doubts import Effect, Standing, Verdict
from app.trust.found import About
from app.trust.models import Decision
from app.trust.rules import Do, Rule, Threshold

DOUBT = "dbt_06exk52yhr00000001w3p8xq2y7k4m"
_ORDER = "ord_06exk4zq0800000001d5m2c8h3t6v1"
_FLAGGED: JsonDict = {
    "id": "dec_06exk52yhr000000012m4v7x9b1c3d",
    "verdict": "flag",
    "effect": "none",
    "note": None,
    "by": "rule",
    "key": None,
    "at": "2026-11-22T09:30:00Z",
}
_REFUSED: JsonDict = {
    "id": "dec_06exkb8m4800000001q6w2e8r4t0y5",
    "verdict": "refuse",
    "effect": "refuse",
    "note": "The same household",
    "by": "merchant",
    "key": "key_06exk0a1b200000001z9y8x7w6v5u4",
    "at": "2026-11-22T10:12:00Z",
}
_DOUBT: JsonDict = {
    "id": DOUBT,
    "about": "visit",
    "subject": "clk_06exk4z81c00000001f7g9h1j3k5m7",
    "rule": "too_fast",
    "state": "decided",
    "effect": "refuse",
    "evidence": {"order": _ORDER, "seconds": 2},
    "explanation": {
        "en": f"The order {_ORDER} followed this visit after 2 seconds. You decided that nothing is earned through it.",
        "fr": f"La commande {_ORDER} a suivi cette visite au bout de 2\u00a0secondes. "
        "Vous avez décidé que rien n’est gagné par là.",
    },
    "decision": _REFUSED,
    "at": "2026-11-22T09:30:00Z",
}
_RULES: JsonDict = {"rules": {"own_mail": {"do": "hold"}, "too_fast": {"do": "refuse", "thresholds": {"seconds": 2}}}}

State = Literal["open", "decided"]
Sentences = Annotated[Said, Field(description="The same in words, by language.")]
EffectOut = Annotated[
    Effect,
    Field(
        description="What becomes of credit: as if nothing had been found, held until you decide, or refused.",
        examples=["hold"],
    ),
]
Note = Annotated[
    Text,
    StringConstraints(max_length=2000),
    Field(description="Why, for people. Name nobody in it: it stays.", examples=["The same household"]),
]


class ThresholdOut(Wire):
    """A number by which a rule goes: what it is, by itself, and at the least and the most."""

    value: int
    default: int
    least: int
    most: int
    unit: str

    @classmethod
    def of_one(cls, threshold: Threshold, value: int) -> "ThresholdOut":
        return cls(value=value, **threshold._asdict())


class RuleOut(Wire):
    """A rule. `about` is what it can doubt, `do` what becomes of that, `usual` what would by itself."""

    code: str
    about: list[About]
    do: Do
    usual: Do
    thresholds: dict[str, ThresholdOut]
    fixed: Annotated[
        Literal["policy", "always"] | None,
        Field(description="Where it is decided, if not here; such a rule refuses and raises no doubts."),
    ]
    because: Annotated[Said | None, Field(description="Why it cannot be changed here.")]
    explanation: Sentences

    @classmethod
    def of_one(cls, rule: Rule, settings: Book) -> "RuleOut":
        setting = settings.of(rule.code)
        return cls(
            code=rule.code,
            about=list(rule.about),
            do=setting.do,
            usual=rule.usual,
            thresholds={
                name: ThresholdOut.of_one(threshold, setting.thresholds[name])
                for name, threshold in rule.thresholds.items()
            },
            fixed=rule.fixed,
            because=sentences.because(rule),
            explanation=sentences.of_rule(rule, setting.thresholds),
        )


class Rules(Wire):
    """All rules, as they stand for this merchant."""

    data: list[RuleOut]
    next_cursor: None = None


class RuleIn(Body):
    """What a rule is to do. What is left out is as usual."""

    do: Annotated[
        Do | None,
        Field(
            description="`off`: nothing is looked for; `flag`: a doubt is raised, and credit is as without it; `hold`: "
            "nothing is earned until you decide; `refuse`: nothing is earned, unless you decide otherwise.",
        ),
    ] = None
    thresholds: Annotated[
        dict[Text, Annotated[int, Field(strict=True)]],
        Field(max_length=20, description="By name, as `GET /v1/rules` tells them.", examples=[{"seconds": 2}]),
    ] = {}


class RulesIn(Body):
    """What rules are to do, by code. One that is not named is as usual."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RULES]})

    rules: Annotated[dict[Text, RuleIn], Field(max_length=50)]

    def asked(self) -> dict[str, Asked]:
        return {code: Asked(each.do, each.thresholds) for code, each in self.rules.items()}


class DecisionIn(Body):
    """What you decide: `credit` as if nothing had been found, `refuse` credit, or `reopen`: leave it to its rule."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "refuse", "note": "The same household"}]})

    verdict: Verdict
    note: Note | None = None


class DecisionOut(Wire):
    """What was decided, and by whom: a rule's verdicts are what it does, a merchant's `credit`, `refuse`, `reopen`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REFUSED]})

    id: str
    verdict: str
    effect: EffectOut
    note: str | None
    by: Literal["rule", "merchant"]
    key: Annotated[str | None, Field(description="With which key.")]
    at: Timestamp

    @classmethod
    def of_one(cls, row: Decision) -> "DecisionOut":
        said = {name: getattr(row, name) for name in ("verdict", "effect", "note", "at")}
        by = "rule" if row.key_id is None else "merchant"
        return cls.model_validate({"id": row.decision_id, "by": by, "key": row.key_id, **said})


class DoubtOut(Wire):
    """Something doubtful that a rule found about a referral, a visit or an order. `state` is `open` as long as it is
    left to its rule. `evidence` is of numbers, times and ids; `decision` is the one that holds."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DOUBT]})

    id: str
    about: About
    subject: Annotated[str, Field(description="The id of what it is about.")]
    rule: str
    state: State
    effect: EffectOut
    evidence: dict[str, str | int | list[str]]
    explanation: Sentences
    decision: DecisionOut
    at: Timestamp

    @classmethod
    def of_one(cls, standing: Standing) -> "DoubtOut":
        return cls.model_validate(_fields(standing))


class DoubtWithDecisions(DoubtOut):
    """The same with all that was decided about it, in that order: first by its rule."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_DOUBT, "decisions": [_FLAGGED, _REFUSED]}]})

    decisions: list[DecisionOut]

    @classmethod
    def of_all(cls, standing: Standing, decisions: Sequence[Decision]) -> "DoubtWithDecisions":
        return cls.model_validate({**_fields(standing), "decisions": [DecisionOut.of_one(each) for each in decisions]})


class DoubtQuery(PageQuery):
    """Which doubts to list."""

    state: (
        Annotated[State, Field(description="Only those that are left to their rule, or that you decided.")] | None
    ) = None
    rule: Annotated[Text, Field(max_length=40, description="Only this rule's.", examples=["own_mail"])] | None = None
    about: Annotated[About, Field(description="Only about such.")] | None = None
    effect: Annotated[Effect, Field(description="Only those of which this becomes.")] | None = None
    subject: (
        Annotated[Text, Field(max_length=200, description="Only about the referral, visit or order of this id.")] | None
    ) = None


def _fields(standing: Standing) -> dict[str, Any]:
    doubt, decision = standing
    return {
        "id": doubt.doubt_id,
        "about": doubt.about,
        "subject": doubt.subject,
        "rule": doubt.rule,
        "state": "open" if standing.is_open else "decided",
        "effect": decision.effect,
        "evidence": doubt.evidence,
        "explanation": sentences.of_doubt(doubt.rule, doubt.evidence, _became(standing)),
        "decision": DecisionOut.of_one(decision),
        "at": doubt.at,
    }


def _became(standing: Standing) -> str:
    """What became of a doubt, as sentences call it. One that was opened again stands as its rule said then, of which
    the effect alone is kept: a rule without any is said to flag."""
    verdict, effect = standing.decision.verdict, standing.decision.effect
    if not standing.is_open:
        return f"yours.{verdict}"
    if verdict != "reopen":
        return verdict
    return "flag" if effect == "none" else effect
