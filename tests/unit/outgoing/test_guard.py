"""Whatever the other side does, a request ends in time, stays small, and reaches nobody inside."""

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.kernel.outgoing import Fetched, Guard, Reason, Refused
from app.kernel.outgoing.line import system_resolver
from tests.foreign_web import ForeignWeb, certified, foreign_web, forever, page, redirect, says
from tests.net import free_port

KIB = 1024
HTML = ("text/html",)
OPEN = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.fixture
def web() -> Iterator[ForeignWeb]:
    """A server of somebody's, on 127.0.0.1."""
    with foreign_web() as served:
        yield served


@pytest.fixture
def guard() -> Guard:
    """A guard that lets 127.0.0.1 pass, and nothing else that is inside."""
    return Guard(["127.0.0.1"], resolve=lambda host, port: ["127.0.0.1"])


def get(
    guard: Guard,
    address: str,
    *,
    most_bytes: int = 64 * KIB,
    seconds: float = 5.0,
    accept: Sequence[str] = HTML,
    whole: bool = True,
) -> Fetched:
    return guard.get(address, most_bytes=most_bytes, seconds=seconds, accept=accept, whole=whole)


def refusal(
    guard: Guard, address: str, *, most_bytes: int = 64 * KIB, seconds: float = 5.0, accept: Sequence[str] = HTML
) -> Reason:
    with pytest.raises(Refused) as refused:
        get(guard, address, most_bytes=most_bytes, seconds=seconds, accept=accept)
    return refused.value.reason


def test_a_page_is_fetched(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/a"] = page(b"<p>hello", "text/html; charset=utf-8")
    expected = Fetched(200, "text/html; charset=utf-8", b"<p>hello", f"{web.url}/a?b=%C3%A9")
    assert expected == get(guard, f"{web.url}/a?b=é#c")


def test_the_request_says_nothing_of_who_asks(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/"] = page(b"")
    web.paths["/first"] = says(
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nRefresh: 1\r\n\r\n"
    )
    get(guard, f"{web.url}/first", accept=("text/html", "image/*"))
    for head in web.asked:
        names = [line.partition(":")[0].lower() for line in head.splitlines()[1:] if line]
        assert ["accept", "accept-encoding", "connection", "host", "user-agent"] == sorted(names)
        assert "Accept: text/html, image/*".lower() in head.lower()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "shop.example", "wall.localhost"])
def test_loopback_is_not_even_connected_to(web: ForeignWeb, host: str) -> None:
    web.paths["/"] = page(b"secret")
    guard = Guard(resolve=(lambda _, __: ["127.0.0.1"]) if host == "shop.example" else None)
    assert Reason.FORBIDDEN == refusal(guard, f"http://{host}:{web.port}/")
    assert [] == web.asked


@pytest.mark.parametrize("entry", ["wall.localhost", "wall.localhost:{port}", "127.0.0.0/8"])
def test_what_the_operator_allows_is_fetched(web: ForeignWeb, entry: str) -> None:
    web.paths["/"] = page(b"picture")
    guard = Guard([entry.format(port=web.port)])
    assert b"picture" == get(guard, f"http://wall.localhost:{web.port}/").body
    assert f"host: wall.localhost:{web.port}" in web.asked[0].lower()


def test_what_is_allowed_on_one_port_is_not_on_another(web: ForeignWeb) -> None:
    guard = Guard([f"wall.localhost:{web.port + 1}"])
    assert Reason.FORBIDDEN == refusal(guard, f"http://wall.localhost:{web.port}/")


def test_of_a_name_that_is_partly_inside_only_the_outside_is_reached(web: ForeignWeb) -> None:
    web.paths["/"] = page(b"outside")
    with foreign_web("127.0.0.2", web.port) as inside:
        guard = Guard(["127.0.0.1"], resolve=lambda host, port: ["127.0.0.2", "127.0.0.1", "10.0.0.1"])
        assert b"outside" == get(guard, f"http://shop.example:{web.port}/").body
        assert [] == inside.asked


