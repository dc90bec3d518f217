"""The control page of the simulated Stripe: who tries the demonstration makes something go wrong, and sees what comes.

It exists at the simulation only; nothing like it is part of Stripe's API. Works without JavaScript.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.demo.stripe.currencies import formatted
from app.demo.stripe.disputes import close, escalate, open_dispute
from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.faults import Faults
from app.demo.stripe.parameters.form import decode
from app.demo.stripe.pay_page import Page
from app.demo.stripe.payments import sweep
from app.demo.stripe.records.payments import Charge
from app.demo.stripe.records.transfers import Dispute
from app.demo.stripe.refunds import refund
from app.demo.stripe.webhooks import Webhooks
from app.demo.stripe.world import World

PATH: Final = "/simulation"
_MOST: Final = 20


@dataclass(frozen=True)
class _Payment:
    charge: Charge
    dispute: Dispute | None


class ControlPage:
    """The control page of one double. Thread-safe."""

    def __init__(self, world: World, faults: Faults, webhooks: Webhooks) -> None:
        self._world = world
        self._faults = faults
        self._webhooks = webhooks
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._commands: dict[str, Callable[[], None]] = {
            "error": lambda: faults.answer(500, times=1),
            "busy": lambda: faults.answer(429, times=1, retry_after=5),
            "locked": lambda: faults.answer(409, times=1),
            "kept": lambda: faults.answer(500, times=1, replayed=True, method="POST"),
            "lose": lambda: faults.lose_answers(1, method="POST"),
            "down": faults.down,
            "mend": faults.mend,
            "hold": webhooks.hold,
            "release": webhooks.release,
        }

    def show(self, *, problem: str | None = None) -> Page:
        """The page: what is wrong now, and the last payments."""
        with self._world.lock:
            sweep(self._world)
            template = self._templates.get_template("control.html")
            html = template.render(
                problem=problem,
                state=self._faults.state,
                waiting=len(self._webhooks.held),
                payments=self._payments(),
                money=lambda charge: formatted(charge.amount, charge.currency),
            )
        return Page(422 if problem else 200, html)

    def act(self, body: bytes) -> Page:
        """A button was pressed: `do` names what, and of which charge or dispute."""
        try:
            asked = decode(body.decode("utf-8")).get("do")
        except (StripeProblem, UnicodeDecodeError):
            asked = None
        what, _, of = asked.partition(":") if isinstance(asked, str) else ("", "", "")
        try:
            if what in self._commands:
                self._commands[what]()
            elif not self._of_payment(what, of):
                return self.show(problem="Please press one of the buttons.")
        except StripeProblem as refusal:
            return self.show(problem=refusal.message)
        return Page(303, location=PATH)

    def _of_payment(self, what: str, of: str) -> bool:
        with self._world.lock:
            charge, dispute = self._world.charges.get(of), self._world.disputes.get(of)
            if charge is not None and what == "refund":
                refund(self._world, charge)
            elif charge is not None and what in ("dispute", "inquire"):
                open_dispute(self._world, charge, inquiry=what == "inquire")
            elif dispute is not None and what in ("win", "lose_dispute"):
                close(self._world, dispute, won=what == "win")
            elif dispute is not None and what == "escalate":
                escalate(self._world, dispute)
            else:
                return False
            return True

    def _payments(self) -> list[_Payment]:
        disputes = {dispute.charge: dispute for dispute in self._world.disputes.values()}
        charges = [charge for charge in reversed(self._world.charges.values()) if charge.status == "succeeded"]
        return [_Payment(charge, disputes.get(charge.id)) for charge in charges[:_MOST]]
