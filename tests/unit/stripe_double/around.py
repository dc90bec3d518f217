"""Stand-ins around the double of Stripe: a clock that stands, a webhook endpoint, parameters of a session."""

import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol, cast

import stripe
from stripe.params.checkout import SessionCreateParams


class MakeSession(Protocol):
    """Opens a session of one T-shirt at 19.99 eur; what is given replaces what is usual, None leaves it out."""

    def __call__(self, **params: object) -> stripe.checkout.Session: ...


class StandingClock:
    """A clock that moves when told; can stand still under whoever asks (`stops_after`), and can fail (`broken`)."""

    def __init__(self) -> None:
        self.at = datetime(2026, 9, 1, 12, tzinfo=UTC)
        self.gate = threading.Event()  # lets go who stands
        self.waiting = threading.Event()  # somebody stands
        self.stops_after: int | None = None
        self.broken = 0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            stops = self.stops_after == 0
            self.stops_after = self.stops_after - 1 if self.stops_after else None
            fails = self.broken == 1
            self.broken = max(0, self.broken - 1)
        if stops:
            self.waiting.set()
            self.gate.wait(10)
        if fails:
            raise RuntimeError("the clock is broken")
        return self.at

    def advance(self, **by: int) -> None:
        self.at += timedelta(**by)


class Received:
    """A webhook as it came in."""

    def __init__(self, body: bytes, signature: str) -> None:
        self.body = body
        self.signature = signature

    def event(self, secret: str) -> stripe.Event:
        """Verified and read by the real library."""
        return stripe.Webhook.construct_event(self.body, self.signature, secret)  # type: ignore[no-any-return]


class Receiver:
    """A webhook endpoint on loopback that keeps what it gets. `answers` are given first, then 200."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self.slowness = 0.0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(Received(body, self.headers["Stripe-Signature"]))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1/stripe/webhook"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def take(self, webhook: Received) -> int:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.received.append(webhook)
            status = self.answers.pop(0) if self.answers else 200
        time.sleep(self.slowness)
        with self._lock:
            self.at_once -= 1
        return status

    def types(self, secret: str) -> list[str]:
        return [webhook.event(secret).type for webhook in self.received]

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


def session_params(**given: object) -> SessionCreateParams:
    usual: dict[str, object] = {
        "mode": "payment",
        "line_items": [line()],
        "success_url": "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cart",
        "metadata": {"click": "clk_1"},
        "payment_intent_data": {"metadata": {"click": "clk_1", "referral": "ref_1"}},
    }
    whole = {name: value for name, value in {**usual, **given}.items() if value is not None}
    return cast(SessionCreateParams, whole)


def line(
    unit_amount: object = 1999, currency: str = "eur", quantity: object = 1, name: str = "T-shirt", **more: object
) -> dict[str, object]:
    price = {"currency": currency, "unit_amount": unit_amount, "product_data": {"name": name, **more}}
    return {"price_data": price, "quantity": quantity}


def plain(value: stripe.StripeObject | None) -> dict[str, object]:
    """What the library holds, as JSON: its objects do not compare with dicts."""
    assert value is not None
    return dict(value.to_dict())
