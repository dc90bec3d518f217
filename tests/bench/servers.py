"""What is started: servers in processes of their own, on loopback, all on one core, until they are told to stop."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from tests.bench import baseline
from tests.net import free_port

ROOT = Path(__file__).parents[2]
ADMIN_TOKEN = "operator-token-of-the-benchmark"
SECRET = "secret-of-the-benchmark"
PATIENCE = 60.0
"""Seconds in which a server must have started or stopped."""
_UVICORN = [sys.executable, "-m", "uvicorn", "--no-access-log", "--no-server-header", "--log-level", "warning"]


@dataclass(frozen=True)
class Cores:
    """Which cores the server has, and which everything else. Both empty where they cannot be given out."""

    server: frozenset[int]
    others: frozenset[int]

    @classmethod
    def divided(cls) -> "Cores":
        """One core for the server and the rest for the load and PostgreSQL, where there are two at least."""
        if sys.platform != "linux" or len(mine := sorted(os.sched_getaffinity(0))) < 2:
            return cls(frozenset(), frozenset())
        return cls(frozenset(mine[:1]), frozenset(mine[1:]))

    @contextmanager
    def on(self, cores: frozenset[int]) -> Iterator[None]:
        """Whatever is started in this block runs on `cores`, and so does the block itself."""
        if not cores or sys.platform != "linux":
            yield
            return
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    port: int
    pid: int
    started_in: float  # seconds from the start of the process to its first answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def resident(self) -> float | None:
        """Mebibytes of memory that the process holds; None where the system does not tell."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return None


@contextmanager
def grapevine(cores: Cores, database_url: str, folder: Path) -> Iterator[Server]:
    """The real server, as `grapevine serve` starts it."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    with started(cores, command, port, "/healthz", _settings(database_url, folder, port)) as server:
        yield server


@contextmanager
def bare(cores: Cores) -> Iterator[Server]:
    """The least that can be served."""
    port = free_port()
    with started(cores, [*_UVICORN, "tests.bench.bare:app", "--port", str(port)], port, "/2048", {}) as server:
        yield server


@contextmanager
def orm_baseline(cores: Cores, database_url: str) -> Iterator[Server]:
    """The usual way to serve `/r/{code}`."""
    port = free_port()
    command = [*_UVICORN, "--factory", "tests.bench.baseline:make", "--port", str(port)]
    environment = {baseline.ADDRESS: database_url}
    with started(cores, command, port, "/openapi.json", environment) as server:
        yield server


def migrate(database_url: str, folder: Path) -> None:
    """Bring the database up to date, as the operator would."""
    environment = _environment(_settings(database_url, folder, 8000))
    subprocess.run(
        [sys.executable, "-m", "app.cli", "migrate"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _settings(database_url: str, folder: Path, port: int) -> dict[str, str]:
    return {
        "GRAPEVINE_DATA_DIR": str(folder),
        "GRAPEVINE_DATABASE_URL": database_url,
        "GRAPEVINE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "GRAPEVINE_SECRET": SECRET,
        "GRAPEVINE_ADMIN_TOKEN": ADMIN_TOKEN,
        "GRAPEVINE_RATE_LIMITS": "off",  # few callers make the load of many
    }


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, without what the operator of this machine may have set for Grapevine."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")} | dict(settings)


@contextmanager
def started(
    cores: Cores, command: list[str], port: int, ready: str, settings: Mapping[str, str], folder: Path = ROOT
) -> Iterator[Server]:
    """A server, once it answers `ready` with 200, until the block ends. Raises `RuntimeError` when it ends by itself,
    `TimeoutError` when it does not answer."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        begin = time.perf_counter()
        with cores.on(cores.server):
            process = subprocess.Popen(command, cwd=folder, env=_environment(settings), stdout=said, stderr=said)
        try:
            with cores.on(cores.others):
                _wait_for_answer(process, port, ready)
            yield Server(port, process.pid, time.perf_counter() - begin)
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read()[-5000:])
            raise
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for_answer(process: "subprocess.Popen[bytes]", port: int, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as asking, suppress(ConnectionError):
            asking.request("GET", path)
            if asking.getresponse().status == 200:
                return
        if process.poll() is not None:
            raise RuntimeError(f"a server ended by itself: {process.args!r}")
        time.sleep(0.01)
    raise TimeoutError(f"port {port} gives no answer")
