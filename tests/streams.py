"""Somebody who listens to a stream of Server-Sent Events, as a browser does (HTML standard, 9.2)."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from tests.shop import _NO_TLS

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for what it expects."""


class Event(NamedTuple):
    """What was heard. `id` is the last that was named, as a browser keeps it."""

    id: str
    name: str
    data: dict[str, Any]


class Stream:
    """One open stream, heard in a thread of its own."""

    def __init__(self, answer: httpx.Response) -> None:
        self.headers = answer.headers
        self.last_id = ""
        self._answer = answer
        self._heard: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def next(self, name: str | None = None, within: float = PATIENCE) -> Event:
        """The next event (of this name). Raises `queue.Empty` when there is none in that many seconds."""
        while True:
            event = self._heard.get(timeout=within)
            assert event is not None, "the stream has ended"
            self.last_id = event.id
            if name in (None, event.name):
                return event

    def count(self, product: str, until: int, within: float = PATIENCE) -> None:
        """Wait until the product is said to have so many likes."""
        while self.next("likes", within).data["likes"].get(product) != until:
            pass

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing is said for so long."""
        try:
            self._heard.put(self._heard.get(timeout=seconds))
        except queue.Empty:
            return True
        return False

    def ends(self, within: float = PATIENCE) -> bool:
        """Whether the stream ends in so many seconds, whatever is said until then."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def _listen(self) -> None:
        said: dict[str, str] = {}
        last_id = ""
        try:
            for line in self._answer.iter_lines():
                name, _, value = line.partition(": ")
                if line:
                    said[name] = value
                    last_id = value if name == "id" else last_id
                elif "data" in said:
                    self._heard.put(Event(last_id, said.get("event", "message"), json.loads(said["data"])))
                    said = {}
                else:
                    said = {}
        except (httpx.HTTPError, httpx.StreamError):
            pass  # hung up, by one side or the other
        self._heard.put(None)


@contextmanager
def listening(url: str, **headers: str) -> Iterator[Stream]:
    """Open a stream and hang up at the end."""
    with httpx.Client(verify=_NO_TLS, timeout=httpx.Timeout(30, read=None)) as http:
        request = http.build_request("GET", url, headers=headers)
        answer = http.send(request, stream=True)
        assert answer.status_code == 200, (answer.status_code, answer.read())
        stream = Stream(answer)
        try:
            yield stream
        finally:
            _hang_up(answer)
            stream.ends()


def _hang_up(answer: httpx.Response) -> None:
    """Cut the line under the listener: a close alone would wait for the piece that is being read."""
    line = answer.extensions["network_stream"].get_extra_info("socket")
    line.shutdown(2)
