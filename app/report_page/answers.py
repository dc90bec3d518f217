"""`/reports` by request: signing in and out, and a page for each thing that is looked at. Lives in the event loop."""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kernel.errors import AppError, NotFound
from app.kernel.runtime import Runtime
from app.report_page import headers
from app.report_page.asking import Api
from app.report_page.calls import PATH, Call
from app.report_page.pages import ReportPages
from app.report_page.session import COOKIE, Reader, Sessions
from app.report_page.views import Asking, Views
from app.storefront.answers import Answer, Header, plain
from app.storefront.friendly import friendly
from app.storefront.pages.answers import HTML
from app.storefront.pages.refusals import kind_of
from app.storefront.words import Words

_MOST_FIELDS: Final = 10
_READABLE: Final = ("/v1/reports/", "/v1/sharers")
"""What of the API is shown to who has signed in."""
_ANSWERED: Final = (403, 409, 422)
"""Refusals whose own words help: they say what may be chosen instead."""

Making = Callable[[Asking], Awaitable[bytes]]


class PassedOn(Response):
    """What the API answers to a call, sent on as it comes, however much it is."""

    def __init__(self, api: Api, call: Call) -> None:
        super().__init__()
        self._api = api
        self._call = call

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await self._api.pass_on(self._call, headers.PRIVATE, receive, send)


class ReportPage:
    """Answers with pages. `app` is the API that they ask."""

    def __init__(self, here: Runtime, app: ASGIApp, pages: ReportPages, words: Words) -> None:
        self._here = here
        self._app = app
        self._pages = pages
        self._words = words
        self._sessions = Sessions(here.signer, here.settings.public_url)
        self.views = Views(here.database, pages)

    async def enter(self, request: Request) -> Answer:
        """Sign in with a report key, and go where one was going."""
        fields = _fields(await request.body())
        key, way = fields.get("key", "").strip(), fields.get("next", "")
        if not self._is_from_here(request):
            return self.sign_in(request, way, "elsewhere")
        if key.startswith("sk_"):
            return self.sign_in(request, way, "secret_key")
        if await run_in_threadpool(self._find, key) is None:
            return self.sign_in(request, way, "unknown_key")
        return _redirect(_way(way), self._sessions.cookie(key, self._here.clock.now()))

    async def leave(self, request: Request) -> Answer:
        """Sign out."""
        if not self._is_from_here(request):
            return self.sign_in(request, "", "elsewhere")
        return _redirect(PATH, self._sessions.no_cookie())

    async def page(self, request: Request, make: Making) -> Answer:
        """The page, or one that says why there is none, or the way to the form that signs in."""
        reader = await self._reader(request)
        if reader is None:
            return self._to_sign_in(request)
        language = self._language(request)

        async def answer() -> Answer:
            now, query = self._here.clock.now(), dict(request.query_params)
            body = await make(Asking(reader, Api(self._app, reader.key), query, language, now))
            return plain(200, body, HTML, *headers.PAGE)

        def no(refusal: AppError) -> Answer:
            return self._no(request, reader, refusal)

        return await friendly(answer(), no)

    async def data(self, request: Request, path: str) -> Answer | PassedOn:
        """What the API answers to the reader's key, for those who follow a link to it."""
        reader = await self._reader(request)
        if reader is None:
            return self._to_sign_in(request)
        if not path.startswith(_READABLE):
            return self._no(request, reader, NotFound())
        call = Call(path, tuple(request.query_params.multi_items()))
        return PassedOn(Api(self._app, reader.key), call)

    def sign_in(self, request: Request, way: str = "", wrong: str | None = None) -> Answer:
        """The form that asks for a report key; `wrong` says what was the matter with the last one."""
        language = self._language(request)
        title = self._pages.words(language)["reports_sign_in"]
        body = self._pages.render("sign_in.html", language, title, None, next=_way(way), wrong=wrong)
        return plain(403 if wrong else 200, body, HTML, *headers.PAGE)

    def _to_sign_in(self, request: Request) -> Answer:
        """The form itself where everybody begins, else the way there and back."""
        if request.url.path == PATH:
            return self.sign_in(request, request.query_params.get("next", ""))
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return _redirect(f"{PATH}?next={quote(wanted, safe='')}", self._sessions.no_cookie())

    def _no(self, request: Request, reader: Reader, refusal: AppError) -> Answer:
        language, kind = self._language(request), kind_of(refusal)
        words = self._pages.words(language)
        told = refusal.detail if refusal.status in _ANSWERED else None
        body = self._pages.render("no.html", language, words[f"page_{kind}_title"], reader, kind=kind, told=told)
        return plain(refusal.status, body, HTML, *headers.PAGE)

    async def _reader(self, request: Request) -> Reader | None:
        key = self._sessions.key(request.cookies.get(COOKIE), self._here.clock.now())
        return None if key is None else await run_in_threadpool(self._find, key)

    def _find(self, key: str) -> Reader | None:
        with self._here.database.reading() as session:
            return self._sessions.reader(session, key, self._here.clock.now())

    def _is_from_here(self, request: Request) -> bool:
        return self._sessions.is_from_here(request.headers.get("origin"), request.headers.get("host"))

    def _language(self, request: Request) -> str:
        return self._words.asked(request.headers.get("accept-language"))


def _redirect(way: str, cookie: str) -> Answer:
    about: list[Header] = [(b"location", way.encode("latin-1")), (b"set-cookie", cookie.encode("latin-1"))]
    return Answer(303, [*about, (b"content-length", b"0"), *headers.PRIVATE])


def _way(said: str) -> str:
    """Where to go after signing in: a page of these reports, or the first of them for anything else."""
    is_ours = said == PATH or said.startswith((f"{PATH}/", f"{PATH}?"))
    return said if is_ours and said.isascii() and said.isprintable() and "\\" not in said else PATH


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a plain form; none where it cannot be read."""
    try:
        found = parse_qs(body.decode("utf-8"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}
