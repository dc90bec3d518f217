"""Processes that run `grapevine` without loading it anew each time: a process of this module's own has loaded it all,
and forks for each command. What is loaded is the same; what a start itself costs is tested elsewhere."""

import atexit
import functools
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

ROOT: Final = Path(__file__).parents[1]


class Process(Protocol):
    """Of `subprocess.Popen` what tests need."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def terminate(self) -> None: ...


class Forked:
    """A process that has been forked; it is waited for by its parent, which is asked."""

    def __init__(self, forge: "Forge", pid: int) -> None:
        self._forge = forge
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended, as `subprocess` tells it; None while it runs."""
        if self.returncode is None:
            self.returncode = self._forge.ask({"of": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises `subprocess.TimeoutExpired`."""
        deadline = time.monotonic() + (timeout or 3600)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 3600)
            time.sleep(0.005)
        return code

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None:  # nobody else may have its number until it was waited for
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Forge:
    """The process that forks. Threads may share it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the tests
        )
        atexit.register(self.close)

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path = ROOT) -> Forked:
        """Run `grapevine` with these arguments in a folder; what it says is appended to `log`."""
        told = {"arguments": [*arguments], "environment": {**environment}, "log": str(log), "folder": str(folder)}
        pid = self.ask(told)
        assert pid is not None
        return Forked(self, pid)

    def ask(self, question: Mapping[str, Any]) -> int | None:
        """Its answer: a number or none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """It ends; what it has forked goes on."""
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()
        self._process.wait(20)


@functools.cache
def forge() -> Forge:
    """The one of this process, made when it is first wanted."""
    return Forge()


def _load() -> None:
    """All that a server loads by and by."""
    import psycopg
    import sqlalchemy.dialects.postgresql.psycopg
    import sqlalchemy.dialects.sqlite.pysqlite
    import stripe
    import uvicorn.loops.auto
    import uvicorn.protocols.http.httptools_impl

    import app.cli
    import app.main
    import app.migrate

    assert all((psycopg, sqlalchemy, stripe, uvicorn, app.cli, app.main, app.migrate))
    gc.freeze()


def _serve() -> dict[str, Any]:
    """Answer until the questions end; in a forked process, returns what it is to run."""
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if "of" in asked:
            answer = _ended(asked["of"])
        elif (answer := os.fork()) == 0:
            return dict(asked)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()
    raise SystemExit(0)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(asked: Mapping[str, Any]) -> None:
    """Be the process that was asked for, until it ends."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for mine, other in ((0, nothing), (1, log), (2, log)):
        os.dup2(other, mine)
    os.close(nothing)
    os.close(log)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["grapevine", *asked["arguments"]]

    from app.cli import main

    main()


if __name__ == "__main__":
    _load()
    _become(_serve())
