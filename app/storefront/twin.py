"""What the storefront's endpoints share, the twins of what the fast lane answers: the same handlers, the same words."""

from collections.abc import Awaitable
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from app.storefront.answers import Answer, Ask
from app.storefront.front import Storefront


def front_of(request: Request) -> Storefront:
    """The storefront of this server."""
    found = request.app.state.storefront
    assert isinstance(found, Storefront)
    return found


def ask_of(request: Request) -> Ask:
    """The request, as the storefront's handlers take it."""
    return Ask.of(request.scope)


Front = Annotated[Storefront, Depends(front_of)]
Asked = Annotated[Ask, Depends(ask_of)]

Docs = dict[int | str, dict[str, Any]]


def content(media_type: str, description: str) -> dict[str, Any]:
    """How an answer of text stands in the OpenAPI page."""
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


PAGE = content("text/html", "A page")
NO_PAGES: Docs = {
    404: content("text/html", "A friendly page: there is no such thing"),
    503: content("text/html", "A friendly page: ask again in a moment"),
}
TOO_MANY: Docs = {429: content("text/html", "A friendly page: too many links that do not exist were tried")}
GONE: Docs = {410: content("text/html", "A friendly page: it was taken back, or is no longer sold")}


async def respond(answering: Awaitable[Answer]) -> Response:
    """What a handler of the storefront's answers, as soon as it does. Raises what the handler raises."""
    return response(await answering)


def response(answer: Answer) -> Response:
    """An answer of the storefront's, as it is."""
    made = Response(answer.body, answer.status)
    made.raw_headers = list(answer.headers)
    return made
