"""Whatever becomes of an attempt is said in words, which tell nothing of the network that the server stands in."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.delivery import signing
from app.delivery.telling import Outcome, tell
from app.kernel.outgoing import Guard
from tests.net import free_port
from tests.receiver import Receiver, Reply, receiver

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
OUTSIDE = "its address is not one on the public internet that is reached by https"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        yield served


def told(url: str, guard: Guard | None = None, seconds: float = 5) -> Outcome:
    return tell(guard or Guard(["127.0.0.1"]), url, "evt_1", "{}", [signing.new_secret()], NOW, seconds)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_an_arrival(there: Receiver, status: int) -> None:
    there.reply = lambda _: Reply(status, body=b"" if status == 204 else b"thanks")
    outcome = told(there.url)
    assert (status, None, True, False) == (outcome.status, outcome.problem, outcome.arrived, outcome.is_gone)


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 304])
def test_a_redirect_is_a_failure_and_nobody_follows_it(there: Receiver, status: int) -> None:
    there.reply = lambda _: Reply(status, {"location": there.url})
    outcome = told(there.url)
    assert (status, "a redirect, which is not followed") == (outcome.status, outcome.problem)
    assert 1 == len(there.told)


def test_a_refusal_is_told_with_its_beginning(there: Receiver) -> None:
    there.reply = lambda _: Reply(500, body=b" no\0t now\xff" + b"x" * 1000)
    outcome = told(there.url)
    assert (500, False) == (outcome.status, outcome.arrived)
    assert f"answered 500: no t now\ufffd{'x' * 290}" == outcome.problem
    there.reply = lambda _: Reply(410)
    assert ("answered 410", True) == (told(there.url).problem, told(there.url).is_gone)


def test_when_to_come_again_is_heard(there: Receiver) -> None:
    there.reply = lambda _: Reply(429, {"retry-after": "60"})
    assert timedelta(minutes=1) == told(there.url).asked_for
    there.reply = lambda _: Reply(503, {"retry-after": "soon"})
    assert told(there.url).asked_for is None


@pytest.mark.parametrize(
    ("url", "leads_to", "expected"),
    [
        ("https://10.0.0.1/", "", OUTSIDE),
        ("https://shop.example/", "10.0.0.1", OUTSIDE),
        ("https://shop.example/", "169.254.169.254", OUTSIDE),
        ("http://shop.example/", "8.8.8.8", OUTSIDE),
        ("https://shop.example/", "", "there is no such name"),
    ],
)
def test_what_may_not_be_reached_is_said_alike_wherever_it_leads(url: str, leads_to: str, expected: str) -> None:
    outcome = told(url, Guard(resolve=lambda host, port: [leads_to] if leads_to else []))
    assert (None, expected, False) == (outcome.status, outcome.problem, outcome.arrived)


def test_nobody_there_and_nobody_in_time(there: Receiver) -> None:
    assert "Connection refused" in str(told(f"http://127.0.0.1:{free_port()}/").problem)
    there.reply = lambda _: Reply(after=2)
    slow = told(there.url, seconds=0.2)
    assert (None, "no answer in time") == (slow.status, slow.problem)
    assert 150 < slow.milliseconds < 1900


def test_whatever_goes_wrong_is_an_outcome(caplog: pytest.LogCaptureFixture) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["no address"]

    outcome = told("https://shop.example/", Guard(resolve=resolve))
    assert "it could not be sent; the server's log says more" == outcome.problem
    assert "no address" in caplog.text
