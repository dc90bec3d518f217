"""People: the list of them, one of them, and what became of a share, as a tree. Knows the API's answers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from app.report_page.asking import JSON
from app.report_page.calls import Call
from app.report_page.charts.bars import lengths
from app.report_page.charts.drawing import Drawing, Leaf, drawing, levels_of
from app.report_page.choices import Choice
from app.report_page.figures import Row, Tile
from app.report_page.overview import NONE, SHARERS, Faces, face_of
from app.report_page.speech import MISSING, Speech

A_PAGE: Final = 25
MOST_READ: Final = 1000
"""Referrals of a tree among which those are found that are drawn."""
DEEPEST: Final = 12
_SHORTEST_WAIT: Final = 60
"""Seconds below which it says nothing how soon people passed something on."""


@dataclass(frozen=True)
class Node:
    """A referral of the tree as a row: how deep it stands, and its figures."""

    name: str
    level: int
    kind: str
    network: str
    product: str
    at: str
    visits: str
    net: str
    subtree: str
    person: str
    tree: str


@dataclass(frozen=True)
class Telling:
    """How a tree is told: in which currency, by whose words, with which choice in its links and which faces."""

    currency: str
    speech: Speech
    words: Mapping[str, str]
    choice: Choice
    faces: Faces


@dataclass(frozen=True)
class Grown:
    """A tree: drawn, and those who are drawn as rows by their place in the API's answer; `more` are not."""

    drawing: Drawing
    nodes: Mapping[int, Node]
    more: int


def list_call(choice: Choice, cursor: str | None) -> Call:
    """People by what their word brought."""
    more = (("cursor", cursor),) if cursor else ()
    return Call(SHARERS, (("limit", str(A_PAGE)), *choice.parameters, *more))


def one_call(sharer: str, choice: Choice) -> Call:
    """One of them."""
    return Call(f"{SHARERS}/{sharer}", choice.parameters)


def tree_call(sharer: str, choice: Choice, referral: str | None = None) -> Call:
    """Their tree, or what became of one referral of theirs, with sales and visits of all times."""
    of = (("referral", referral),) if referral else ()
    return Call(
        f"{SHARERS}/{sharer}/tree",
        (*of, ("depth", str(DEEPEST)), ("limit", str(MOST_READ)), *choice.apart_from_time),
    )


def address_of(sharer: str) -> str:
    """The page of one person."""
    return f"/reports/sharers/{quote(sharer, safe='')}"


def rows(data: Sequence[JSON], speech: Speech, query: str = "") -> list[Row]:
    """People as rows, with a bar each."""
    return [
        Row(
            name=speech.person(row["sharer"], row["name"]),
            bar=bar,
            cells=(
                speech.money(row["net"], row["currency"]),
                speech.number(row["orders"]),
                speech.money(row["refunded"], row["currency"]) if row["refunded"] else MISSING,
                speech.number(row["referrals"]),
                speech.number(row["visits"]),
            ),
            link=address_of(row["sharer"]) + query,
            letter=(row["name"] or "")[:1].upper(),
        )
        for row, bar in zip(data, lengths([row["net"] for row in data]), strict=True)
    ]


def tiles(person: JSON, currency: str, speech: Speech, words: Mapping[str, str]) -> list[Tile]:
    """What one person's word did in the period."""
    sums = next((each for each in person["totals"] if each["currency"] == currency), {"net": 0, "orders": 0})

    def tile(name: str, value: str) -> Tile:
        return Tile(words[f"reports_tile_{name}"], value, note=words.get(f"reports_about_{name}", ""))

    return [
        tile("credit", speech.money(sums["net"], currency)),
        tile("own_net", speech.money(person["own_net"].get(currency, 0), currency)),
        tile("subtree_net", speech.money(person["subtree_net"].get(currency, 0), currency)),
        tile("orders", speech.number(sums["orders"])),
        tile("visits", speech.number(person["visits"])),
        tile("referrals", speech.number(person["referrals"])),
    ]


def tree_tiles(tree: JSON, currency: str, speech: Speech, words: Mapping[str, str]) -> list[Tile]:
    """What became of a share: how many passed it on, and what was bought through all of it."""
    totals, visits = tree["totals"], sum(node["visits"] for node in tree["data"][:1])
    return [
        Tile(words["reports_tile_subtree_net"], speech.money(totals["subtree_net"].get(currency, 0), currency)),
        Tile(words["reports_tile_own_net"], speech.money(totals["own_net"].get(currency, 0), currency)),
        Tile(words["reports_tile_own_visits"], speech.number(visits)),
        Tile(words["reports_tile_descendants"], speech.number(totals["descendants"])),
        Tile(words["reports_tile_sharers"], speech.number(totals["sharers"])),
        Tile(words["reports_tile_depth"], speech.number(totals["depth"] or 0)),
    ]


def shape(tree: JSON, speech: Speech) -> dict[str, str]:
    """How a tree looks, in numbers."""
    totals = tree["totals"]
    wait = totals["median_seconds_to_reshare"]
    return {
        "referrals": speech.number(totals["referrals"]),
        "sharers": speech.number(totals["sharers"]),
        "generations": speech.number((totals["depth"] or 0) + 1),
        "wait": "" if wait is None or wait < _SHORTEST_WAIT else speech.wait(wait),
    }


def activity(person: JSON, name: str, speech: Speech, faces: Faces) -> list[Row]:
    """Where, or of what, they spoke: referrals and visits by network or product."""
    found: Sequence[Mapping[str, Any]] = person[f"by_{name}"]
    said = [speech.network(row[name]) if name == "network" else face_of(row[name], speech, faces)[0] for row in found]
    bars = lengths([row["visits"] for row in found])
    return [
        Row(name=who, bar=bar, cells=(speech.number(row["referrals"]), speech.number(row["visits"])))
        for row, who, bar in zip(found, said, bars, strict=True)
    ]


def grown(tree: JSON, telling: Telling) -> Grown:
    """The tree, as it is drawn and as its rows say it."""
    data: Sequence[Mapping[str, Any]] = tree["data"]
    leaves = [Leaf(node["referral"], node["parent"], node["subtree_net"].get(telling.currency, 0)) for node in data]
    drawn, levels = drawing(leaves), levels_of(leaves)
    names = {node["sharer"]: node["name"] for node in data if node["name"]} | {tree["sharer"]: tree["name"]}
    nodes = {
        index: _node(data[index], levels[index], names.get(data[index]["sharer"]), telling)
        for index in sorted(dot.index for dot in drawn.dots)
    }
    return Grown(drawn, nodes, int(tree["totals"]["referrals"]) - len(nodes))


def _node(node: Mapping[str, Any], level: int, name: str | None, telling: Telling) -> Node:
    speech, query = telling.speech, telling.choice.address()
    return Node(
        name=speech.person(node["sharer"], name),
        level=level,
        kind=telling.words[f"reports_kind_{node['kind']}"],
        network=speech.network(node["network"]),
        product=face_of(node["product"] or NONE, speech, telling.faces)[0],
        at=speech.moment(node["at"], telling.choice.zone),
        visits=speech.number(node["visits"]),
        net=_amount(node["net"], telling),
        subtree=_amount(node["subtree_net"], telling),
        person=address_of(node["sharer"]) + query,
        tree=f"/reports/trees/{node['referral']}{query}",
    )


def _amount(net: Mapping[str, int], telling: Telling) -> str:
    currency = telling.currency
    return telling.speech.money(net[currency], currency) if net.get(currency) else MISSING
