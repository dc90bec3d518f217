"""Orders behind the figures, and why one of them was credited as it was. Knows the API's answers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.report_page.asking import JSON
from app.report_page.calls import Call
from app.report_page.charts.bars import COLOURS, Segment, divided
from app.report_page.choices import Choice
from app.report_page.overview import Faces, face_of
from app.report_page.people import address_of
from app.report_page.speech import MISSING, NAMELESS, Speech

A_PAGE: Final = 25
ORDERS: Final = "/v1/reports/orders"
FILTERS: Final = ("network", "shared_to", "seen_from", "product", "wall", "sharer", "kind", "depth")
"""By which the list may be narrowed down: a figure leads to the orders that it is made of."""


@dataclass(frozen=True)
class Telling:
    """How orders are told: by whose words, with which choice in its links, and how people are called who said so."""

    speech: Speech
    words: Mapping[str, str]
    choice: Choice
    names: Mapping[str, str]

    def said(self, sentence: Mapping[str, str]) -> str:
        """A sentence of the API's, in the reader's language."""
        return self.speech.told(sentence[self.words["lang"]], self.names)

    def person(self, sharer: str) -> str:
        return self.speech.person(sharer, self.names.get(sharer))

    def link(self, sharer: str) -> str | None:
        """Where more is told of somebody; None for nobody."""
        return None if sharer in NAMELESS else address_of(sharer) + self.choice.address()


@dataclass(frozen=True)
class Part:
    """To whom, or through what, some of an order is credited."""

    person: str
    link: str | None
    network: str
    amount: str
    colour: int = 0
    said: str = ""


@dataclass(frozen=True)
class Listed:
    """An order of the list."""

    link: str
    external_id: str
    at: str
    net: str
    refunded: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Rung:
    """Somebody in a chain of people: from whoever's referral it was, up to those who had passed it on before."""

    person: str
    link: str | None
    level: int | None
    amount: str
    said: str


@dataclass(frozen=True)
class Chain:
    """All of them, and why it goes no further."""

    rungs: Sequence[Rung]
    ends: str


@dataclass(frozen=True)
class Moment:
    """Something that happened on the way to the order, and what became of it. `person`: whose word it was, if known."""

    at: str
    kind: str
    network: str
    counted: bool
    said: str
    weight: str
    person: str | None
    link: str | None
    chain: Chain | None


@dataclass(frozen=True)
class Explained:
    """The explanation of an order."""

    external_id: str
    at: str
    summary: str
    net: str
    refunded: str
    left: str
    bar: Sequence[Segment]
    parts: Sequence[Part]
    journey: Sequence[Moment]
    coupon: str | None
    coupon_chain: Chain | None
    refunds: Sequence[tuple[str, str, str]]
    policy: str


def list_call(choice: Choice, filters: Mapping[str, str], cursor: str | None) -> Call:
    """The credited orders of the period, newest first."""
    more = (("cursor", cursor),) if cursor else ()
    chosen = tuple((name, filters[name]) for name in FILTERS if filters.get(name))
    return Call(ORDERS, (("limit", str(A_PAGE)), *choice.parameters, *chosen, *more))


def one_call(order: str) -> Call:
    """Why it was credited so."""
    return Call(f"{ORDERS}/{order}/attribution")


def people_of(data: Sequence[JSON]) -> set[str]:
    """The people who stand in the rows of the list."""
    return {credit["sharer"] for order in data for credit in order["credits"]} - NAMELESS.keys()


def people_in(order: JSON) -> set[str]:
    """The people who stand in the explanation of an order."""
    sources = [*order["journey"], *([order["coupon"]] if order["coupon"] else [])]
    chains = [source["chain"] for source in sources if source["chain"]]
    placed = [place for chain in chains for place in chain["places"]]
    return {each["sharer"] for each in (*order["lines"], *sources, *placed)} - {None, *NAMELESS}


def listed(data: Sequence[JSON], telling: Telling) -> list[Listed]:
    """The rows of the list."""
    speech, choice = telling.speech, telling.choice
    return [
        Listed(
            link=f"/reports/orders/{order['order']}{choice.address()}",
            external_id=order["external_id"],
            at=speech.moment(order["placed_at"], choice.zone),
            net=speech.money(order["net"], order["currency"]),
            refunded=speech.money(order["refunded"], order["currency"]) if order["refunded"] else MISSING,
            parts=[_part(credit, order["currency"], telling) for credit in order["credits"]],
        )
        for order in data
    ]


