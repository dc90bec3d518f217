"""What the share sheet knows of networks, beside what it is told: the same networks as the catalogue, no more, no
fewer; and the same limits."""

import re
from pathlib import Path

from app.networks.catalogue import NETWORKS, SHAREABLE

ELEMENTS = Path(__file__).parents[2] / "widgets" / "elements"
WRITTEN = 500
"""Characters that may be written (app/referrals/wire.py)."""


def test_each_network_has_a_drawing_of_its_own() -> None:
    source = (ELEMENTS / "icons.js").read_text("utf-8")
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


def test_the_sheet_lets_nobody_write_more_than_the_server_takes() -> None:
    source = (ELEMENTS / "share.js").read_text("utf-8")
    assert ["500", "60"] == re.findall(r"maxlength: (\d+)", source)
