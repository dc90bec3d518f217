"""What the share sheet knows of networks, beside what it is told: the same networks as the catalogue, no more, no
fewer; and the same limits."""

import re
from pathlib import Path

from app.networks.catalogue import NETWORKS, SHAREABLE, Kind

ELEMENTS = Path(__file__).parents[2] / "widgets" / "elements"
WRITTEN = 500
"""Characters that may be written (app/referrals/wire.py)."""


def test_each_network_has_a_drawing_of_its_own() -> None:
    source = (ELEMENTS / "icons.js").read_text("utf-8")
    arrow = re.findall(r'^export const SHARE = ("[^"]+");$', (ELEMENTS / "card.js").read_text("utf-8"), re.M)
    source = source.replace("device: SHARE,", f"device: {arrow[0]},")
    drawings = re.findall(r'^ +(\w+):\s*"([^"]+)"', source, re.M)
    assert sorted(SHAREABLE) == sorted(name for name, _ in drawings)
    assert len({path for _, path in drawings}) == len(drawings)
    assert all(re.fullmatch(r"M[0-9 .,\-a-zA-Z]+", path) for _, path in drawings)


def test_the_sheet_warns_where_the_catalogue_says_that_less_fits() -> None:
    source = (ELEMENTS / "limits.js").read_text("utf-8")
    said = {
        name: (int(limit), None if cost == "null" else int(cost))
        for name, limit, cost in re.findall(r"^  (\w+): \[(\d+), (\d+|null)\],$", source, re.M)
    }
    with_text = ("text", "text_url", "body")
    tight = {
        network.id: (network.limit, network.link_cost)
        for network in NETWORKS
        if network.shareable
        and any(value in with_text for _, value in network.fields)
        and network.limit - (1 if network.link_cost is None else network.link_cost) < WRITTEN
    }
    assert tight == said


def test_the_sheet_copies_where_a_network_has_no_form_and_asks_the_device_where_it_is_no_address_of_the_web() -> None:
    source = (ELEMENTS / "share.js").read_text("utf-8")

    def listed(name: str) -> set[str]:
        return set(re.findall(r'"(\w+)"', re.findall(rf"^const {name} = \[([^\]]*)\];$", source, re.M)[0]))

    assert {each.id for each in NETWORKS if each.kind is Kind.DEVICE} == listed("APART")
    others = [each for each in NETWORKS if each.shareable and each.kind is not Kind.DEVICE]
    assert {each.id for each in others if not each.intent} == listed("PASTED")
    assert {each.id for each in others if each.intent and not each.intent.startswith("https:")} == listed("APPS")


def test_the_sheet_lets_nobody_write_more_than_the_server_takes() -> None:
    source = (ELEMENTS / "share.js").read_text("utf-8")
    assert ["500", "60"] == re.findall(r"maxlength: (\d+)", source)
