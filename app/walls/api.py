"""Walls by HTTP."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.merchants.audit import note
from app.walls import service
from app.walls.looks import Layout, Scheme
from app.walls.models import Wall

Landing = Literal["page", "merchant"]
Title = Annotated[Text, StringConstraints(min_length=1, max_length=300)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]


class Theme(Body):
    """How a wall looks; what is left out is the widget's own choice."""

    scheme: Scheme = "auto"
    accent: Color | None = None
    radius: Annotated[int, Field(ge=0, le=40, strict=True, description="Rounding of corners in CSS pixels.")] | None = (
        None
    )


class Rule(Body):
    """Fills a wall by itself: the newest standing products that match."""

    tag: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    q: Annotated[Text, Field(min_length=1, max_length=200, description="Part of the title.")] | None = None
    limit: Annotated[int, Field(ge=1, le=service.MOST_CARDS, strict=True)] = 100


Products = Annotated[list[PublicId], Field(max_length=service.MOST_CARDS)] | Rule


class WallIn(Body):
    """A new wall: products in order, or a rule that finds them."""

    title: Title
    layout: Layout = "grid"
    theme: Theme = Theme()
    locale: Locale | None = None
    landing: Landing | None = None
    products: Products = []


class WallPatch(Body):
    """The fields to change; `products` is replaced whole. `null` empties `locale` and `landing`."""

    title: Title | None = None
    layout: Layout | None = None
    theme: Theme | None = None
    locale: Locale | None = None
    landing: Landing | None = None
    products: Products | None = None


class WallOut(Wire):
    """A wall as it stands."""

    id: str
    title: str
    layout: Layout
    theme: Theme
    locale: str | None
    landing: Landing | None
    products: list[str] | Rule
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, wall: Wall) -> "WallOut":
        shown: Any = wall.rule if wall.rule is not None else [card.product_id for card in wall.cards]
        fields = {name: getattr(wall, name) for name in cls.model_fields if name not in ("id", "products")}
        return cls.model_validate({"id": wall.wall_id, "products": shown, **fields})


router = APIRouter(prefix="/v1/walls", tags=["walls"])


@router.post("", status_code=201, response_model=WallOut)
def create_wall(body: WallIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Make a wall."""
    fields = body.model_dump()
    return work.write(
        lambda session: WallOut.of(service.create(session, caller.merchant_id, fields, work.here.clock.now())),
        status=201,
        owner=caller.owner,
    )


@router.get("", response_model=Page[WallOut])
def list_walls(caller: SecretKey, paging: Paging, work: UnitOfWork) -> Response:
    """The walls that stand, newest first."""
    query = select(Wall).where(Wall.merchant_id == caller.merchant_id, Wall.withdrawn_at.is_(None))
    return work.read(
        lambda session: newest_first(
            session, query, Wall.wall_id, paging, lambda walls: [WallOut.of(wall) for wall in walls]
        )
    )


@router.get("/{wall_id}", response_model=WallOut)
def get_wall(wall_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """One wall."""
    return work.read(lambda session: WallOut.of(service.get(session, caller.merchant_id, wall_id)))


@router.patch("/{wall_id}", response_model=WallOut)
def change_wall(wall_id: str, body: WallPatch, caller: SecretKey, work: UnitOfWork) -> Response:
    """Change a wall; every page that embeds it shows the change within a second."""
    given = body.model_dump(include=body.model_fields_set)
    fields = {name: value for name, value in given.items() if value is not None or name in ("locale", "landing")}

    def change(session: Session) -> WallOut:
        wall = service.get(session, caller.merchant_id, wall_id)
        return WallOut.of(service.change(session, wall, fields, work.here.clock.now()))

    return work.write(change)


@router.delete("/{wall_id}", status_code=204)
def withdraw_wall(wall_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """Close a wall: its embeds fall back to the links inside them."""

    def withdraw(session: Session) -> None:
        service.withdraw(session, service.get(session, caller.merchant_id, wall_id), work.here.clock.now())
        note(session, caller, "wall.withdrawn", wall_id)

    return work.write(withdraw)
