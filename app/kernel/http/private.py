"""What is said beside each answer of the API: that it is of the type that it says, and, where a key or a token asked,
that nobody keeps it. Pure ASGI; knows nothing of what is asked."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
_NO_STORE: Final = (b"cache-control", b"no-store")
_PERSONAL: Final = frozenset((b"authorization", b"grapevine-visitor", b"cookie"))


class Private:
    """Wraps the application. What an answer says of itself stands."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = [_NO_SNIFFING]
        if not _PERSONAL.isdisjoint([name for name, _ in scope["headers"]]):
            wanted.append(_NO_STORE)

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in wanted if each[0] not in said)]
            await send(message)

        await self._app(scope, receive, send_guarded)
