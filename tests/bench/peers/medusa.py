"""Medusa, a shop without a face: the listing of its products, as a storefront asks for it.

Its own packages are pinned by version, and what they need is not: they are eleven hundred, and a lock of them would
have 440 KB. No script of theirs is run when they are installed.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.ground import Ground, Kind
from tests.bench.peers.had import FOLDER, NotHad, Program, mark_of, run, serving
from tests.bench.servers import Server
from tests.net import free_port

NAME: Final = "Medusa 2.21.2"
_STORE: Final = Path(__file__).parent / "medusa_store"
_INSTALL: Final = ("install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock")


@dataclass(frozen=True)
class Store:
    """Medusa with four products, and what a storefront says of itself."""

    server: Server
    headers: dict[str, str]


@contextmanager
def store(ground: Ground, on_postgres: Kind) -> Iterator[Store]:
    """It runs until the block ends, on a database of its own. Raises `NotHad`."""
    folder = _installed()
    program, port = str(folder / "node_modules" / ".bin" / "medusa"), free_port()
    settings = {
        "DATABASE_URL": on_postgres.fresh("medusa"),
        "NODE_ENV": "production",
        "MEDUSA_DISABLE_TELEMETRY": "true",
    }
    run([program, "db:migrate"], folder, settings)
    run([program, "exec", "./seed.js"], folder, settings)
    key = (folder / "key.txt").read_text("utf-8")
    serve = Program([program, "start", "--port", str(port)], port, "/health", settings, folder)
    with serving(ground, serve) as server:
        yield Store(server, {"x-publishable-api-key": key})


def _installed() -> Path:
    """Its folder, with what npm has of it. Raises `NotHad`."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotHad("npm is not installed")
    folder = FOLDER / "medusa"
    folder.mkdir(parents=True, exist_ok=True)
    for file in _STORE.iterdir():
        shutil.copy(file, folder)
    mark = folder / mark_of((_STORE / "package.json").read_text("utf-8"))
    if not mark.exists():
        run([npm, *_INSTALL], folder, {})
        mark.touch()
    return folder
