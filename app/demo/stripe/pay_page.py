"""The simulated pay page: what a buyer sees of a session, and what each button does. Works without JavaScript.

Everything on it comes from the session and is escaped by the template; it never asks for a card number.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.demo.stripe.currencies import formatted
from app.demo.stripe.discounts import enter_code, ship
from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.form import decode
from app.demo.stripe.parameters.values import FormValue, names
from app.demo.stripe.payments import decline, pay, pay_later, sweep
from app.demo.stripe.records.payments import Session, Settlement
from app.demo.stripe.sessions import is_email
from app.demo.stripe.world import World

_PAGES: Final = Path(__file__).parent / "pages"
_PLACEHOLDER: Final = "{CHECKOUT_SESSION_ID}"
_ACTIONS: Final = names("pay pay_later pay_later_fails decline code ship-0 ship-1 ship-2 ship-3 ship-4")


@dataclass(frozen=True)
class Page:
    """What is answered: a page, or (with `location`) the way to go on."""

    status: int
    html: str = ""
    location: str | None = None


class PayPage:
    """The pages of one world's sessions. Thread-safe."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._templates = Environment(
            loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.style = (_PAGES / "pay.css").read_bytes()

    def show(self, session_id: str) -> Page:
        """The page of a session: to pay, paid, expired, or unknown."""
        with self._world.lock:
            sweep(self._world)
            session = self._world.sessions.get(session_id)
            return self._unknown() if session is None else self._page(session)

    def act(self, session_id: str, body: bytes) -> Page:
        """A button was pressed. Pressing twice, or too late, changes nothing and shows what is."""
        with self._world.lock:
            sweep(self._world)
            session = self._world.sessions.get(session_id)
            if session is None:
                return self._unknown()
            if session.status != "open":
                return self._ended(session)
            try:
                fields = decode(body.decode("utf-8"))
            except (StripeProblem, UnicodeDecodeError):
                fields = {}
            action, email = fields.get("action"), fields.get("email", session.customer_email or "")
            if not isinstance(action, str) or action not in _ACTIONS or not isinstance(email, str):
                return self._page(session, status=400, problem="Please press one of the buttons.")
            if action == "code" or action.startswith("ship-"):
                return self._change(session, action, email.strip(), fields.get("code", ""))
            return self._press(session, action, email.strip())

    def _change(self, session: Session, action: str, email: str, code: FormValue) -> Page:
        """What the order costs changes before it is paid: a promotion code, another way of shipping."""
        try:
            if action == "code":
                enter_code(self._world, session, code if isinstance(code, str) else "?")
            else:
                ship(self._world, session, int(action.removeprefix("ship-")))
        except StripeProblem as problem:
            return self._page(session, status=422, email=email, problem=problem.message)
        return self._page(session, email=email)

    def _press(self, session: Session, action: str, email: str) -> Page:
        if not is_email(email):
            return self._page(session, status=422, email=email, problem="Please enter an e-mail address.")
        try:
            self._perform(session, action, email)
        except StripeProblem as problem:
            return self._page(session, status=400, email=email, problem=problem.message)
        if action == "decline":
            return Page(303, location=f"/pay/{session.id}")
        return self._ended(session)

    def _perform(self, session: Session, action: str, email: str) -> None:
        if action == "pay":
            pay(self._world, session, email)
        elif action == "decline":
            decline(self._world, session, email)
        else:
            at = self._world.now() + self._world.settles_after
            pay_later(self._world, session, email, Settlement(at, succeeds=action == "pay_later"))

    def _ended(self, session: Session) -> Page:
        if session.status == "complete":
            return Page(303, location=return_address(session))
        return self._page(session)

    def _page(
        self, session: Session, *, status: int | None = None, email: str = "", problem: str | None = None
    ) -> Page:
        template = self._templates.get_template(f"{session.status}.html")
        intent = self._world.payment_intents.get(session.payment_intent or "")
        failure = intent.failure if intent and session.status == "open" else None
        last = self._world.charges.get(intent.latest_charge or "") if intent else None
        html = template.render(
            session=session,
            money=lambda minor: formatted(minor, session.currency, _locale(session)),
            email=session.customer_email or email or (last.buyer.email if last else ""),
            problem=problem,
            declined=failure["message"] if failure and not problem else None,
            settling=intent is not None and intent.status == "processing",
            later=session.total > 0 and session.methods != ("card",),
            settles_after=self._world.settles_after,
            success_url=return_address(session),
            takes_codes=session.echoed.get("allow_promotion_codes") is True,
        )
        return Page(status or (410 if session.status == "expired" else 200), html)

    def _unknown(self) -> Page:
        return Page(404, self._templates.get_template("unknown.html").render())


def return_address(session: Session) -> str:
    """Where the buyer goes after paying: the session's id stands where its placeholder stood."""
    return session.success_url.replace(_PLACEHOLDER, quote(session.id))


def _locale(session: Session) -> str | None:
    asked = session.echoed.get("locale")
    return asked if isinstance(asked, str) else None