def test_a_name_that_changes_its_mind_reaches_only_what_was_judged(web: ForeignWeb) -> None:
    """Rebinding: each look-up says something else, and what is inside listens on the same port."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])
    web.paths["/"] = page(b"outside")
    web.paths["/again"] = redirect("/")
    with foreign_web("127.0.0.2", web.port) as inside:
        inside.paths["/"] = page(b"inside")
        guard = Guard(["127.0.0.1"], resolve=lambda host, port: next(answers))
        assert b"outside" == get(guard, f"http://shop.example:{web.port}/").body
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        assert Reason.FORBIDDEN == refusal(guard, f"http://shop.example:{web.port}/again")
        assert [] == inside.asked


def test_the_systems_resolver_knows_names_under_localhost_by_itself() -> None:
    assert ["127.0.0.1", "::1"] == system_resolver("wall.localhost", 80)
    assert {"127.0.0.1"} == set(system_resolver("127.0.0.1", 80))


def test_the_next_address_is_tried_where_one_does_not_answer(web: ForeignWeb) -> None:
    web.paths["/"] = page(b"second")
    guard = Guard(["127.0.0.0/8"], resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"])
    assert b"second" == get(guard, f"http://shop.example:{web.port}/").body


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://metadata.google.internal@169.254.169.254/",
        "http://localhost/",
        "http://127.0.0.2/",
        "file:///etc/passwd",
        "ftp://shop.example/",
        "//10.0.0.1/",
        "http://[",
    ],
)
def test_a_redirect_is_judged_like_any_address(guard: Guard, web: ForeignWeb, location: str) -> None:
    web.paths["/"] = redirect(location)
    assert Reason.FORBIDDEN == refusal(guard, f"{web.url}/")


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
def test_three_redirects_are_followed_and_a_fourth_is_not(guard: Guard, web: ForeignWeb, status: str) -> None:
    web.paths.update({"/1": redirect("/2", status), "/2": redirect("3", status), "/3": redirect("/4", status)})
    web.paths["/4"] = page(b"there")
    assert Fetched(200, "text/html", b"there", f"{web.url}/4") == get(guard, f"{web.url}/1")
    web.paths["/4"] = redirect("/5", status)
    assert Reason.TOO_MANY_REDIRECTS == refusal(guard, f"{web.url}/1")
    assert not any(" /5 " in head for head in web.asked)


@pytest.mark.parametrize("location", [b"/caf\xc3\xa9", b"/caf\xe9"], ids=["utf-8", "latin-1"])
def test_a_redirect_need_not_be_ascii(guard: Guard, web: ForeignWeb, location: bytes) -> None:
    web.paths["/"] = says(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
    web.paths["/caf%C3%A9"] = page(b"there")
    assert f"{web.url}/caf%C3%A9" == get(guard, f"{web.url}/").address


def test_another_status_is_given_without_its_body(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/gone"] = page(b"x" * 100 * KIB, "application/json", "410 Gone")
    web.paths["/nowhere"] = page(b"a redirect to nowhere", status="302 Found")
    assert Fetched(410, "application/json", b"", f"{web.url}/gone") == get(guard, f"{web.url}/gone")
    assert 302 == get(guard, f"{web.url}/nowhere").status


@pytest.mark.parametrize(
    ("content_type", "accept", "is_fetched"),
    [
        ("text/html", ["text/html"], True),
        ("TEXT/HTML ; Charset=x", ["text/html"], True),
        ("image/png", ["image/*"], True),
        ("imagery/png", ["image/*"], False),
        ("text/plain", ["text/html", "application/xhtml+xml"], False),
        ("text/htmlx", ["text/html"], False),
        ("", ["text/html"], False),
    ],
)
def test_only_what_was_asked_for_is_read(
    guard: Guard, web: ForeignWeb, content_type: str, accept: list[str], is_fetched: bool
) -> None:
    web.paths["/"] = page(b"<p>", content_type)
    if is_fetched:
        assert b"<p>" == get(guard, f"{web.url}/", accept=accept).body
    else:
        assert Reason.WRONG_TYPE == refusal(guard, f"{web.url}/", accept=accept)


def test_what_is_too_large_is_refused_or_cut(guard: Guard, web: ForeignWeb) -> None:
    web.paths["/announced"] = says(OPEN.encode() + b"Content-Length: 99999999\r\n\r\n")
    web.paths["/just"] = page(b"x" * 1000)
    web.paths["/over"] = page(b"x" * 1001)
    web.paths["/unannounced"] = forever(OPEN.encode() + b"\r\n", b"x" * KIB)
    web.paths["/chunked"] = forever(
        OPEN.encode() + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * KIB + b"\r\n"
    )
    for path in ("/announced", "/over", "/unannounced", "/chunked"):
        assert Reason.TOO_LARGE == refusal(guard, web.url + path, most_bytes=1000)
    for path in ("/just", "/over", "/unannounced", "/chunked"):
        assert b"x" * 1000 == get(guard, web.url + path, most_bytes=1000, whole=False).body
    assert b"x" * 1000 == get(guard, f"{web.url}/just", most_bytes=1000).body


@pytest.mark.parametrize("packed", [gzip.compress(b"<p>hello"), zlib.compress(b"<p>hello")], ids=["gzip", "deflate"])
def test_a_packed_body_is_unpacked(guard: Guard, web: ForeignWeb, packed: bytes) -> None:
    coding = "gzip" if packed[:2] == b"\x1f\x8b" else "deflate"
    web.paths["/"] = page(packed + b"and what nobody asked for" * 9000, headers=(f"Content-Encoding: {coding}",))
    assert b"<p>hello" == get(guard, f"{web.url}/", most_bytes=512 * KIB).body


def test_a_bomb_goes_off_in_a_small_room(guard: Guard, web: ForeignWeb) -> None:
    bomb = gzip.compress(b"\0" * 64 * KIB * KIB)
    web.paths["/"] = page(bomb, headers=("Content-Encoding: gzip",))
    before = _peak_memory()
    assert Reason.TOO_LARGE == refusal(guard, f"{web.url}/", most_bytes=KIB * KIB)
    assert KIB * KIB == len(get(guard, f"{web.url}/", most_bytes=KIB * KIB, whole=False).body)
    assert _peak_memory() - before < 16 * KIB  # KiB


def test_a_packed_body_that_never_ends_and_never_yields_is_refused(guard: Guard, web: ForeignWeb) -> None:
    head = f"{OPEN}Content-Encoding: gzip\r\n\r\n".encode()
    nothing = b"\x00\x00\x00\xff\xff" * 2000  # blocks of deflate without content
    web.paths["/"] = forever(head + gzip.compress(b"")[:10], nothing)
    assert Reason.TOO_LARGE == refusal(guard, f"{web.url}/", most_bytes=1000)


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        ("gzip", b"not packed", Reason.UNREACHABLE),
        ("gzip", gzip.compress(b"x" * 9999)[:-12], Reason.UNREACHABLE),
        ("br", b"", Reason.WRONG_TYPE),
        ("gzip, gzip", b"", Reason.WRONG_TYPE),
    ],
    ids=["not packed", "cut off", "another packing", "twice"],  # gzip writes the time into what it packs
)
def test_broken_and_unknown_packing_is_refused(
    guard: Guard, web: ForeignWeb, coding: str, body: bytes, expected: Reason
) -> None:
    web.paths["/"] = page(body, headers=(f"Content-Encoding: {coding}",))
    assert expected == refusal(guard, f"{web.url}/")


@pytest.mark.parametrize(
    "behaviour",
    [
        says(b"HTTP/1.1 ", every=30),
        forever(b"HTTP/1.1 200 OK\r\nX: ", b"x", every=0.05),
        forever(f"{OPEN}Content-Length: 9999\r\n\r\n".encode(), b"x", every=0.05),
        forever(
            f"{OPEN}Content-Encoding: gzip\r\n\r\n".encode() + gzip.compress(b"")[:10], b"\0\0\0\xff\xff", every=0.05
        ),
        forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.05),
    ],
    ids=["silence", "headers", "body", "packed", "continue"],
)
def test_a_drip_ends_in_time(guard: Guard, web: ForeignWeb, behaviour: object) -> None:
    web.paths["/"] = behaviour  # type: ignore[assignment]
    began = time.monotonic()
    assert Reason.TOO_SLOW == refusal(guard, f"{web.url}/", seconds=0.4)
    assert time.monotonic() - began < 1.5


def test_redirects_share_one_deadline(guard: Guard, web: ForeignWeb) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    web.paths["/"] = says(b"", answer, every=0.15)
    assert Reason.TOO_SLOW == refusal(guard, f"{web.url}/", seconds=0.4)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "garbage", "cut", "chunks", "two-lengths", "long-header"],
)
def test_broken_http_is_refused(guard: Guard, web: ForeignWeb, answer: bytes) -> None:
    web.paths["/"] = says(answer)
    assert Reason.UNREACHABLE == refusal(guard, f"{web.url}/")


def test_nobody_listens(guard: Guard) -> None:
    assert Reason.UNREACHABLE == refusal(guard, f"http://127.0.0.1:{free_port()}/")


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("too long")])
def test_there_is_no_such_name(error: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise error

    assert Reason.UNREACHABLE == refusal(Guard(resolve=resolve), "http://shop.example/")
    assert Reason.UNREACHABLE == refusal(Guard(resolve=lambda host, port: []), "http://shop.example/")


def test_name_servers_that_hang_hold_up_no_more_than_sixteen_threads() -> None:
    stuck = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        stuck.wait(30)
        return ["127.0.0.1"]

    guard = Guard(["127.0.0.1"], resolve=resolve)
    for _ in range(18):
        assert Reason.TOO_SLOW == refusal(guard, "http://shop.example/", seconds=0.02)
    assert 16 == sum(thread.name == "grapevine-resolver" for thread in threading.enumerate())
    stuck.set()
    assert Reason.UNREACHABLE == refusal(guard, f"http://shop.example:{free_port()}/")


def test_one_whose_name_servers_hang_leaves_places_to_others(web: ForeignWeb) -> None:
    web.paths["/"] = page(b"other")
    stuck = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        if host == "hanging.example":
            stuck.wait(30)
        return ["127.0.0.1"]

    guard = Guard(["127.0.0.1"], resolve=resolve)

    def ask(address: str, of: int) -> bytes:
        return guard.get(address, most_bytes=1024, seconds=2, accept=HTML, of=of).body

    hanging = "http://hanging.example/"
    for _ in range(8):
        with pytest.raises(Refused) as refused:
            guard.get(hanging, most_bytes=1024, seconds=0.02, accept=HTML, of=1)
        assert Reason.TOO_SLOW == refused.value.reason
    assert 4 == sum(thread.name == "grapevine-resolver" for thread in threading.enumerate())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(guard.post, "https://hanging.example/", b"", {}, seconds=0.3, of=1)
        assert b"other" == ask(f"http://shop.example:{web.port}/", of=2)
        assert b"other" == get(guard, f"http://shop.example:{web.port}/").body
        outcome = waiting.exception()
    assert isinstance(outcome, Refused)
    assert Reason.TOO_SLOW == outcome.reason
    stuck.set()
    assert b"other" == ask(f"http://hanging.example:{web.port}/", of=1), "who is answered has their places again"


def test_a_place_that_becomes_free_is_given_to_who_waits_for_it(web: ForeignWeb) -> None:
    web.paths["/"] = page(b"seen")

    def resolve(host: str, port: int) -> list[str]:
        time.sleep(0.02)
        return ["127.0.0.1"]

    guard = Guard(["127.0.0.1"], resolve=resolve)
    with ThreadPoolExecutor(24) as pool:
        asked = [
            pool.submit(guard.get, f"http://a.example:{web.port}/", most_bytes=99, seconds=5, accept=HTML, of=7)
            for _ in range(24)
        ]
        assert {b"seen"} == {each.result().body for each in asked}


def test_proxies_in_the_environment_are_ignored(guard: Guard, web: ForeignWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    with foreign_web() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        web.paths["/"] = page(b"direct")
        assert b"direct" == get(guard, f"{web.url}/").body
        assert [] == proxy.asked


def test_tls_is_held_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    server, client = certified("shop.example", tmp_path)
    seen: list[str | None] = []
    server.sni_callback = lambda line, name, context: seen.append(name)
    with foreign_web(tls=server) as web:
        web.paths["/"] = page(b"private")
        guard = Guard(["127.0.0.1"], resolve=lambda host, port: ["127.0.0.1"], tls=client)
        assert b"private" == get(guard, f"https://shop.example:{web.port}/").body
        assert ["shop.example"] == seen
        assert f"host: shop.example:{web.port}" in web.asked[0].lower()
        assert Reason.UNREACHABLE == refusal(guard, f"https://other.example:{web.port}/")
        assert Reason.UNREACHABLE == refusal(guard, f"https://127.0.0.1:{web.port}/")
        stranger = Guard(["127.0.0.1"], resolve=lambda host, port: ["127.0.0.1"])
        assert Reason.UNREACHABLE == refusal(stranger, f"https://shop.example:{web.port}/")


def test_broken_tls_is_refused_in_time(web: ForeignWeb) -> None:
    guard = Guard(["127.0.0.1"], resolve=lambda host, port: ["127.0.0.1"])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert Reason.TOO_SLOW == refusal(guard, f"https://shop.example:{port}/", seconds=0.4)
    assert Reason.UNREACHABLE == refusal(guard, f"https://shop.example:{_plain()}/")


def _plain() -> int:
    """A port where somebody speaks no TLS, once."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        line, _ = listener.accept()
        with listener, line:
            line.recv(10)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def _peak_memory() -> int:
    """KiB that this process had at most."""
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


def test_a_body_in_chunks_of_a_byte_each_is_fetched_whole(guard: Guard, web: ForeignWeb) -> None:
    body = b"x" * 50_000
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    web.paths["/"] = says(head + b"1\r\nx\r\n" * len(body) + b"0\r\n\r\n")
    assert body == guard.get(f"{web.url}/", most_bytes=len(body), seconds=10, accept=["text/html"]).body
