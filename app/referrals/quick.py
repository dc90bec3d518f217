"""What a page says of itself, taken at a glance: for the calls of shoppers that come by the thousand.

FastAPI looks at each parameter of each request: half of a like's time until it was handed on to be written. Here a body
of JSON that is as it should be goes to its endpoint at once, and whatever else goes FastAPI's way: so every refusal is
FastAPI's, word for word, and so is the API's page.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, get_type_hints

from fastapi import Header, Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from app.kernel.errors import BadRequest
from app.kernel.http.wire import Body

LONGEST_TOKEN = 200
"""Characters."""
TOKEN_HEADER = "Grapevine-Visitor"  # noqa: S105 - a header's name

VisitorHeader = Annotated[
    str | None,
    Header(
        alias=TOKEN_HEADER, max_length=LONGEST_TOKEN, description="The visitor's token, `vt_…`, where the page has one."
    ),
]

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class QuickRoute(APIRoute):
    """The route of an endpoint that takes `body`, a JSON object, the `request` and its `visitor_token`, and nothing
    else; it answers with a `Response`."""

    def get_route_handler(self) -> Handler:
        usual, endpoint = super().get_route_handler(), self.endpoint
        model: type[Body] = get_type_hints(endpoint)["body"]

        async def handle(request: Request) -> Response:
            token = request.headers.get(TOKEN_HEADER)
            body = await _at_a_glance(request, model)
            if body is None or (token is not None and len(token) > LONGEST_TOKEN):
                return await usual(request)
            answer: Response = await endpoint(body, request, token)
            return answer

        return handle


async def _at_a_glance(request: Request, model: type[Body]) -> Body | None:
    """The body, if it is plainly what is wanted. The request remembers what was read of it."""
    try:
        said = await request.body()
    except ClientDisconnect:
        raise BadRequest("The body did not come.") from None  # nobody hears it
    if request.headers.get("content-type") != "application/json":
        return None
    try:
        return model.model_validate_json(said)
    except ValidationError:
        return None
