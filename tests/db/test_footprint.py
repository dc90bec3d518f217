"""One server is light: it starts in less than one and a half seconds and stays below 150 MiB."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app import migrate
from app.kernel.database import Database
from tests.conftest import ADMIN_TOKEN, keys_at
from tests.net import free_port
from tests.shop import BROWSER, ok

ROOT = Path(__file__).parents[2]
SECONDS = 1.5
MIB = 150


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A migrated SQLite database."""
    url = f"sqlite:///{tmp_path}/grapevine.db"
    database = Database(url)
    migrate.upgrade(database)
    database.close()
    return url


@pytest.mark.alone
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads what Linux knows of a process")
def test_a_server_starts_in_one_and_a_half_seconds_and_stays_below_150_mib(database_url: str, tmp_path: Path) -> None:
    """What is held against the limit is processor time until the first answer, not time by the clock: starting is
    almost nothing but computing (imports), so on a machine at rest the two are the same, and on a busy one (other
    tests, other people's builds) only processor time still says something about this program. Time by the clock is
    printed."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # As it is installed: compiled once, and not at each start.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "app")], env=environment, check=True)
    environment |= {
        "GRAPEVINE_DATABASE_URL": database_url,
        "GRAPEVINE_DATA_DIR": str(tmp_path),
        "GRAPEVINE_ADMIN_TOKEN": ADMIN_TOKEN,
        "PYTHONPATH": str(ROOT),
    }
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(url, server)
        by_the_clock, computed = time.monotonic() - began, processor_time(server.pid)
        use_a_little(url)
        resident = memory(server.pid)
    finally:
        server.terminate()
        server.wait(20)
    print(f"{by_the_clock:.2f} s by the clock, {computed:.2f} s of processor time, {resident:.0f} MiB")
    assert computed < SECONDS
    assert resident < MIB


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
    """Seconds that the process has computed so far (proc(5): utime and stime, the 14th and 15th field)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
