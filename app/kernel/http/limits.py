"""Bodies over their limit are refused as every other refusal is: with a problem document (api.md, Errors).

The framework's body limit answers a request that announces too long a body by itself, in plain text, before
any error handler could; this pure-ASGI wrapper puts the problem in its place.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.http import problems

OF_PAGES = 64 * 1024
"""Bytes of what a shopper's page may say in one call, without a key: many times what it has to say."""


class TooLargeAsProblem:
    """Wraps the application whose bodies are limited."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def send_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = True
                await problems.respond(problems.TooLarge())(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_problem)
