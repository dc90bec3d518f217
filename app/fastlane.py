"""The fast lane: pure ASGI in front of everything else, for what is called by the thousand.

Finds the storefront's handler by a dictionary of first path segments and sends what it answers; whatever is
not of these paths, or is neither GET nor HEAD (beacons: POST), goes on to the wrapped application. Decides nothing
itself.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import unquote

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kernel.errors import AppError, NotFound, Unavailable
from app.kernel.http import problems, request_ids
from app.kernel.http.at_once import From
from app.kernel.ids import Malformed
from app.merchants.cors import Cors
from app.storefront.answers import Answer, Ask, Give, Header, Stream, plain
from app.storefront.assets.files import LOADERS
from app.storefront.front import Storefront
from app.storefront.headers import NO_STORE
from app.storefront.payloads import What

log = logging.getLogger(__name__)

Handler = Callable[[Ask], Awaitable[Answer | Stream]]
Route = Callable[[list[str]], Handler | None]
"""The handler of a path, given its segments; None for a path that is not of the fast lane."""


BEACONS = "/v1/beacons"
"""The one path that is posted to by the thousand."""


_PAYLOADS: Mapping[tuple[str, str], What] = {
    ("walls", "widget"): "wall",
    ("products", "widget"): "product",
    ("merchants", "sharing"): "merchant",
}


class FastLane:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, front: Storefront) -> None:
        self._app = app
        self._front = front
        self._routes: dict[str, Route] = {
            "v1": self._widget,
            "r": self._link,
            "w": self._wall_page,
            "p": self._product_page,
            "embed": self._frame,
            "oembed": self._oembed,
            "cards": self._picture,
            "thanks": self._thanks_page,
            "me": self._me_page,
            "assets": self._asset,
            **dict.fromkeys(LOADERS, self._loader),
            "favicon.ico": self._favicon,
            "": self._home,
        }
        self._posted = Cors(self._take_beacons, front.directory, front.hosted.own, (BEACONS,))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            segments = scope["path"][1:].split("/")
            route = self._routes.get(segments[0])
            handler = route(segments) if route is not None else None
            if handler is not None:
                answer = await _answer(handler, Ask.of(scope))
                if isinstance(answer, Answer):
                    if answer.status == 404 and _names_a_code(segments, scope):
                        answer = await self._missed(scope, answer)
                    return await _send(answer, scope["method"], send)
                return await answer.run(receive, send)
        elif scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == BEACONS:
            return await self._posted(scope, receive, send)
        return await self._app(scope, receive, send)

    def at_once(self, url: bytes, headers: Sequence[Header], give: Give, come_from: From) -> bool:
        """Whether this GET is answered by `give`, now or after a commit, with the same as it would be by a call. Only
        what is ready in memory is; for all else, False. Called in the loop."""
        try:
            return self._give(url, headers, give, come_from)
        except AppError:  # the other way says it in words
            return False
        except Exception:
            log.exception("what is ready could not be given")
            return False

    def _give(self, url: bytes, headers: Sequence[Header], give: Give, come_from: From) -> bool:
        path, _, query = url.partition(b"?")
        if b"#" in query:  # no part of an address that is asked for
            return False
        match path.decode("latin-1").split("/"):
            case ["", "r", code]:
                return self._front.links.follow_at_once(_asked(headers, query, (come_from(), 0)), code, give)
            case ["", "v1", kind, public_id, last] if what := _PAYLOADS.get((kind, last)):
                answer = self._front.payloads.ready(_asked(headers, query), what, public_id)
                if answer is not None:
                    answer.give(give)
                    return True
        return False

    async def _missed(self, scope: Scope, answer: Answer) -> Answer:
        """There is no such code: who has tried too many is told no more than that."""
        rates = self._front.rates
        standing = await rates.take("misses", rates.block(scope))
        if standing is None or not standing.is_over:
            return answer
        is_page = (b"content-type", problems.MEDIA_TYPE.encode()) not in answer.headers
        told = self._front.hosted.no(Ask.of(scope), standing.refusal()) if is_page else _problem(standing.refusal())
        return told.with_headers(standing.headers())

    async def _take_beacons(self, scope: Scope, receive: Receive, send: Send) -> None:
        rates = self._front.rates
        standing = await rates.take("beacons", rates.block(scope))
        if standing is not None and standing.is_over:
            answer: Answer | Stream = _problem(standing.refusal()).with_headers(standing.headers())
        else:
            answer = await _answer(lambda ask: self._front.beacons.answer(ask, receive), Ask.of(scope))
        assert isinstance(answer, Answer)
        await _send(answer, "POST", send)

    def _widget(self, segments: list[str]) -> Handler | None:
        match segments:
            case [_, "walls", wall_id, "widget"]:
                return lambda ask: self._front.payloads.wall(ask, wall_id)
            case [_, "products", product_id, "widget"]:
                return lambda ask: self._front.payloads.product(ask, product_id)
            case [_, "walls", wall_id, "live"]:
                return lambda ask: self._front.live.live(ask, wall_id)
            case [_, "merchants", merchant_id, "sharing"]:
                return lambda ask: self._front.payloads.merchant(ask, merchant_id)
        return None

    def _link(self, segments: list[str]) -> Handler | None:
        if len(segments) != 2:
            return None
        code = segments[1]
        if code.endswith(".svg"):
            return lambda ask: self._front.links.qr(ask, code[:-4])
        return lambda ask: self._front.links.follow(ask, code)

    def _wall_page(self, segments: list[str]) -> Handler | None:
        if len(segments) == 3 and segments[2] == "embed":
            return lambda ask: self._front.embed_page.answer(ask, segments[1])
        if len(segments) == 3 and segments[2] in ("feed.json", "feed.xml"):
            return lambda ask: self._front.feeds.answer(
                ask, segments[1], "json" if segments[2] == "feed.json" else "xml"
            )
        return (lambda ask: self._front.hosted.wall(ask, segments[1])) if len(segments) == 2 else None

    def _product_page(self, segments: list[str]) -> Handler | None:
        return (lambda ask: self._front.hosted.product(ask, segments[1])) if len(segments) == 2 else None

    def _frame(self, segments: list[str]) -> Handler | None:
        match segments:
            case [_, "walls", wall_id]:
                return lambda ask: self._front.embeds.wall(ask, wall_id)
            case [_, "products", product_id]:
                return lambda ask: self._front.embeds.product(ask, product_id)
            case [_, "r", code]:
                return lambda ask: self._front.embeds.referral(ask, code)
        return None

    def _picture(self, segments: list[str]) -> Handler | None:
        if len(segments) != 2 or not segments[1].endswith(".png"):
            return None
        return lambda ask: self._front.pictures.answer(ask, segments[1][:-4])

    def _oembed(self, segments: list[str]) -> Handler | None:
        return self._front.oembed.answer if len(segments) == 1 else None

    def _thanks_page(self, segments: list[str]) -> Handler | None:
        return (lambda ask: self._front.hosted.thanks(ask, segments[1])) if len(segments) == 2 else None

    def _me_page(self, segments: list[str]) -> Handler | None:
        return self._front.me.answer if len(segments) == 1 else None

    def _asset(self, segments: list[str]) -> Handler | None:
        if len(segments) < 3:
            return None

        async def file(ask: Ask) -> Answer:
            return self._front.assets.file(ask, segments[1], "/".join(segments[2:]))

        return file

    def _loader(self, segments: list[str]) -> Handler | None:
        async def loader(ask: Ask) -> Answer:
            return self._front.assets.loader(ask, segments[0])

        return loader if len(segments) == 1 else None

    def _favicon(self, segments: list[str]) -> Handler | None:
        return self._front.favicon if len(segments) == 1 else None

    def _home(self, segments: list[str]) -> Handler | None:
        return self._front.home if len(segments) == 1 else None


def _names_a_code(segments: list[str], scope: Scope) -> bool:
    """Whether somebody may have tried whether there is such a code."""
    if segments[0] == "oembed":
        asked = unquote(unquote(scope["query_string"].decode("latin-1")))  # an address in an address
        return "/r/" in "".join(asked.split())
    return segments[0] == "r" or segments[:2] == ["embed", "r"]


def _asked(headers: Sequence[Header], query: bytes, client: tuple[str | None, int] | None = None) -> Ask:
    return Ask.of({"method": "GET", "headers": headers, "query_string": query, "client": client})


async def _answer(handler: Handler, ask: Ask) -> Answer | Stream:
    """Whatever goes wrong is logged under the name of this request, which whoever sent it is told then."""
    with request_ids.known_as(ask.headers.get(request_ids.NAME)) as name:
        answer = await _tried(handler, ask)
    if isinstance(answer, Answer) and answer.status >= 500:
        return answer.with_headers([(request_ids.NAME.encode(), name.encode())])
    return answer


async def _tried(handler: Handler, ask: Ask) -> Answer | Stream:
    try:
        return await handler(ask)
    except AppError as refusal:
        return _problem(refusal)
    except Malformed:
        return _problem(NotFound())
    except SQLAlchemyError as error:
        log.error("the database is in trouble: %s", error)
        return _problem(Unavailable("The database is not available; ask again in a moment."))
    except Exception:
        log.exception("the storefront failed")
        return _problem(AppError("This is our fault; it has been logged."))


def _problem(error: AppError) -> Answer:
    headers = [(name.lower().encode(), value.encode()) for name, value in problems.headers_of(error).items()]
    return plain(error.status, problems.body_of(error), problems.MEDIA_TYPE, NO_STORE, *headers)


async def _send(answer: Answer, method: str, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})
