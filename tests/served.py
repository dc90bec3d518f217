"""`grapevine serve` and `grapevine worker` in processes of their own, which tests kill, starve and start again."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import ADMIN_TOKEN, WEBHOOK_SECRET
from tests.forked import Process, forge
from tests.net import free_port

ROOT = Path(__file__).parents[1]


@dataclass
class Server:
    """The server, with its folder and port, which it keeps however often it is killed and started again.

    `settings` are further variables of its environment; `open_files` are how many it may have open at once, unless it
    asks for more, and at most; `code` is the folder of the code that it runs.
    """

    database_url: str
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: Process | None = None
    workers: int = 1
    open_files: tuple[int, int] | None = None
    code: Path = ROOT

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start on what is there, and wait until it is ready."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start, and do not wait."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
        environment |= {
            "GRAPEVINE_DATABASE_URL": self.database_url,
            "GRAPEVINE_DATA_DIR": str(self.folder),
            "GRAPEVINE_PUBLIC_URL": self.url,
            "GRAPEVINE_ADMIN_TOKEN": ADMIN_TOKEN,
            "GRAPEVINE_SECRET": "secret-of-the-tests-" + "x" * 12,
            "GRAPEVINE_STRIPE_API_KEY": "sk_live_of_nobody",
            "GRAPEVINE_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "GRAPEVINE_RECONCILE": "false",
            **self.settings,
        }
        if self.is_forked:
            self.process = forge().run(self.arguments, environment, self.folder / "server.log")
            return
        command = [sys.executable, "-m", "app.cli", *self.arguments]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.code, env=environment, stdout=log, stderr=log)
            if self.open_files is not None:  # while it is still loading
                resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, self.open_files)

    def wait(self) -> None:
        """Wait until what was launched is ready."""
        assert self.process is not None
        for _ in range(600):
            assert self.process.poll() is None, self.log[-3000:]
            if self.is_ready():
                return
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    @property
    def is_forked(self) -> bool:
        """Whether it is forked from a process that has loaded everything: not where that makes a difference."""
        return self.workers == 1 and self.open_files is None and self.code == ROOT

    @property
    def arguments(self) -> list[str]:
        return ["serve", "--port", str(self.port), "--workers", str(self.workers)]

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", verify=False, timeout=5).is_success
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")

    @property
    def resident(self) -> int:
        """Bytes of memory that the process holds."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """End it at once, with -9."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)


class Worker(Server):
    """`grapevine worker`; who has one sets `GRAPEVINE_JOBS` of the servers to `false`."""

    @property
    def arguments(self) -> list[str]:
        return ["worker"]

    def is_ready(self) -> bool:
        """It says nothing to anybody."""
        return True
