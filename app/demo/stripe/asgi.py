"""The double's ASGI app: HTTP in, HTTP out, no decision. Knows Starlette; nothing else of the double does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.demo.stripe.api import Api, Request
from app.demo.stripe.control_page import PATH as CONTROL
from app.demo.stripe.control_page import ControlPage
from app.demo.stripe.pay_page import Page, PayPage

_log = logging.getLogger(__name__)
_LARGEST_BODY: Final = 1_048_576
_PAGE_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src http: https: data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def build_app(api: Api, pages: PayPage, control: ControlPage, sweep: Callable[[], None], every: float) -> Starlette:
    """The app. While it is served, `sweep` is called `every` so many seconds."""

    async def call(request: HttpRequest) -> Response:
        answer = await run_in_threadpool(
            api.answer,
            Request(
                method=request.method,
                path=_path(request),
                query=request.url.query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=await _body(request),
            ),
        )
        if answer.lost:
            return _Broken()
        return Response(answer.body, answer.status, dict(answer.headers), "application/json")

    async def show(request: HttpRequest) -> Response:
        return _response(await run_in_threadpool(pages.show, request.path_params["session"]))

    async def act(request: HttpRequest) -> Response:
        body = await _body(request)
        return _response(await run_in_threadpool(pages.act, request.path_params["session"], body))

    async def show_control(_: HttpRequest) -> Response:
        return _response(await run_in_threadpool(control.show))

    async def command(request: HttpRequest) -> Response:
        if not _same_origin(request):
            raise HTTPException(403)
        return _response(await run_in_threadpool(control.act, await _body(request)))

    async def style(_: HttpRequest) -> Response:
        return Response(pages.style, media_type="text/css")

    @asynccontextmanager
    async def swept(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(_sweeping(sweep, every))
        yield
        task.cancel()

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    routes = [
        Route("/pay/pay.css", style),
        Route("/pay/{session}", show, methods=["GET"]),
        Route("/pay/{session}", act, methods=["POST"]),
        Route(CONTROL, show_control, methods=["GET"]),
        Route(CONTROL, command, methods=["POST"]),
        Route("/{path:path}", call, methods=methods),
    ]
    return Starlette(routes=routes, lifespan=swept)


def _same_origin(request: HttpRequest) -> bool:
    """Whether no other site's page sent this. Browsers name the origin of a form, or say how it came.

    Without a referrer (these pages send none) a form's origin is `null`, even to its own site.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return False
    origin = request.headers.get("origin", "null")
    return origin == "null" or origin.partition("://")[2] == request.headers.get("host")


class _Broken(Response):
    """An answer that ends before it has begun: less than it promised, so that the server cuts the line."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b'{"id": ', "more_body": True})


async def _sweeping(sweep: Callable[[], None], every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await run_in_threadpool(sweep)
        except Exception:
            _log.exception("the simulated Stripe failed at what was due")


async def _body(request: HttpRequest) -> bytes:
    """The body, read no further than its limit (413)."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413)
    return bytes(body)


def _path(request: HttpRequest) -> str:
    raw: bytes = request.scope.get("raw_path", b"") or request.url.path.encode()
    return raw.partition(b"?")[0].decode("ascii", "replace")


def _response(page: Page) -> Response:
    if page.location is not None:
        return RedirectResponse(page.location, page.status, _PAGE_HEADERS)
    return Response(page.html, page.status, _PAGE_HEADERS, "text/html")
