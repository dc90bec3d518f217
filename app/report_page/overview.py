"""The first page: net sales over time, by network, the funnel, what and who sold most. Knows the API's answers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.report_page.asking import JSON, Api
from app.report_page.calls import Call
from app.report_page.charts.bars import Segment, colours, divided, lengths
from app.report_page.charts.timeline import Timeline, timeline
from app.report_page.choices import Choice
from app.report_page.figures import Change, Row, Tile
from app.report_page.session import Reader
from app.report_page.speech import MISSING, NAMELESS, Speech

ATTRIBUTION: Final = "/v1/reports/attribution"
FUNNEL: Final = "/v1/reports/funnel"
SHARERS: Final = "/v1/sharers"
SHOWN: Final = 8
NONE: Final = "(none)"
_NOBODYS: Final = "(direct)"
STEPS: Final = ("wall_views", "card_views", "card_opens", "likes", "shares", "visits", "checkouts", "orders")
_TILES: Final = {"net": "time", "orders": "time", "visits": "funnel", "shares": "funnel", "likes": "funnel"}
"""What is read first, and which report tells it. Where small groups are left out, rows by network or product are of
larger groups than days and the funnel are: so sums are those of the days, with which the funnel ends too."""
_RATES: Final = {
    "card_opens": "open_rate",
    "shares": "share_rate",
    "visits": "visits_per_referral",
    "checkouts": "checkout_rate",
    "orders": "order_rate",
}


Faces = Mapping[str, tuple[str, str | None]]
"""Titles and pictures of products by their ids."""


@dataclass(frozen=True)
class Asked:
    """The calls of the page, and what the API said to each, by name."""

    choice: Choice
    currency: str
    currencies: Sequence[str]
    calls: Mapping[str, Call]
    told: Mapping[str, JSON]
    has_gaps: bool
    """Whether small groups are left out: then what is not told is not nothing."""

    def total(self, name: str) -> JSON:
        """The totals in the currency that is looked at; empty where nothing was sold in it."""
        return _in_currency(self.told[name]["totals"], self.currency)

    def money(self, minor: int, speech: Speech) -> str:
        """An amount of that currency."""
        return speech.money(minor, self.currency)

    def rows(self, name: str) -> list[JSON]:
        """The rows of that currency."""
        return [row for row in self.told[name]["data"] if row["currency"] == self.currency]


@dataclass(frozen=True)
class Step:
    """A step of the funnel."""

    key: str
    count: str
    width: str
    rate: str
    change: Change | None


@dataclass(frozen=True)
class Over:
    """The drawing of sums over time, with what each column says: its label, its whole name, its amounts."""

    drawing: Timeline
    labels: Sequence[str]
    names: Sequence[str]
    amounts: Sequence[str]
    earlier: Sequence[str]
    orders: Sequence[str]
    ticks: Sequence[str]


async def ask(api: Api, reader: Reader, choice: Choice) -> Asked:
    """Ask for all of it. The first answer tells which currencies there are. Raises `Refused`."""
    first = await api.get(_over_time(choice))
    currencies = [total["currency"] for total in first["totals"]]
    currency = choice.currency_of(reader.currency, currencies)
    if choice.currency is None and len(currencies) > 1:
        choice = replace(choice, currency=currency)
    calls = _calls(choice)
    if reader.suppressed:
        calls.pop("sharers")
    told = dict(zip(calls, await api.all(list(calls.values())), strict=True))
    return Asked(choice, currency, currencies, calls, told, reader.suppressed)


def _over_time(choice: Choice) -> Call:
    return Call(ATTRIBUTION, (("group_by", choice.unit), *choice.parameters))


def _calls(choice: Choice) -> dict[str, Call]:
    now, before = choice.parameters, choice.before.parameters
    return {
        "time": _over_time(choice),
        "time_before": Call(ATTRIBUTION, (("group_by", choice.unit), *before)),
        "networks": Call(ATTRIBUTION, (("group_by", "network"), *now)),
        "networks_before": Call(ATTRIBUTION, (("group_by", "network"), *before)),
        "products": Call(ATTRIBUTION, (("group_by", "product"), *now)),
        "funnel": Call(FUNNEL, now),
        "funnel_before": Call(FUNNEL, before),
        "sharers": Call(SHARERS, (("limit", str(SHOWN)), *now)),
    }


def _in_currency(rows: Sequence[JSON], currency: str) -> JSON:
    return next((row for row in rows if row["currency"] == currency), {})


def change(speech: Speech, now: int, before: int) -> Change | None:
    """By how much it grew; None where there was nothing before."""
    said = speech.change(now, before)
    if said is None:
        return None
    return Change(said, "up" if now > before else "down" if now < before else "same")


def tiles(asked: Asked, speech: Speech, words: Mapping[str, str]) -> list[Tile]:
    """What is read first, each beside the period before."""
    found = []
    for name, report in _TILES.items():
        now, before = asked.total(report).get(name), asked.total(f"{report}_before").get(name) or 0
        figure = 0 if now is None and not asked.has_gaps else now
        said = MISSING if figure is None else speech.number(figure) if name != "net" else asked.money(figure, speech)
        found.append(Tile(words[f"reports_tile_{name}"], said, change(speech, figure or 0, before)))
    return found if asked.has_gaps else [found[0], _word(asked, speech, words), *found[1:]]


def _word(asked: Asked, speech: Speech, words: Mapping[str, str]) -> Tile:
    net, word = asked.total("networks").get("net"), _by_word(asked, "networks")
    share = words["reports_of_net"].replace("{share}", speech.share(word / net if net else None))
    grown = change(speech, word, _by_word(asked, "networks_before"))
    return Tile(words["reports_tile_word"], asked.money(word, speech), grown, share)


def _by_word(asked: Asked, name: str) -> int:
    """What was bought through somebody's word: all but the row of who came by themselves. Rows add up to the total."""
    direct = next((row["net"] for row in asked.rows(name) if row["network"] == _NOBODYS), 0)
    return int(asked.total(name).get("net", 0) - direct)


