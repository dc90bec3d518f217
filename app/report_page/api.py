"""The report page by HTTP. It stands on no page of the API: it is for eyes, and says what the API says."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from app.kernel.runtime import Runtime
from app.report_page.answers import ReportPage
from app.report_page.pages import ReportPages
from app.storefront.answers import Answer
from app.storefront.front import Storefront
from app.storefront.twin import respond, response

router = APIRouter(prefix="/reports", include_in_schema=False)


def install(app: FastAPI, here: Runtime, front: Storefront, widgets: Path) -> None:
    """Let `app` answer `/reports`."""
    pages = ReportPages(widgets, front.words, front.assets.prefix, here.settings.public_url)
    app.state.report_page = ReportPage(here, app, pages, front.words)


def _page_of(request: Request) -> ReportPage:
    found = request.app.state.report_page
    assert isinstance(found, ReportPage)
    return found


Reports = Annotated[ReportPage, Depends(_page_of)]


@router.get("")
async def report_overview(request: Request, page: Reports) -> Response:
    """Sums over time, by network, the funnel, what and who sold most; or the form that signs in."""
    return await respond(page.page(request, page.views.overview))


@router.post("/session")
async def begin_report_session(request: Request, page: Reports) -> Response:
    """Sign in."""
    return await respond(page.enter(request))


@router.post("/leave")
async def end_report_session(request: Request, page: Reports) -> Response:
    """Sign out."""
    return await respond(page.leave(request))


@router.get("/sharers")
async def report_sharers(request: Request, page: Reports) -> Response:
    """People by what their word brought."""
    return await respond(page.page(request, page.views.sharers))


@router.get("/sharers/{sharer:path}")
async def report_sharer(sharer: str, request: Request, page: Reports) -> Response:
    """One of them."""
    return await respond(page.page(request, lambda asking: page.views.sharer(asking, sharer)))


@router.get("/trees/{referral}")
async def report_tree(referral: str, request: Request, page: Reports) -> Response:
    """What became of a like or share."""
    return await respond(page.page(request, lambda asking: page.views.tree(asking, referral)))


@router.get("/orders")
async def report_orders(request: Request, page: Reports) -> Response:
    """The orders behind the figures."""
    return await respond(page.page(request, page.views.orders))


@router.get("/orders/{order_id}")
async def report_order(order_id: str, request: Request, page: Reports) -> Response:
    """Why one of them was credited as it was."""
    return await respond(page.page(request, lambda asking: page.views.order(asking, order_id)))


@router.get("/v1/{path:path}")
async def report_data(path: str, request: Request, page: Reports) -> Response:
    """What the API itself answers, for those who follow a link to it."""
    told = await page.data(request, f"/v1/{path}")
    return response(told) if isinstance(told, Answer) else told
