"""Stripe's API over HTTP: lets requests in, checks them, keeps idempotency keys, answers in Stripe's shape.

Decides nothing about sessions or refunds: `operations` do.
"""

import hmac
import json
import logging
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Final, cast
from urllib.parse import unquote

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.faults import Fault, Faults, Seen
from app.demo.stripe.idempotency import Answer, IdempotencyKeys
from app.demo.stripe.operations.call import Call, Operation
from app.demo.stripe.operations.table import OPERATIONS, perform
from app.demo.stripe.parameters.builtin import SCHEMAS
from app.demo.stripe.parameters.form import decode
from app.demo.stripe.parameters.payments import UNDOCUMENTED_SCHEMAS
from app.demo.stripe.parameters.schema import Schema, check
from app.demo.stripe.parameters.values import FormValue, JsonObject, Params, names
from app.demo.stripe.payments import sweep
from app.demo.stripe.shown.record import API_VERSION
from app.demo.stripe.world import Cause, World, new_id
from app.kernel.clock import SystemClock

_log = logging.getLogger(__name__)
_UNCHECKED: Final = names("item balance")  # what is shown without `World.show`, which checks


@dataclass(frozen=True)
class Request:
    """An HTTP request as it came. Header names are in lower case; `path` is still percent-encoded."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    operation: Operation
    schema: Schema


class Api:
    """The API of one world. Thread-safe: `answer` may be called from any thread."""

    def __init__(self, world: World, api_key: str, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._api_key = api_key
        self._keys = IdempotencyKeys(world.clock)
        self._routes = [
            _Route(method, _pattern(template), operation, self._schema(method, template))
            for (method, template), operation in OPERATIONS.items()
        ]

    def _schema(self, method: str, template: str) -> Schema:
        document = self._world.document
        if document is None or (method, template) in UNDOCUMENTED_SCHEMAS:
            return SCHEMAS[method, template]
        return document.request_schema(method, template)

    def answer(self, request: Request) -> Answer:
        """Stripe's answer. Never raises: what goes wrong inside is a 500, as Stripe's own faults are."""
        request_id = new_id("req_", 14)
        fault = self._faults.take(_seen(request))
        try:
            answer = self._refused(fault) if fault and not (fault.effect or fault.kept) else None
            answer = answer or self._admit(request, request_id, fault)
        except StripeProblem as problem:
            answer = self._refusal(problem)
        except Exception:
            _log.exception("the simulated Stripe failed at %s %s", request.method, request.path)
            answer = self._refusal(_fault(), began=True)
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, "Date": self._date(), **answer.headers}
        for name in ("Idempotency-Key", "Stripe-Account"):
            if name.lower() in request.headers:
                headers[name] = request.headers[name.lower()]
        return replace(answer, headers=headers, lost=fault is not None and fault.lost)

    def _date(self) -> str:
        """By the machine's clock, as a server's are, whatever the world's clock says."""
        return format_datetime(SystemClock().now() + self._faults.clock_ahead, usegmt=True)

    def _refused(self, fault: Fault) -> Answer:
        return replace(self._refusal(fault.problem()), headers=fault.headers)

    def _admit(self, request: Request, request_id: str, fault: Fault | None) -> Answer:
        _authenticate(request.headers, self._api_key)
        route, ids = self._route(request)
        fields = decode(_text(request) if request.method == "POST" else request.query)
        key = request.headers.get("idempotency-key")

        def work() -> Answer:
            return self._carried_out(fault, lambda: self._run(route, ids, fields, request, Cause(request_id, key)))

        if request.method != "POST" or key is None:
            return work()
        shape = json.dumps([request.method, request.path, fields], sort_keys=True)
        return self._keys.answer(
            request.headers.get("stripe-account", ""),
            key,
            shape,
            request_id,
            work,
        )

    def _carried_out(self, fault: Fault | None, run: Callable[[], Answer]) -> Answer:
        """What is answered, and kept under the idempotency key. A request that is refused anyway meets no fault."""
        done = run() if fault is None or fault.effect else None
        if done is not None and (fault is None or not fault.kept or not done.began):
            return done
        return replace(self._refused(fault or Fault()), began=True)

    def _route(self, request: Request) -> tuple[_Route, dict[str, str]]:
        for route in self._routes:
            if route.method == request.method and (found := route.pattern.fullmatch(request.path)):
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        raise StripeProblem(
            f"Unrecognized request URL ({request.method}: {request.path[:200]}). If you are trying to list "
            "objects, remove the trailing slash. If you are trying to retrieve an object, make sure you passed "
            "a valid (non-empty) identifier in your code.",
            status=404,
        )

    def _run(
        self, route: _Route, ids: dict[str, str], fields: dict[str, FormValue], request: Request, cause: Cause
    ) -> Answer:
        try:
            params = Params(check(fields, route.schema))
        except StripeProblem as problem:
            return self._refusal(problem, began=False)
        try:
            with self._world.caused_by(cause):
                sweep(self._world)
                call = Call(params, ids, request.headers.get("stripe-account"))
                body = perform(self._world, route.operation, call)
                self._check(body, expanded="expand" in params)
            return Answer(200, _json(body))
        except StripeProblem as problem:
            return self._refusal(problem, began=True)
        except Exception:
            _log.exception("the simulated Stripe failed at %s %s", request.method, request.path)
            return self._refusal(_fault(), began=True)

    def _refusal(self, problem: StripeProblem, *, began: bool = False) -> Answer:
        body = problem.body()
        self._world.check("error", body)
        return Answer(problem.status, _json(body), began=began)

    def _check(self, body: JsonObject, *, expanded: bool) -> None:
        """Check the answer as it goes out, where it is not all as it was shown before: something is expanded in it."""
        if body["object"] == "list":
            for item in cast(list[JsonObject], body["data"]):
                self._check(item, expanded=expanded)
        elif expanded or body["object"] in _UNCHECKED:
            self._world.check(str(body["object"]), body)


def _seen(request: Request) -> Seen:
    headers = request.headers
    return Seen(request.method, request.path, headers.get("idempotency-key"), headers.get("stripe-account"))


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


def _json(body: JsonObject) -> bytes:
    return json.dumps(body, indent=2, ensure_ascii=False).encode()


def _text(request: Request) -> str:
    try:
        return request.body.decode("utf-8")
    except UnicodeDecodeError:
        raise StripeProblem("Invalid request: the body is not UTF-8") from None


def _fault() -> StripeProblem:
    return StripeProblem("An unknown error occurred", status=500, kind="api_error")


def _authenticate(headers: Mapping[str, str], api_key: str) -> None:
    """A key as `Bearer`, or as the user name of `Basic`. StripeProblem (401) for none or another one."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    given = credentials.strip()
    if scheme.lower() == "basic":
        try:
            given = b64decode(given, validate=True).decode().partition(":")[0]
        except ValueError:
            given = ""
    elif scheme.lower() != "bearer":
        given = ""
    if not given:
        raise StripeProblem(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not hmac.compare_digest(given.encode(), api_key.encode()):
        raise StripeProblem(f"Invalid API Key provided: {given[:8]}{'*' * 8}", status=401)
