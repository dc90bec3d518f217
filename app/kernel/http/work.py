"""The edge of an endpoint: one transaction a request, committed before the answer, done once per Idempotency-Key.

An endpoint hands a function to `Work.write` or `Work.read`; the function gets the session and returns the
answer's model. Everything happens in the endpoint's own thread, so no thread waits for another while it
holds the database.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.kernel.database import lost_a_race
from app.kernel.errors import AppError, Conflict, Invalid
from app.kernel.http import problems
from app.kernel.http.idempotency import Attempt, InFlight, KeptAnswer, Owner
from app.kernel.runtime import Runtime

JSON = "application/json"
_NOT_KEPT = {409, 429}
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """A model with another status than the endpoint's usual one, or of which only `kept` may be shown again."""

    model: BaseModel
    status: int | None = None
    kept: BaseModel | None = None
    headers: dict[str, str] | None = None


Writing = Callable[[Session], BaseModel | Answer | None]
"""What an endpoint does in its transaction. It may be called twice, so it changes nothing but the database."""


def runtime_of(request: Request) -> Runtime:
    """The running process's parts."""
    found = request.app.state.runtime
    assert isinstance(found, Runtime)
    return found


async def _here(request: Request) -> Runtime:  # what only looks need not wait for a thread
    return runtime_of(request)


Here = Annotated[Runtime, Depends(_here)]


@dataclass(frozen=True)
class Work:
    """The unit of work of one request."""

    here: Runtime
    in_flight: InFlight
    path: str
    key: str | None
    fingerprint: str

    def read(self, fn: Callable[[Session], BaseModel]) -> Response:
        """Answer with what `fn` reads."""
        with self.here.database.reading() as session:
            return Response(fn(session).model_dump_json(), media_type=JSON)

    def write(
        self,
        fn: Writing,
        *,
        status: int = 200,
        owner: Owner | None = None,
    ) -> Response:
        """Answer with what `fn` returns, after its writes were committed. `None` is an empty 204.

        With an `owner` the Idempotency-Key counts: the same request again gets the same answer.
        """
        if self.key is None or owner is None:
            return _again_if_outrun(lambda: self._write(fn, status))
        attempt = Attempt(owner, self.path, self.key, self.fingerprint)
        with self.in_flight.only(attempt):
            return _again_if_outrun(lambda: self._once(attempt, fn, status))

    def outside(self, fn: Callable[[], BaseModel | Answer], *, status: int = 200, owner: Owner) -> Response:
        """Like `write`, for work that must not hold a transaction open because it waits for others.

        `fn` makes its own transactions and must stand being called again after a crash.
        """
        if self.key is None:
            return _respond(fn(), status)
        attempt = Attempt(owner, self.path, self.key, self.fingerprint)
        with self.in_flight.only(attempt):
            with self.here.database.transaction() as session:
                kept = attempt.kept(session, self.here.clock.now())
            if kept is not None:
                return _replay(kept)
            try:
                answer = fn()
            except AppError as refusal:
                self._keep_refusal(attempt, refusal)
                raise
            return _again_if_outrun(lambda: self._once(attempt, lambda _: answer, status))

    def _write(self, fn: Writing, status: int) -> Response:
        with self.here.database.transaction() as session:
            return _respond(fn(session), status)

    def _once(self, attempt: Attempt, fn: Writing, status: int) -> Response:
        try:
            with self.here.database.transaction() as session:
                kept = attempt.kept(session, self.here.clock.now())
                if kept is not None:
                    return _replay(kept)
                return self._keep(session, attempt, fn(session), status)
        except AppError as refusal:
            self._keep_refusal(attempt, refusal)
            raise

    def _keep(self, session: Session, attempt: Attempt, answer: BaseModel | Answer | None, status: int) -> Response:
        response = _respond(answer, status)
        kept = answer.kept if isinstance(answer, Answer) and answer.kept is not None else None
        body = bytes(response.body) if kept is None else kept.model_dump_json().encode()
        attempt.keep(session, self.here.clock.now(), response.status_code, body, JSON)
        return response

    def _keep_refusal(self, attempt: Attempt, refusal: AppError) -> None:
        if not 400 <= refusal.status < 500 or refusal.status in _NOT_KEPT:
            return
        with self.here.database.transaction() as session:
            now = self.here.clock.now()
            if attempt.kept(session, now) is None:
                attempt.keep(session, now, refusal.status, problems.body_of(refusal), problems.MEDIA_TYPE)


def _again_if_outrun(transact: Callable[[], Response]) -> Response:
    """Try once more when another transaction was faster: it wrote the same unique key, or ours was given up for it.

    The second time its result is seen. Where it is not, the two contradict each other.
    """
    try:
        return transact()
    except DBAPIError as error:
        if not isinstance(error, IntegrityError) and not lost_a_race(error):
            raise
    try:
        return transact()
    except IntegrityError:
        raise Conflict from None


def _respond(answer: BaseModel | Answer | None, status: int) -> Response:
    if answer is None:
        return Response(status_code=204)
    if isinstance(answer, Answer):
        return Response(answer.model.model_dump_json(), answer.status or status, answer.headers, JSON)
    return Response(answer.model_dump_json(), status, media_type=JSON)


def _replay(kept: KeptAnswer) -> Response:
    return Response(kept.body, kept.status, {"Idempotent-Replayed": "true"}, kept.media_type)


async def _work(
    request: Request,
    here: Here,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=255,
            description="Makes a repeated POST safe: the first answer is given again for 24 hours.",
        ),
    ] = None,
) -> Work:
    fingerprint = ""
    if idempotency_key is not None:
        if not idempotency_key.isascii() or not idempotency_key.isprintable() or not idempotency_key:
            raise Invalid.field("Idempotency-Key", "must be printable ASCII")
        fingerprint = await _fingerprint(request)
    return Work(here, request.app.state.in_flight, request.url.path[:300], idempotency_key, fingerprint)


async def _fingerprint(request: Request) -> str:
    """SHA-256 of what is asked. A form was read by the framework already, so its fields stand for it, piece by piece:
    an upload is never in memory as a whole."""
    digest = hashlib.sha256(request.url.query.encode())
    if "form-data" not in request.headers.get("content-type", ""):
        digest.update(b"\0" + await request.body())
        return digest.hexdigest()
    for name, value in (await request.form()).multi_items():
        digest.update(f"\0{name}\0".encode())
        if isinstance(value, str):
            digest.update(value.encode())
            continue
        while piece := await value.read(_PIECE):
            digest.update(piece)
        await value.seek(0)
    return digest.hexdigest()


UnitOfWork = Annotated[Work, Depends(_work)]
