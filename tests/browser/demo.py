"""The demonstration as a process of its own, as `make demo` starts it, for tests that look at it with a browser."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.forked import Process, forge
from tests.net import free_port


@dataclass(frozen=True)
class Demo:
    """Where the demonstration is, and its keys."""

    url: str
    blog: str
    wall: str
    secret_key: str
    report_key: str

    def report(self, group_by: str) -> list[dict[str, object]]:
        """The rows of the attribution report."""
        answer = httpx.get(
            f"{self.url}/v1/reports/attribution",
            params={"group_by": group_by},
            headers={"Authorization": f"Bearer {self.report_key}"},
        )
        rows = answer.raise_for_status().json()["data"]
        assert isinstance(rows, list)
        return rows


@contextmanager
def running(folder: Path, database_url: str, *options: str, **variables: str) -> Iterator[Demo]:
    """Start `grapevine demo` on free ports, with more `options` and variables, and wait until it answers."""
    port = _three_free_ports()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")},
        "GRAPEVINE_DATA_DIR": str(folder),
        "GRAPEVINE_DATABASE_URL": database_url,
        **variables,
    }
    log = folder / "demo.log"
    log.write_bytes(b"")
    process = forge().run(["demo", "--port", str(port), *options], environment, log, folder)
    try:
        _wait(f"http://127.0.0.1:{port}/readyz", process, log)
        kept = json.loads((folder / "demo.json").read_text("utf-8"))
        yield Demo(
            url=f"http://localhost:{port}",
            blog=f"http://wall.localhost:{port + 1}/",
            wall=kept["wall"],
            secret_key=kept["secret_key"],
            report_key=kept["report_key"],
        )
    finally:
        process.terminate()
        process.wait(20)


def _three_free_ports() -> int:
    while True:
        first = free_port()
        try:
            if all(_is_free(port) for port in (first + 1, first + 2)):
                return first
        except OverflowError:
            continue


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait(url: str, process: Process, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the demonstration did not start:\n{log.read_text('utf-8', 'replace')}")
