"""The receivers of docs/webhooks.md do what the page says, with the real sender."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.delivery import signing
from app.delivery.making_out import body_of
from app.delivery.pauses import PAUSES
from app.delivery.telling import tell
from app.kernel.outgoing import Guard
from tests.net import free_port

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text("utf-8")
NODE = shutil.which("node")
LANGUAGES = [
    pytest.param("python", sys.executable, "receiver.py", id="python"),
    pytest.param("js", NODE, "receiver.mjs", id="node", marks=pytest.mark.skipif(NODE is None, reason="no Node")),
]


@contextmanager
def running(command: list[str], folder: Path, secret: str) -> Iterator[str]:
    port = free_port()
    environment = os.environ | {"PORT": str(port), "WEBHOOK_SECRET": secret, "BOOKS": str(folder / "books")}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while not _listens(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def kept(folder: Path) -> list[str]:
    """The ids that the receiver has in its books."""
    file = folder / "books"
    if file.read_bytes().startswith(b"SQLite"):
        with sqlite3.connect(file) as books:
            found = [row[0] for row in books.execute("SELECT id FROM events ORDER BY rowid")]
        books.close()
        return found
    return [json.loads(line)["id"] for line in file.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("language", "runs", "name"), LANGUAGES)
def test_a_receiver_believes_us_alone_and_keeps_each_event_once(
    language: str, runs: str, name: str, tmp_path: Path
) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / name).write_text(code, "utf-8")
    secret, other = signing.new_secret(), signing.new_secret()
    guard, now = Guard(["127.0.0.1"]), datetime.now(UTC)
    with running([runs, name], tmp_path, secret) as url:

        def told(event: str, by: list[str], at: datetime = now) -> int | None:
            body = body_of(event, "order.refunded", now, {"order": "ord_1", "note": "é 🍇"})
            return tell(guard, url, event, body, by, at).status

        assert [204, 204, 204] == [told("evt_1", [secret]), told("evt_2", [other, secret]), told("evt_1", [secret])]
        assert [400, 400] == [told("evt_3", [other]), told("evt_4", [secret], now - timedelta(minutes=10))]
    assert ["evt_1", "evt_2"] == kept(tmp_path)


def test_the_page_says_when_it_is_tried_again() -> None:
    said = re.search(r"sent again: after (.*?) \(each", PAGE.replace("\n", " "))
    assert said is not None
    assert "5 seconds, 30 seconds, 2, 10 and 30 minutes, 1, 3, 6, 12, 24 and 26 hours" == said[1]
    seconds = [5, 30, 2 * 60, 10 * 60, 30 * 60, *(hours * 3600 for hours in (1, 3, 6, 12, 24, 26))]
    assert seconds == [pause.total_seconds() for pause in PAUSES]
