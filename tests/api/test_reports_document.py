"""docs/reports.md: each call that it shows works as it stands there, and is answered with what it says."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests import simulated
from tests.conftest import AppServer
from tests.shop import ok
from tests.simulated import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "reports.md"
_QUESTION = re.compile(
    r"### (?P<title>\d+\. [^\n]*)\n```sh\n(?P<call>[^`]*)\n```\n```(?P<kind>json|csv)\n(?P<answer>[^`]*)\n```"
)
_TYPED = re.compile(r'curl -H "Authorization: Bearer \$KEY" "\$GRAPEVINE(?P<address>[^"]*)"(?: -o [\w.-]+)?')


class Question(NamedTuple):
    """What is asked, how, and how the answer looks."""

    title: str
    address: str
    kind: str
    answer: str


def questions() -> list[Question]:
    found = []
    for match in _QUESTION.finditer(DOCUMENT.read_text("utf-8")):
        typed = _TYPED.fullmatch(match["call"])
        assert typed is not None, match["call"]
        found.append(Question(match["title"], typed["address"], match["kind"], match["answer"]))
    return found


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.world(shared_server, simulated.TINY)


@pytest.fixture(scope="module")
def reader(world: World) -> Iterator[httpx.Client]:
    """Whoever has the report key."""
    headers = {"Authorization": f"Bearer {world.made.merchants[0].report_key}"}
    with httpx.Client(base_url=world.server.url, headers=headers, verify=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def variables(reader: httpx.Client) -> dict[str, str]:
    """What stands for the `$NAMES` of the document: somebody who sold something lately, and what they made."""
    for row in ok(reader.get("/v1/sharers?limit=100"))["data"]:
        if row["visits"] and row["referrals"]:
            break
    (node, *_) = ok(reader.get(f"/v1/sharers/{row['sharer']}/tree"))["data"]
    (order, *_) = ok(reader.get("/v1/reports/orders?-network=(direct)"))["data"]
    return {"$SHARER": row["sharer"], "$REFERRAL": node["referral"], "$ORDER": order["order"]}


def test_there_are_twenty_questions_in_their_order() -> None:
    assert list(range(1, 21)) == [int(question.title.partition(".")[0]) for question in questions()]


@pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("question", questions(), ids=lambda question: question.title.partition(".")[0])
def test_a_call_of_the_document_is_answered_as_it_says(
    question: Question, reader: httpx.Client, variables: dict[str, str]
) -> None:
    address = question.address
    for name, value in variables.items():
        address = address.replace(name, value)
    assert "$" not in address
    answer = reader.get(address)
    assert 200 == answer.status_code, answer.text
    if question.kind == "csv":
        assert question.answer == answer.text.splitlines()[0]
    else:
        assert [] == missing(json.loads(question.answer), answer.json())


def missing(shown: Any, told: Any, where: str = "") -> list[str]:
    """What the example shows and the answer does not have; of a list, one that has it all is enough."""
    if isinstance(shown, Mapping):
        if not isinstance(told, Mapping):
            return [f"{where} is no object"]
        lacking = [f"{where}.{name}" for name in shown if name not in told]
        return lacking + [each for name in shown if name in told for each in missing(shown[name], told[name], name)]
    if isinstance(shown, list) and isinstance(told, list):
        return min((missing(shown[0], each, f"{where}[]") for each in told), key=len, default=[f"{where} is empty"])
    kinds = (int, float, type(None)) if isinstance(shown, int | float) else (type(shown), type(None))
    return [] if isinstance(told, kinds) or shown is None else [f"{where}: {told!r}"]
