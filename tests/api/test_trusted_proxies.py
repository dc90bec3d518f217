"""Who comes is who the line says, and who a proxy says only where the operator named that proxy: on both lanes.

Seen from outside by what is counted by address: writes on one lane, codes that are none on the other. And by what is
kept of the machines that follow a link, which one lane gives at once and the other does not.
"""

from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.referrals.models import Visit
from tests.clock import TestClock
from tests.conftest import NewDatabase, keys_at
from tests.served import Server
from tests.shop import BROWSER, TestMerchant

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")

LIMITS = {"GRAPEVINE_RATE_LIMITS": "network=2/minute,misses=2/minute"}
NAMED = "127.0.0.0/8, 10.1.0.0/16,fd00::/8 , 192.0.2.7"
_blocks = count(1)


@pytest.fixture(scope="module")
def servers(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """One whose operator named the proxies, this machine among them, and one whose operator named another."""
    both = []
    for name, proxies in (("named", NAMED), ("unnamed", "10.1.0.0/16")):
        settings = {**LIMITS, "GRAPEVINE_TRUSTED_PROXIES": proxies}
        both.append(Server(new_database(name), tmp_path_factory.mktemp(name), settings=settings))
        both[-1].launch()
    try:
        for server in both:
            server.wait()
        yield both[0], both[1]
    finally:
        for server in both:
            server.kill()


@pytest.fixture(scope="module")
def named(servers: tuple[Server, Server]) -> Server:
    return servers[0]


@pytest.fixture(scope="module")
def alone(servers: tuple[Server, Server]) -> Server:
    return servers[1]


@pytest.fixture(scope="module")
def product(named: Server, alone: Server) -> dict[str, str]:
    """What can be liked, by server."""
    made = {}
    for server in (named, alone):
        keys = keys_at(server.url)
        merchant = TestMerchant(keys["id"], keys["secret_key"], keys["report_key"], server.url, TestClock())
        made[server.url] = merchant.product()["id"]
        merchant.close()
    return made


@pytest.fixture
def client() -> str:
    """An address of a block from which nobody came before."""
    return f"93.190.{next(_blocks)}.9"


def asked(server: Server, product: dict[str, str], lane: str, forwarded: list[list[str]]) -> list[int]:
    """The statuses of a question for each list of `X-Forwarded-For` headers."""
    found = []
    with httpx.Client(base_url=server.url, verify=False) as http:
        for values in forwarded:
            headers = [("X-Forwarded-For", value) for value in values]
            if lane == "fast":
                found.append(http.get("/r/zzzzzzzzz", headers=headers).status_code)
            else:
                body = {"product": product[server.url]}
                found.append(http.post("/v1/likes", json=body, headers=headers).status_code)
    return found


BOTH = pytest.mark.parametrize(("lane", "usual"), [("fast", 404), ("slow", 201)])


@BOTH
@pytest.mark.parametrize(
    "way",
    [
        "{}",
        "{}:4711",
        "{}, 10.1.2.3",
        "{},10.1.2.3 , fd00::1,192.0.2.7",
        "8.8.8.8, {}",
        "unknown, 8.8.8.8,{}, 127.0.0.5",
    ],
)
def test_what_a_named_proxy_says_counts_from_the_right(
    named: Server, product: dict[str, str], client: str, lane: str, usual: int, way: str
) -> None:
    """Each proxy appends who came to it: of what stands to the left of the first stranger anything may be made up."""
    assert [usual, usual, 429] == asked(named, product, lane, [[way.format(client)]] * 3)


@BOTH
def test_ever_new_made_up_addresses_before_the_true_one_are_no_way_round(
    named: Server, product: dict[str, str], client: str, lane: str, usual: int
) -> None:
    in_one = [[f"8.8.{number}.8, {client}"] for number in range(2)]
    in_two = [[f"8.9.{number}.8", client] for number in range(2)]
    assert [usual, usual, 429, 429] == asked(named, product, lane, in_one + in_two)


@BOTH
def test_addresses_of_ipv6_are_understood(named: Server, product: dict[str, str], lane: str, usual: int) -> None:
    number = next(_blocks)
    ways = [f"2606:2800:{number}::1", f"[2606:2800:{number}::2]:80", f"::ffff:93.191.{number}.1, 2606:2800:{number}::3"]
    assert [usual, usual, 429] == asked(named, product, lane, [[way] for way in ways])


@BOTH
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP"])
def test_what_anybody_else_says_is_ignored(
    alone: Server, product: dict[str, str], client: str, lane: str, usual: int, header: str
) -> None:
    """Neither is one turned away for an address that was made up, nor can one hide behind it."""
    value = f"for={client}" if header == "Forwarded" else client
    with httpx.Client(base_url=alone.url, verify=False, headers={header: value}) as http:
        for _ in range(5):
            if lane == "fast":
                assert usual == http.get("/r/zzzzzzzzz").status_code
            else:
                assert usual == http.post("/v1/likes", json={"product": product[alone.url]}).status_code


@BOTH
@pytest.mark.parametrize(
    "way", ["", "unknown", "a" * 5000, "300.1.1.1", ", ,", "'; DROP TABLE", "::1%eth0", "127.0.0.1"]
)
def test_what_is_no_address_of_the_internet_harms_nobody(
    named: Server, product: dict[str, str], lane: str, usual: int, way: str
) -> None:
    assert [usual] * 4 == asked(named, product, lane, [[way]] * 4)


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_a_visit_is_of_whoever_a_named_proxy_names_and_of_nobody_else(
    named: Server, alone: Server, product: dict[str, str], client: str, connection: str
) -> None:
    """IPv4, IPv6, and through a chain of proxies that were named one by one and by network."""
    number = next(_blocks)
    six = f"2606:2800:{number}::7"
    ways = [client, f"8.8.8.8, {client}, 10.1.2.3, fd00::1,192.0.2.7", six, f"[{six}]:80, 127.0.0.9", "10.1.2.3"]
    assert any(seen(named, product[named.url], [client], connection) != [None] for _ in range(100))  # there is a salt
    for server in (named, alone):
        found = seen(server, product[server.url], ways, connection)
        assert found[:2] == [found[0]] * 2
        assert found[2:4] == [found[2]] * 2
        assert [server is named] * 4 == [each is not None for each in found[:4]]
        assert found[4] is None
        assert (3 if server is named else 1) == len(set(found))


def seen(server: Server, product: str, ways: list[str], connection: str) -> list[str | None]:
    """The device that is kept of a visit for each of the addresses that are said to come."""
    merchant = merchant_of(product, "prod")
    asked = select(Visit.device).where(Visit.merchant_id == merchant).order_by(Visit.visit_id)
    about = {"User-Agent": BROWSER, "Connection": connection}
    with httpx.Client(base_url=server.url, verify=False, headers=about, timeout=60) as http:
        code = http.post("/v1/shares", json={"product": product, "network": "x"}).json()["code"]
        for way in ways:
            assert 200 == http.get(f"/r/{code}", headers={"X-Forwarded-For": way}).status_code
    database = Database(server.database_url)
    with database.reading() as session:
        found = list(session.scalars(asked))
    database.close()
    return found[-len(ways) :]


def test_no_address_stands_in_the_log(named: Server, alone: Server, client: str) -> None:
    assert "Chrome/" not in named.log + alone.log
    assert "93.190." not in named.log + alone.log
    assert "2606:2800" not in named.log + alone.log