def totals(told: JSON, speech: Speech) -> list[tuple[str, str]]:
    """What all orders of the list come to, on whatever page they stand: net and how many, by currency."""
    return [(speech.money(total["net"], total["currency"]), speech.number(total["orders"])) for total in told["totals"]]


def narrowed(filters: Mapping[str, str], speech: Speech, faces: Faces) -> list[tuple[str, str]]:
    """By what the list is narrowed down: the dimension, and its value as people say it."""

    def said(name: str, value: str) -> str:
        if name in ("network", "shared_to", "seen_from"):
            return speech.network(value)
        if name == "product":
            return face_of(value, speech, faces)[0]
        return speech.person(value, None) if name in ("sharer", "wall") else value

    return [(name, said(name, value)) for name, value in filters.items()]


def _part(credit: Mapping[str, Any], currency: str, telling: Telling, colour: int = 0, said: str = "") -> Part:
    return Part(
        person=telling.person(credit["sharer"]),
        link=telling.link(credit["sharer"]),
        network=telling.speech.network(credit["network"]),
        amount=telling.speech.money(credit["net"], currency),
        colour=colour,
        said=said,
    )


def explained(order: JSON, telling: Telling) -> Explained:
    """The explanation in the reader's language, with what is left of the order as one bar of its parts."""
    currency, speech, coupon = order["currency"], telling.speech, order["coupon"]
    lines: Sequence[Mapping[str, Any]] = order["lines"]
    tints = [0 if line["sharer"] in NAMELESS else index % COLOURS + 1 for index, line in enumerate(lines)]
    return Explained(
        external_id=order["external_id"],
        at=speech.moment(order["at"], telling.choice.zone),
        summary=telling.said(order["summary"]),
        net=speech.money(order["net"], currency),
        refunded=speech.money(order["refunded"], currency) if order["refunded"] else MISSING,
        left=speech.money(order["net"] - order["refunded"], currency),
        bar=divided([line["net"] for line in lines], tints),
        parts=[
            _part(line, currency, telling, colour, telling.said(line["explanation"]))
            for line, colour in zip(lines, tints, strict=True)
        ],
        journey=[_moment(touch, currency, telling) for touch in order["journey"]],
        coupon=coupon and telling.said(coupon["explanation"]),
        coupon_chain=coupon and _chain(coupon["chain"], currency, telling),
        refunds=[_taken(refund, currency, telling) for refund in order["refunds"]],
        policy=order["policy_explanation"][telling.words["lang"]],
    )


def _moment(touch: Mapping[str, Any], currency: str, telling: Telling) -> Moment:
    speech, sharer = telling.speech, touch["sharer"]
    is_divided = touch["counted"] and touch["weight"] != "1/1"
    return Moment(
        at=speech.moment(touch["at"], telling.choice.zone),
        kind=telling.words[f"reports_touch_{touch['type']}"],
        network=speech.network(touch["network"]) if touch["network"] else "",
        counted=touch["counted"],
        said=telling.said(touch["explanation"]),
        weight=speech.share(float(touch["weight_percent"]) / 100) if is_divided else "",
        person=sharer and telling.person(sharer),
        link=sharer and telling.link(sharer),
        chain=_chain(touch["chain"], currency, telling),
    )


def _chain(chain: Mapping[str, Any] | None, currency: str, telling: Telling) -> Chain | None:
    if chain is None:
        return None
    rungs = [
        Rung(
            person=telling.person(place["sharer"]),
            link=telling.link(place["sharer"]),
            level=place["level"],
            amount=telling.speech.money(place["amount"], currency) if place["amount"] else "",
            said=telling.said(place["explanation"]),
        )
        for place in chain["places"]
    ]
    return Chain(rungs, telling.said(chain["explanation"]))


def _taken(refund: Mapping[str, Any], currency: str, telling: Telling) -> tuple[str, str, str]:
    at = telling.speech.moment(refund["at"], telling.choice.zone)
    return at, telling.speech.money(refund["taken"], currency), telling.said(refund["explanation"])
