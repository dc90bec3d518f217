"""One server is light: it starts in less than one and a half seconds, and stays below 140 MiB even where there was
nothing when it started; what it may grow to is 150 MiB (tests/bench/test_one_process.py)."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ADMIN_TOKEN, keys_at
from tests.net import free_port
from tests.shop import BROWSER, ok

ROOT = Path(__file__).parents[2]
SECONDS = 1.5
MIB = 140


@pytest.mark.alone
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads what Linux knows of a process")
def test_a_server_starts_in_one_and_a_half_seconds_and_stays_below_140_mib(tmp_path: Path) -> None:
    """What is held against the limit is processor time until the first answer, not time by the clock: starting is
    almost nothing but computing (imports), so on a machine at rest the two are the same, and on a busy one (other
    tests, other people's builds) only processor time still says something about this program. Time by the clock is
    printed.

    The first start finds nothing, and brings the database up to date; the second finds that done, and packs the
    widget's files again. What did so must not stay in memory."""
    # As it is installed: compiled once, and not at each start.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "app")], env=environment(), check=True)
    with serving(tmp_path) as (url, server):
        use_a_little(url)
        resident = memory(server.pid)
    shutil.rmtree(tmp_path / "assets")
    began = time.monotonic()
    with serving(tmp_path) as (_, server):
        by_the_clock, computed = time.monotonic() - began, processor_time(server.pid)
    print(f"{by_the_clock:.2f} s by the clock, {computed:.2f} s of processor time, {resident:.0f} MiB")
    assert computed < SECONDS
    assert resident < MIB


def environment() -> dict[str, str]:
    """This process's, without what is set for Grapevine or keeps Python from writing what it compiles."""
    left_out = ("GRAPEVINE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server on what is in the folder, from its first answer until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
        env=environment()
        | {
            "GRAPEVINE_DATABASE_URL": f"sqlite:///{folder}/grapevine.db",
            "GRAPEVINE_DATA_DIR": str(folder),
            "GRAPEVINE_ADMIN_TOKEN": ADMIN_TOKEN,
            "PYTHONPATH": str(ROOT),
        },
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(url, server)
        yield url, server
    finally:
        server.terminate()
        server.wait(20)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server stopped"
        try:
            if httpx.get(f"{url}/healthz", verify=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.01)
    raise AssertionError("the server did not start")


def processor_time(pid: int) -> float:
    """Seconds that the process has computed so far, and those it has waited for (proc(5): utime, stime, cutime and
    cstime, the 14th field to the 17th)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MiB that the process has in memory now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024


def use_a_little(url: str) -> None:
    """A shop with a wall, and people who like, share, follow links and buy."""
    with httpx.Client(base_url=url, verify=False, headers={"User-Agent": BROWSER}, timeout=20) as http:
        key = {"Authorization": f"Bearer {keys_at(url)['secret_key']}"}
        product = ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"]
        wall = ok(http.post("/v1/walls", json={"title": "Wall", "products": [product]}, headers=key), 201)["id"]
        for number in range(20):
            ok(http.post("/v1/likes", json={"product": product}), 201)
            code = ok(http.post("/v1/shares", json={"product": product, "network": "whatsapp"}), 201)["code"]
            click = "clk_" + http.get(f"/r/{code}").text.split("clk_", 1)[1][:30]
            for path in (f"/w/{wall}", f"/p/{product}", f"/v1/walls/{wall}/widget", f"/r/{code}.svg"):
                http.get(path)
            order = {"external_id": str(number), "currency": "eur", "net": 1000, "click_id": click}
            placed = {"placed_at": "2026-03-02T10:00:00Z"}
            ok(http.post("/v1/orders", json=order | placed, headers=key), 201)
        ok(http.get("/openapi.json"))
        ok(http.get("/v1/reports/attribution", headers=key))
