"""Every refusal as problem+json (RFC 9457) with a stable code."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from app.kernel.errors import AppError, BadRequest, FieldError, Invalid, NotFound, Unavailable
from app.kernel.ids import Malformed
from app.kernel.trouble import in_trouble

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_TOLD = 100
"""Wrong fields that are named: an answer must not be many times as long as what was asked."""


class MethodNotAllowed(AppError):
    status, code, title = 405, "method_not_allowed", "This address does not know that method"


class TooLarge(AppError):
    status, code, title = 413, "too_large", "The body is larger than allowed"


class UnsupportedMediaType(AppError):
    status, code, title = 415, "unsupported_media_type", "The body is not of a type that is understood here"


_BY_STATUS: dict[int, type[AppError]] = {
    400: BadRequest,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMediaType,
    503: Unavailable,
}


def body_of(error: AppError) -> bytes:
    """The problem document of `error`."""
    document: dict[str, object] = {
        "type": f"urn:grapevine:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    if error.errors:
        document["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in error.errors]
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def headers_of(error: AppError) -> dict[str, str]:
    """The headers that belong to the problem: when to ask again, what is missing."""
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def respond(error: AppError) -> Response:
    return Response(body_of(error), error.status, headers_of(error), MEDIA_TYPE)


def from_validation(errors: Iterable[Mapping[str, object]], body: object = None) -> AppError:
    """What pydantic found in `body`, with a JSON pointer for each field of it and a name for each parameter; of very
    many the first."""
    fields = []
    for error in islice(errors, MOST_TOLD):
        if error.get("type") == "json_invalid":
            return BadRequest("The body is not valid JSON.")
        location = error["loc"]
        assert isinstance(location, tuple)
        where, *path = location
        if where == "body":
            pointer = _pointer(path, body, absent=error["type"] == "missing")
        else:
            pointer = str(path[0]) if path else str(where)
        fields.append(FieldError(pointer, str(error["msg"])))
    return Invalid(*fields)


def _pointer(path: Sequence[object], body: object, *, absent: bool) -> str:
    """The JSON pointer (RFC 6901) along `path`, without what is not in `body`: names of our own types.

    What is `absent` cannot be found there, and is named nevertheless.
    """
    parts, here = [], body
    for position, part in enumerate(path):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int):
            here = here[part] if part < len(here) else None
        elif not (absent and position == len(path) - 1):
            continue
        parts.append(part)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in (parts if body else path))


def _allowed(request: Request) -> str:
    """The methods that the address knows, by all its routes: each of them knows only its own (RFC 9110, 10.2.1)."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Answer every refusal of `app`, expected or not, with a problem document."""

    async def on_app_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, AppError)
        return respond(error)

    async def on_validation_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(from_validation(error.errors(), error.body))

    async def on_http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = _BY_STATUS.get(error.status_code, BadRequest)(None if error.status_code == 404 else str(error.detail))
        answer = respond(problem)
        answer.headers.update(error.headers or {})
        if error.status_code == 405:
            answer.headers["Allow"] = _allowed(request)
        return answer

    async def on_malformed_id(_: Request, __: Exception) -> Response:
        return respond(NotFound())

    async def on_database_trouble(_: Request, error: Exception) -> Response:
        if not in_trouble(error):
            raise error  # ours: `on_bug` answers, and the traceback is logged
        log.error("the database is in trouble: %s", error)
        return respond(Unavailable("The database is not available; ask again in a moment."))

    async def on_bug(_: Request, __: Exception) -> Response:
        return respond(AppError("This is our fault; it has been logged."))

    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(Malformed, on_malformed_id)
    app.add_exception_handler(SQLAlchemyError, on_database_trouble)
    app.add_exception_handler(Exception, on_bug)
