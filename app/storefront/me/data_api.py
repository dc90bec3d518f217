"""All that is held of a visitor, to be read and taken along. A public call, proved by the visitor's token alone."""

import json
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import IO, Final

from fastapi import APIRouter, Request, Response

from app.kernel.clock import rfc3339
from app.kernel.http.few import Few
from app.kernel.http.work import JSON, UnitOfWork
from app.merchants.access import Shops, admit
from app.privacy.held import Part
from app.referrals.erasing_api import Erases
from app.referrals.quick import TOKEN_HEADER, VisitorHeader
from app.reports.streaming import Streamed
from app.storefront.me.proof import proved

router = APIRouter(tags=["shopper"])

_AT_ONCE: Final = Few(2, "Others are asking just now; ask again in a moment.")
"""What widgets reported is looked through, for no index knows whose it was."""
_LONG: Final = Few(4, "Others are being sent long answers just now; ask again in a moment.")
_SHORT: Final = 128 * 1024
"""Bytes of an answer that lies in memory until it is read; a longer one on the disk, and few at once."""
_PIECE: Final = 64 * 1024
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Vary": TOKEN_HEADER,
    "Content-Disposition": 'attachment; filename="grapevine.json"',
}
_EXAMPLE: Final = {
    "visitor": "vis_...",
    "merchant": "mer_...",
    "at": "2026-11-22T09:30:00.000000Z",
    "parts": [
        {"name": "names", "about": "What you want to be called.", "rows": [{"name": "Ana", "at": "2026-11-20T…Z"}]}
    ],
}


@router.get(
    "/v1/me/data",
    response_class=Response,
    responses={200: {"content": {JSON: {"example": _EXAMPLE}}, "description": "Everything, part by part."}},
)
def my_data(request: Request, work: UnitOfWork, shops: Shops, erasure: Erases, token: VisitorHeader = None) -> Response:
    """All that is held of this visitor, each part with a sentence that says what it is: likes and shares, names,
    visits, who the shop says they are, orders, consents. `rows` hold what stands in the database. Others' doings are
    left out: what was earned by one's word is in `GET /v1/me`, as sums. 401 for a token that proves nothing."""
    merchant_id, visitor = proved(work, token)
    shop = shops.get(merchant_id)
    admit(request, shop)
    with ExitStack() as held:
        file = held.enter_context(SpooledTemporaryFile(_SHORT))
        with _AT_ONCE, work.here.database.reading() as session:
            about = {"visitor": visitor, "merchant": shop.public_id, "at": rfc3339(work.here.clock.now())}
            for piece in _pieces(about, erasure.held(session, merchant_id, visitor)):
                file.write(piece.encode())
        answer = _sent(file, held)
    answer.headers.update(_HEADERS)
    return answer


def _sent(file: IO[bytes], held: ExitStack) -> Response:
    """What stands in the file, which is `held`: for whoever is slow to read wait only others with as much."""
    size = file.tell()
    file.seek(0)
    if size <= _SHORT:
        return Response(file.read(), media_type=JSON)
    held.enter_context(_LONG)
    return Streamed(iter(partial(file.read, _PIECE), b""), JSON, held.pop_all())


def _pieces(about: dict[str, str], parts: Iterable[Part]) -> Generator[str, None, None]:
    yield json.dumps(about, ensure_ascii=False)[:-1] + ',"parts":['
    for number, part in enumerate(parts):
        head = json.dumps({"name": part.name, "about": part.about}, ensure_ascii=False)
        yield f'{"," if number else ""}{head[:-1]},"rows":['
        for place, row in enumerate(part.rows):
            yield ("," if place else "") + json.dumps(row, ensure_ascii=False)
        yield "]}"
    yield "]}"
