"""Somebody's server on loopback that is told of events by webhooks, remembers each request and answers as a test
wants."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What came."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> JSON:
        return dict(json.loads(self.body))

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass(frozen=True)
class Reply:
    """What is answered, after some seconds."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    after: float = 0.0


@dataclass
class Receiver:
    """The server. `reply` decides what is answered to each request; `told` are all that came, in order."""

    url: str
    reply: Callable[[Request], Reply] = lambda _: Reply()
    told: list[Request] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.told]

    def of_type(self, kind: str) -> list[JSON]:
        return [each.event for each in self.told if each.event["type"] == kind]

    def wait_for(self, count: int, seconds: float = 15.0) -> list[Request]:
        """All that came, once they are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.told) >= count, seconds), (count, len(self.told))
            return list(self.told)

    def came(self, request: Request) -> Reply:
        with self._came:
            self.told.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._came.notify_all()
        return self.reply(request)

    def left(self) -> None:
        with self._came:
            self._at_once -= 1


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run one."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(length := int(self.headers["content-length"]))
            if len(body) < length:  # whoever sent it was killed before it was all sent
                self.close_connection = True
                return
            reply = made.came(Request({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(reply.after)
            made.left()
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked may be gone before the answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        made = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join(10)
