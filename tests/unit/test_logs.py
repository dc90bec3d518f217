"""What a line of the log says, and what it cannot be made to say."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.kernel import logs
from app.kernel.http import request_ids

SECRET = "of-this-server-alone"


Written = Callable[[], str]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """What goes to standard error, each piece once; the process's own log is put back afterwards."""
    root = logging.getLogger()
    before = [(logger, logger.level) for logger in map(logging.getLogger, (None, "app", "uvicorn"))]
    handlers = root.handlers[:]
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    for logger, level in before:
        logger.setLevel(level)


def lines(written: Written) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written().splitlines()]


def test_a_line_says_when_what_and_in_which_request(written: Written) -> None:
    logs.install("json", [SECRET])
    log = logging.getLogger("app.somewhere")
    with request_ids.known_as("from-the-proxy") as name:
        log.warning("%s is odd", "this")
    log.info("no request")
    inside, outside = lines(written)
    assert inside.pop("at").endswith("Z")
    assert {"level": "warning", "logger": "app.somewhere", "message": "this is odd", "request_id": name} == inside
    assert "request_id" not in outside


def test_no_secret_is_written_not_even_in_what_led_there(written: Written) -> None:
    forms: tuple[logs.Format, ...] = ("json", "text")
    for form in forms:
        logs.install(form, [SECRET])
        try:
            raise ValueError(f"{SECRET} of ana@example.com at 203.0.113.7")
        except ValueError:
            logging.getLogger("app").exception("with %s", SECRET)
    said = written()
    assert 2 == said.count("ValueError: [secret] of [mail] at [address]")
    assert 2 == said.count("with [secret]")


def test_nobody_begins_a_line_of_their_own(written: Written) -> None:
    logs.install("text", [])
    logging.getLogger("app").warning("name: %s", "x\n2026-11-22T09:30:00.000Z INFO app: all is well\r\x1b[2J")
    said = written()
    assert (1, 0) == (said.count("\n"), said.count("\x1b"))


def test_nor_does_what_led_there(written: Written) -> None:
    logs.install("text", [])
    try:
        raise ValueError("x\n2026-11-22T09:30:00.000Z INFO app: all is well\x1b[2J\x9b2J\u2028y")
    except ValueError:
        logging.getLogger("app").exception("failed")
    first, *trace = written().split("\n")[:-1]
    assert first.endswith("app: failed")
    assert all(line.startswith("  ") for line in trace)
    assert not {"\x1b", "\x9b", "\u2028"} & {*"".join(trace)}


def test_words_for_a_terminal_and_json_for_programs(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.install("auto", [])
    logging.getLogger("app").warning("piped")
    assert "piped" == lines(written)[0]["message"]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    logs.install("auto", [])
    logging.getLogger("app").warning("looked at")
    assert written().endswith(" WARNING app: looked at\n")


def test_others_tell_only_what_is_the_matter(written: Written) -> None:
    logs.install("json", [])
    logging.getLogger("httpx").info("GET http://shop.example/?token=x")
    logging.getLogger("httpx").warning("slow")
    assert ["slow"] == [line["message"] for line in lines(written)]
