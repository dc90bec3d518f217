"""Serves a double on the loopback address, in a thread, for `grapevine demo` and for tests."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from app.demo.stripe.double import StripeDouble

_HOST: Final = "127.0.0.1"
_PATIENCE: Final = 10.0  # seconds to start, and to stop


@contextmanager
def running(double: StripeDouble, *, port: int = 0, public_url: str | None = None) -> Iterator[str]:
    """Serve `double` on 127.0.0.1, on a free port unless one is chosen, and give its address.

    `public_url` is what browsers are sent to, where that differs. OSError where the port is taken. At the end the
    server has stopped and the double's webhook threads too.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)
        url = f"http://{_HOST}:{listener.getsockname()[1]}"
        double.base_url = public_url or url
        config = uvicorn.Config(
            double.app, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none", date_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="stripe-double-server", daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield url
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)
            double.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the simulated Stripe did not start")
        time.sleep(0.005)
