"""What others made, as far as it can be had: installed once, run in processes of their own on the server's core."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.ground import Ground
from tests.bench.servers import ROOT, Server, started

FOLDER: Final = ROOT / "var" / "peers"
FROM_PYPI: Final = Path(__file__).parents[1] / "peers.txt"
"""With hashes; `make lock` makes it of `peers.in`."""
_SECONDS: Final = 600


class NotHad(Exception):
    """Why a peer is not measured, in words."""


@dataclass(frozen=True)
class Program:
    """How a peer is started: a command that serves on a port, what it needs in its environment, what it answers."""

    command: Sequence[str]
    port: int
    ready: str
    settings: Mapping[str, str]
    folder: Path


@contextmanager
def serving(ground: Ground, program: Program) -> Iterator[Server]:
    """The peer's server. Raises `NotHad` where it does not start."""
    with started(
        ground.cores, list(program.command), program.port, program.ready, program.settings, folder=program.folder
    ) as server:
        yield server


def from_pypi() -> Path:
    """The folder of programs of a virtual environment with all of them. Raises `NotHad`."""
    home = FOLDER / "venv"
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    mark = home / mark_of(FROM_PYPI.read_text("utf-8"))
    if not mark.exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "-r", str(FROM_PYPI)], home, {})
        mark.touch()
    return programs


def mark_of(*texts: str) -> str:
    """The name of a file that says of what something was made: other texts, another mark."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
    """Run it there. Raises `NotHad` with the last line that it said."""
    try:
        subprocess.run(
            command, cwd=folder, env=os.environ | dict(settings), check=True, capture_output=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        raise NotHad(f"could not be had in this run ({said[-1] if said else type(error).__name__})") from error


def gunicorn(programs: Path, application: str, port: int, threads: int) -> list[str]:
    """One process, which keeps lines open."""
    how = ["--workers", "1", "--worker-class", "gthread", "--threads", str(threads), "--keep-alive", "30"]
    return [str(programs / "gunicorn"), application, *how, "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
