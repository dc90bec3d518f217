"""Stripe's own command line runs its scenarios against the double, and Grapevine takes all that comes of them.

Skipped, saying so, where npm or its package cannot be had.
"""

import time
from collections.abc import Iterator

import pytest

from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from tests.stripe_cli import StripeCommandLine, installed
from tests.stripe_document import document
from tests.till import Till

PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
CATALOGUE = ["product.created", "price.created"]
LATER = [
    *CATALOGUE,
    "payment_intent.created",
    "charge.pending",
    "payment_intent.processing",
    "checkout.session.completed",
]
REFUNDED = [*PAID, "refund.created", "charge.refunded"]
BY_COUPON = (
    "--remove=promotion_code:coupon",
    "--add=promotion_code:promotion.type=coupon",
    "--add=promotion_code:promotion.coupon=${coupon:id}",
)  # the command line asks as older versions of the API want it
SCENARIOS = {
    "checkout.session.completed": [*CATALOGUE, *PAID, "checkout.session.completed"],
    "checkout.session.async_payment_succeeded": [
        *LATER,
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ],
    "checkout.session.async_payment_failed": [
        *LATER,
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ],
    "checkout.session.expired": [*CATALOGUE, "checkout.session.expired"],
    "payment_intent.payment_failed": ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"],
    "charge.refunded": REFUNDED,
    "charge.refund.updated": [*REFUNDED, "charge.refund.updated", "refund.updated"],
    "charge.dispute.created": [*PAID, "charge.dispute.created"],
    "charge.dispute.updated": [*PAID, "charge.dispute.created", "charge.dispute.updated"],
    "charge.dispute.closed": [*PAID, "charge.dispute.created", "charge.dispute.closed"],
    "promotion_code.created": ["coupon.created", "promotion_code.created"],
    "transfer.reversed": [*PAID, "transfer.created", "transfer.reversed"],
}


@pytest.fixture(scope="session")
def command_line(tmp_path_factory: pytest.TempPathFactory) -> StripeCommandLine:
    return StripeCommandLine(installed(), tmp_path_factory.mktemp("stripe-cli"))


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    """By the machine's clock: what settles later does so at once."""
    double = StripeDouble(spec=document(), settles_after=0, sweeps_every=0.05)
    with running(double):
        yield double
    assert double.violations == []


def told(double: StripeDouble, awaited: str) -> list[str]:
    """The types of all events, once `awaited` is among them or five seconds are over."""
    deadline = time.monotonic() + 5
    while not double.events(awaited) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [str(event["type"]) for event in double.events()]


@pytest.mark.parametrize("event", sorted(SCENARIOS))
def test_the_command_lines_scenario_runs_against_the_double(
    command_line: StripeCommandLine, double: StripeDouble, event: str
) -> None:
    more = BY_COUPON if event.startswith("promotion_code.") else ()
    command_line.trigger(event, *more, url=double.base_url, api_key=double.api_key)
    assert SCENARIOS[event] == told(double, event)


def test_grapevine_takes_what_the_command_line_triggers(command_line: StripeCommandLine, till: Till) -> None:
    """None of it is a sale of a merchant here: all of it is answered with 200, and nothing comes of it."""
    before = len(till.double.events())
    for event in ("checkout.session.completed", "charge.refund.updated", "charge.dispute.closed"):
        command_line.trigger(event, url=till.stripe_url, api_key=till.double.api_key)
    events = till.double.events()[before:]
    assert {"checkout.session.completed", "refund.updated", "charge.dispute.closed"} <= {
        str(event["type"]) for event in events
    }
    till.tell(*events)
