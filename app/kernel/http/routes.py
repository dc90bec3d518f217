"""How the routers of all domains become one list of routes. Knows no domain.

`FastAPI.include_router` builds every route a second time, and asks router after router for each request. What stands
in the application's own list was built once and is looked at once.
"""

from collections.abc import Collection, Iterable

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute


def operation_id(route: APIRoute) -> str:
    """An operation is known by its function's name."""
    return route.name


def install(app: FastAPI, routers: Iterable[APIRouter], *, first: Collection[str] = ()) -> None:
    """Let `app` answer what the `routers` do, in their order; the paths `first` before all others."""
    routes = [route for router in routers for route in router.routes]
    for route in routes:
        assert isinstance(route, APIRoute)
        route.unique_id = operation_id(route)
    app.router.routes.extend(sorted(routes, key=lambda route: getattr(route, "path", "") not in first))
