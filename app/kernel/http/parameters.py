"""Parameters that an address does not know: refused as unknown fields of a body are (api.md, Conventions), since a
filter that is mistyped and ignored answers with everything. Knows no domain."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel

from app.kernel.errors import FieldError, Invalid

_MOST = 10
"""Parameters that are named in one refusal."""


def refuse_unknown(request: Request) -> None:
    """Raises `Invalid` naming each parameter in the address that its endpoint does not know, and those that it does."""
    route = request.scope["route"]
    if not request.query_params or not isinstance(route, APIRoute):
        return
    known = set(_known(route))
    unknown = [name for name in request.query_params if name not in known][:_MOST]
    if unknown:
        possible = ", ".join(sorted(known, key=lambda name: (name.lstrip("-"), name.startswith("-"))))
        hint = f"is none that is known here: {possible}" if possible else "is not known: nothing can be asked for here"
        raise Invalid(*(FieldError(name, hint) for name in unknown))


def _known(route: APIRoute) -> Iterator[str]:
    for parameter in route.dependant.query_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from (field.alias or name for name, field in kind.model_fields.items())
        else:
            yield parameter.alias