def over_time(asked: Asked, speech: Speech) -> Over:
    """Net sales, day by day, with those of as many days before behind them."""
    unit, currency = asked.choice.unit, asked.currency
    rows = {row[unit]: row for row in asked.rows("time")}
    earlier = {row[unit]: row["net"] for row in asked.rows("time_before")}
    labels = asked.choice.labels
    nets = [rows[label]["net"] if label in rows else 0 for label in labels]
    before = [earlier.get(label, 0) for label in asked.choice.before.labels] if earlier else []
    drawn = timeline(nets, before, speech.unit(currency))
    return Over(
        drawing=drawn,
        labels=[speech.label(label, unit) for label in labels],
        names=[speech.period(label, unit) for label in labels],
        amounts=[speech.money(net, currency) for net in nets],
        earlier=[speech.money(net, currency) for net in before[: len(nets)]],
        orders=[speech.number(rows[label]["orders"] if label in rows else 0) for label in labels],
        ticks=[speech.short_money(tick.value, currency) for tick in drawn.ticks],
    )


def networks(asked: Asked, speech: Speech) -> tuple[list[Row], list[Segment]]:
    """A row for each network, and all of them as one bar."""
    rows = asked.rows("networks")
    before = {row["network"]: row["net"] for row in asked.rows("networks_before")}
    nets, names = [row["net"] for row in rows], [row["network"] for row in rows]
    tints = colours(names, list(NAMELESS))
    found = [
        Row(
            name=speech.network(row["network"]),
            bar=bar,
            cells=(*_money_of(row, speech), speech.share(row["share"])),
            link=orders_of(asked, network=row["network"]),
            colour=colour,
            change=change(speech, row["net"], before.get(row["network"], 0)),
        )
        for row, bar, colour in zip(rows, lengths(nets), tints, strict=True)
    ]
    return found, divided(nets, tints)


def products(asked: Asked, speech: Speech, faces: Faces) -> list[Row]:
    """What sold most. `faces` are titles and pictures by id."""
    rows = asked.rows("products")[:SHOWN]
    return [
        Row(
            name=face[0],
            bar=bar,
            cells=(*_money_of(row, speech), speech.share(row["share"])),
            link=orders_of(asked, product=row["product"]),
            image=face[1],
        )
        for row, bar in zip(rows, lengths([row["net"] for row in rows]), strict=True)
        for face in [face_of(row["product"], speech, faces)]
    ]


def orders_of(asked: Asked, **row: str) -> str:
    """Where the orders are seen of which a row is made."""
    return "/reports/orders" + asked.choice.address(**row)


def face_of(product: str, speech: Speech, faces: Faces) -> tuple[str, str | None]:
    """How a product is shown: by its title and picture, where it is one of ours."""
    if product in NAMELESS:
        return speech.no_product if product == NONE else speech.nameless(product), None
    return faces.get(product, (product, None))


def steps(asked: Asked, speech: Speech, words: Mapping[str, str]) -> list[Step]:
    """The funnel, from what was seen to what was bought."""
    now, before = asked.total("funnel"), asked.total("funnel_before")
    counts = [now.get(name) or 0 for name in STEPS]
    return [
        Step(
            name,
            MISSING if now.get(name) is None and asked.has_gaps else speech.number(count),
            width,
            _rate(now, name, speech, words),
            change(speech, count, before.get(name) or 0),
        )
        for name, count, width in zip(STEPS, counts, lengths(counts), strict=True)
    ]


def _rate(total: JSON, name: str, speech: Speech, words: Mapping[str, str]) -> str:
    rate = total.get(_RATES.get(name, ""))
    if rate is None:
        return ""
    said = speech.decimal(rate) if name == "visits" else speech.share(rate)
    return words[f"reports_rate_{name}"].replace("{rate}", said)


def _money_of(row: Mapping[str, Any], speech: Speech) -> tuple[str, str]:
    return speech.money(row["net"], row["currency"]), speech.number(row["orders"])


def products_of(asked: Asked) -> list[str]:
    """The ids of those that are shown."""
    return [row["product"] for row in asked.rows("products")[:SHOWN] if row["product"] not in NAMELESS]
