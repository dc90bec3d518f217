"""Isso, comments for any page: likes of comments, and reading a thread of as many as a wall has cards."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from tests.bench.ground import Ground
from tests.bench.peers.had import Program, from_pypi, gunicorn, serving
from tests.bench.servers import Server
from tests.net import free_port

NAME: Final = "Isso 0.14.0"
COMMENTS: Final = 200
"""Liked in turn: Isso takes at most 142 likes of one."""
THREAD: Final = 4
"""Comments of one page: as many as the wall that is measured has cards."""
THREADS: Final = 1
"""More would only wait for each other: its database is SQLite, with a connection for each statement."""
_SETTINGS: Final = """[general]
dbpath = {folder}/comments.db
host = {at}
[server]
listen = {at}
trusted-proxies = 127.0.0.1
[guard]
enabled = false
[hash]
algorithm = none
"""


@dataclass(frozen=True)
class Comments:
    """Isso with pages that were commented on."""

    server: Server
    ids: list[int]
    page: str


@contextmanager
def commented(ground: Ground) -> Iterator[Comments]:
    """It runs until the block ends. Raises `NotHad`."""
    programs = from_pypi()
    folder, port = ground.folder / "isso", free_port()
    folder.mkdir()
    settings = folder / "isso.cfg"
    settings.write_text(_SETTINGS.format(folder=folder, at=f"http://127.0.0.1:{port}"), "utf-8")
    command = gunicorn(programs, "isso.run", port, THREADS)
    program = Program(command, port, "/js/embed.min.js", {"ISSO_SETTINGS": str(settings)}, folder)
    with serving(ground, program) as server:
        with httpx.Client(base_url=server.url, timeout=30) as http:
            ids = [_comment(http, number) for number in range(COMMENTS)]
        yield Comments(server, ids, "/pages/0/")


def _comment(http: httpx.Client, number: int) -> int:
    uri = f"/pages/{number // THREAD}/"
    said = {"text": f"The mug of number {number} keeps warm.", "author": "Ana", "title": "Mugs"}
    answer = http.post("/new", params={"uri": uri}, json=said, headers={"X-Forwarded-For": "10.0.0.1"})
    http.cookies.clear()  # one for each comment: together they would be too much for a head
    return int(answer.raise_for_status().json()["id"])
