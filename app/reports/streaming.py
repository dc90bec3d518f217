"""Answers that are sent while they are read. Knows no report."""

from collections.abc import Generator, Iterable
from contextlib import ExitStack
from itertools import chain
from typing import Final
from weakref import finalize

import anyio
from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.kernel.http.few import Few

AT_ONCE: Final = Few(4, "Others are being sent long answers just now; ask again in a moment.")
"""Each keeps a connection, and with it a moment of the database, for as long as its client takes to read."""
LONGEST = 600.0
"""Seconds from the first piece to the last."""


class BrokenOff(Exception):
    """An answer that was not read to its end in time. The connection ends without the last chunk (RFC 9112, 8)."""


def sent(pieces: Generator[str, None, None], media_type: str, held: ExitStack | None = None) -> Response:
    """The pieces of text as an answer, whole if there is but one, else each sent before those after the next are read.
    What is `held` for reading them is let go when all are read, or nobody wants them any more, or nothing can be read.

    What is wrong with a question is raised here, before the answer begins; so is `Unavailable`, where too many are
    being sent long answers for which something is held.
    """
    with ExitStack() as until_sent:
        if held is not None:
            until_sent.enter_context(held)
        until_sent.callback(pieces.close)  # what reads goes first, and then what it reads from
        first, second = next(pieces, ""), next(pieces, None)
        if second is None:
            return Response(first, media_type=media_type)
        if held is not None:
            until_sent.enter_context(AT_ONCE)
        return Streamed(chain((first, second), pieces), media_type, until_sent.pop_all())


class Streamed(StreamingResponse):
    """Pieces of text, for which something is `held` until they are sent. An answer whose reading fails, or lasts too
    long, breaks off without its end."""

    def __init__(self, pieces: Iterable[str] | Iterable[bytes], media_type: str, held: ExitStack) -> None:
        self._let_go = finalize(self, held.close)  # also where the one who asked went away before it began
        self._let_go.atexit = False
        super().__init__(pieces, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. On a disconnect, and when it is late, a piece that is being read is read to its end before that is
        let go. Raises `BrokenOff`."""
        try:
            with anyio.move_on_after(LONGEST) as in_time:
                await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._let_go)
        if in_time.cancelled_caught:
            raise BrokenOff(f"an answer was not read to its end in {LONGEST:.0f} s: {scope['path']}")
