"""What this server says of itself: the API's page, in the place of the framework's own, which is made of scripts from
elsewhere, and to whom one writes who has found a hole."""

from datetime import timedelta

from fastapi import APIRouter, FastAPI, Request, Response

from app.kernel.clock import rfc3339
from app.kernel.errors import NotFound
from app.kernel.http.work import Here
from app.resources import WIDGETS
from app.storefront.reference.answers import Reference
from app.storefront.twin import Asked, content, response

_STANDS_FOR = timedelta(days=180)

router = APIRouter()


def install(app: FastAPI) -> None:
    """Let `app` show its own document."""
    front = app.state.storefront
    app.state.reference = Reference(WIDGETS / "pages", front.assets.prefix, app.openapi, front.hosted.own)


@router.get("/docs", include_in_schema=False)
def reference(request: Request, ask: Asked) -> Response:
    """The API's page."""
    return response(_of(request).page(ask))


@router.api_route("/openapi.json", methods=["GET", "HEAD"], include_in_schema=False)
def document(request: Request, ask: Asked) -> Response:
    """What programs read of the API."""
    return response(_of(request).document(ask))


def _of(request: Request) -> Reference:
    found = request.app.state.reference
    assert isinstance(found, Reference)
    return found


@router.get(
    "/.well-known/security.txt",
    response_class=Response,
    responses={200: content("text/plain", "As RFC 9116 has it")},
    tags=["operator"],
)
def security_txt(here: Here) -> Response:
    """To whom one writes who has found a hole: what the operator set. 404 where they set nothing."""
    contact, own = here.settings.security_contact, here.settings.public_url
    if not contact:
        raise NotFound
    lines = (
        f"Contact: {contact}",
        f"Expires: {rfc3339((here.clock.now() + _STANDS_FOR).replace(microsecond=0))}",
        "Preferred-Languages: en",
        f"Canonical: {own}/.well-known/security.txt",
    )
    return Response("\n".join((*lines, "")), media_type="text/plain; charset=utf-8")
