"""How this process logs: a line for each thing that happened, with the request it happened in, and never a secret.

JSON for programs that collect logs, words for eyes. Knows no domain; imports nothing that takes long, since a server
does so first.
"""

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal

from app.kernel.http import request_ids
from app.kernel.redaction import Redactor

Format = Literal["auto", "json", "text"]

_LIVELY: Final = ("app", "uvicorn")
"""Who tells what they do; of all others only what is the matter: some of them tell every address that they ask."""
_BREAKS: Final = {sign: repr(chr(sign))[1:-1] for sign in (*range(32), *range(127, 160), 0x2028, 0x2029)}
"""What moves a terminal's cursor, or begins a line."""


def install(form: Format, secrets: Iterable[str]) -> None:
    """Have all that is logged here from now on go to standard error. `auto`: in words where somebody looks on."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    redactor = Redactor(secrets)
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(redactor) if as_json else Words(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _LIVELY:
        logging.getLogger(name).setLevel(logging.INFO)


class Lines(logging.Formatter):
    """An object of JSON for each record."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever stands in the message."""
        told: dict[str, object] = {
            "at": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._redactor(record.getMessage()),
            "request_id": request_ids.current(),
            "trace": self._redactor(trace) if (trace := _trace_of(self, record)) else None,
        }
        return json.dumps({name: value for name, value in told.items() if value is not None})


class Words(logging.Formatter):
    """A line to be read by people, and what led to it below."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Nobody's message can begin a line of its own."""
        message = self._redactor(record.getMessage()).translate(_BREAKS)
        request = f" [{request_ids.current()}]" if request_ids.current() else ""
        told = self._redactor(_trace_of(self, record)).splitlines()
        trace = "\n".join(f"  {each.translate(_BREAKS)}" for each in told)
        line = f"{_at(record)} {record.levelname:<8}{record.name}{request}: {message}"
        return f"{line}\n{trace}" if trace else line


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    trace = formatter.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    return "\n".join(part for part in (trace, record.stack_info) if part)
