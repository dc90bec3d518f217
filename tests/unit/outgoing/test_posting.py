"""What is told goes by https to the public internet, once, and to nobody else."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.kernel.outgoing import Answered, Guard, Reason, Refused
from tests.foreign_web import ForeignWeb, certified, foreign_web, forever, page, redirect, says
from tests.net import free_port
from tests.receiver import Reply, receiver

SAID = {"content-type": "application/json", "webhook-id": "evt_1"}


@pytest.fixture
def web() -> Iterator[ForeignWeb]:
    """A server of somebody's, on 127.0.0.1."""
    with foreign_web() as served:
        yield served


@pytest.fixture
def guard() -> Guard:
    """A guard that lets 127.0.0.1 pass, and nothing else that is inside."""
    return Guard(["127.0.0.1", "shop.example"], resolve=lambda host, port: ["127.0.0.1"])


def post(guard: Guard, address: str, body: bytes = b"", seconds: float = 5.0) -> Answered:
    return guard.post(address, body, SAID, seconds=seconds)


def refusal(guard: Guard, address: str, seconds: float = 5.0) -> Reason:
    with pytest.raises(Refused) as refused:
        post(guard, address, seconds=seconds)
    return refused.value.reason


@pytest.mark.parametrize("body", [b"", b"{}", "é".encode() * 500_000], ids=["nothing", "little", "much"])
def test_what_is_sent_arrives(guard: Guard, body: bytes) -> None:
    with receiver() as there:
        assert Answered(204, "", b"") == post(guard, there.url, body)
    request = there.told[0]
    assert body == request.body
    expected = SAID | {"host": there.url.split("/")[2], "content-length": str(len(body)), "accept": "*/*"}
    expected |= {"connection": "close", "user-agent": "Mozilla/5.0 (compatible; Grapevine)"}
    assert expected == request.headers


def test_a_refusal_is_given_with_its_beginning_and_when_to_come_again(guard: Guard) -> None:
    with receiver() as there:
        there.reply = lambda _: Reply(503, {"Retry-After": "120"}, b"x" * 5000)
        assert Answered(503, "120", b"x" * 300) == post(guard, there.url)


def test_no_redirect_is_followed(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/"] = redirect("/there")
    web.paths["/there"] = page(b"")
    assert 302 == post(guard, f"{web.url}/").status
    assert 1 == len(web.asked)


def test_it_goes_by_tls_to_whom_the_certificate_names(tmp_path: Path) -> None:
    server, client = certified("shop.example", tmp_path)
    with foreign_web(tls=server) as web:
        web.paths["/"] = page(b"thanks")
        guard = Guard(["127.0.0.0/8"], resolve=lambda host, port: ["127.0.0.1"], tls=client)
        assert 200 == post(guard, f"https://shop.example:{web.port}/").status
        assert Reason.UNREACHABLE == refusal(guard, f"https://other.example:{web.port}/")


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example/",
        "http://8.8.8.8/",
        "ftp://shop.example/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://user:word@shop.example/",
        "https://shop.example:25/",
        "https://localhost/",
        "https://shop.example/\r\nX: y",
        "https://" + "x" * 3000 + ".example/",
        "//shop.example/",
        "shop.example",
        "",
    ],
)
def test_some_addresses_are_refused_before_anything_is_asked(address: str) -> None:
    guard = Guard(resolve=lambda host, port: pytest.fail("a name was looked up"))
    with pytest.raises(Refused) as refused:
        guard.judged(address)
    assert Reason.FORBIDDEN == refused.value.reason == refusal(guard, address)


@pytest.mark.parametrize("address", ["https://shop.example/", "https://8.8.8.8:8443/hook?a=b", "https://é.example/"])
def test_what_may_be_reached_is_not_looked_up_before_it_is(address: str) -> None:
    Guard(resolve=lambda host, port: pytest.fail("a name was looked up")).judged(address)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused(inside: str) -> None:
    assert Reason.FORBIDDEN == refusal(Guard(resolve=lambda host, port: [inside]), "https://shop.example/")


def test_plain_http_is_for_hosts_that_the_operator_names(web: ForeignWeb) -> None:
    web.paths["/"] = page(b"")
    for entry in ("wall.localhost", f"wall.localhost:{web.port}"):
        assert 200 == post(Guard([entry]), f"http://wall.localhost:{web.port}/").status
    assert 200 == post(Guard(["127.0.0.0/8"]), f"{web.url}/").status
    assert Reason.FORBIDDEN == refusal(Guard(["127.0.0.0/8"]), f"http://wall.localhost:{web.port}/")


@pytest.mark.parametrize(
    "behaviour",
    [says(b"HTTP/1.1 ", every=30), forever(b"HTTP/1.1 200 OK\r\nX: ", b"x", every=0.05)],
    ids=["silence", "headers"],
)
def test_who_does_not_answer_in_time_is_left(guard: Guard, web: ForeignWeb, behaviour: object) -> None:
    web.paths["/"] = behaviour  # type: ignore[assignment]
    began = time.monotonic()
    assert Reason.TOO_SLOW == refusal(guard, f"{web.url}/", seconds=0.4)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("status", ["200 OK", "500 Broken"])
def test_an_answer_without_end_is_an_answer(guard: Guard, web: ForeignWeb, status: str) -> None:
    head = f"HTTP/1.1 {status}\r\n\r\n".encode()
    began = time.monotonic()
    for behaviour in (forever(head, b"x" * 1024), forever(head, b"x", every=0.05), says(head + b"x", b"", every=30)):
        web.paths["/"] = behaviour
        assert int(status[:3]) == post(guard, f"{web.url}/", seconds=0.4).status
    assert time.monotonic() - began < 3


def test_an_answer_that_breaks_off_is_an_answer_and_none_is_not(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/"] = says(b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nshort")
    assert Answered(500, "", b"short") == post(guard, f"{web.url}/")
    for broken in (b"", b"\0\xff\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000):
        web.paths["/"] = says(broken)
        assert Reason.UNREACHABLE == refusal(guard, f"{web.url}/")
    assert Reason.UNREACHABLE == refusal(guard, f"http://127.0.0.1:{free_port()}/")


def test_who_goes_on_without_ever_answering_is_left_before_that_costs_much(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/"] = forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)
    began = time.monotonic()
    for fetch in (post, lambda guard, url: guard.get(url, most_bytes=1000, seconds=60, accept=["text/html"])):
        with pytest.raises(Refused) as refused:
            fetch(guard, f"{web.url}/")
        assert Reason.TOO_LARGE == refused.value.reason
    assert time.monotonic() - began < 4


def test_some_answers_before_the_answer_are_passed_over(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/"] = says(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20 + b"HTTP/1.1 204 No Content\r\n\r\n")
    assert 204 == post(guard, f"{web.url}/").status
