"""CORS headers (pure ASGI): only for origins on the merchant's list, our own, and sandboxed frames.

A preflight names no merchant, so it is held against the lists of all; the call itself is then held against
its own merchant's list by `access.admit`, whose verdict this middleware puts into the answer's headers.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.merchants.directory import Directory
from app.merchants.origins import allows_origin

_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b"content-type, grapevine-visitor, idempotency-key"),
    (b"access-control-max-age", b"7200"),
]


class Cors:
    """Wraps the application; `public` tells how the paths begin that pages may call, `calls` names others in full."""

    def __init__(
        self, app: ASGIApp, directory: Directory, own_origin: str, public: tuple[str, ...], calls: tuple[str, ...] = ()
    ) -> None:
        self._app = app
        self._directory = directory
        self._own_origin = own_origin
        self._public = public
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._may_be_called(scope["path"]):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            return await self._app(scope, receive, send)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            return await self._preflight(origin, send)
        scope.setdefault("state", {})

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.add_vary_header("Origin")
                verdict = scope["state"].get("origin_allowed")
                if verdict if verdict is not None else await self._is_listed(origin):
                    answer["Access-Control-Allow-Origin"] = origin
            await send(message)

        return await self._app(scope, receive, send_with_cors)

    def _may_be_called(self, path: str) -> bool:
        return path.startswith(self._public) or path in self._calls

    async def _preflight(self, origin: str, send: Send) -> None:
        headers = [(b"vary", b"Origin")]
        if await self._is_listed(origin):
            headers += [(b"access-control-allow-origin", origin.encode("latin-1")), *_PREFLIGHT]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _is_listed(self, origin: str) -> bool:
        return allows_origin(await self._directory.listed_origins(), origin, self._own_origin)
