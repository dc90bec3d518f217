"""Ports and servers of the tests' own, on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(uvicorn.Server):
    """Ends what never ends by itself: in a thread, no signal tells the application that it is to stop."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state.get("end_streams", lambda: None)()
        await super().shutdown(sockets)


@contextmanager
def serving(app: ASGIApp, port: int) -> Iterator[None]:
    """Serve `app` with the real server in a thread."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_keep_alive=60,  # longer than a client keeps a line that nothing is said on, or both end it at once
        http="app.kernel.http.lines:HttpLine",
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the server did not start")
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)
