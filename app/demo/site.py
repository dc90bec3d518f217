"""The demonstration's other website: somebody's blog with the wall on it, and the shop's pictures.

It knows Grapevine only as any website does: by the one line that it embeds.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.demo import blog, shop


def site(api: str, wall: str, merchant: str, product: str) -> Starlette:
    """The website; `api` is Grapevine's address, `wall` the id of the wall on the blog, `product` that of one thing of
    it which stands by itself, `merchant` that of the shop."""

    def page(_: Request) -> Response:
        return HTMLResponse(blog.render(api, wall, merchant, product, shop=shop.NAME))

    def picture(request: Request) -> Response:
        content = shop.picture(request.path_params["name"])
        if content is None:
            return Response("There is no such picture.", 404, media_type="text/plain")
        return Response(content, media_type="image/png", headers={"Cache-Control": "public, max-age=86400"})

    return Starlette(routes=[Route("/", page), Route("/pictures/{name}", picture)])
