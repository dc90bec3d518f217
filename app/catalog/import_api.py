"""Imports of catalogues by HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Response, UploadFile
from sqlalchemy.orm import Session

from app.catalog import imports
from app.catalog.models import Import
from app.kernel.http.routes import operation_id
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey

LARGEST_UPLOAD = 64 * 1024 * 1024

Format = Literal["shopify_csv"]


class ImportErrorOut(Wire):
    """A row that was refused, or a note on how the file was read."""

    line: int
    field: str
    detail: str


class ImportOut(Wire):
    """How an import is going. The numbers count products; at most a thousand errors are told one by one."""

    id: str
    format: Format
    status: Literal["queued", "running", "finished", "failed"]
    created: int
    updated: int
    unchanged: int
    failed: int
    errors: list[ImportErrorOut]
    created_at: Timestamp
    finished_at: Timestamp | None

    @classmethod
    def of(cls, state: Import) -> "ImportOut":
        fields = {name: getattr(state, name) for name in cls.model_fields if name != "id"}
        return cls.model_validate({"id": state.import_id, **fields})


router = APIRouter(prefix="/v1/imports", tags=["catalogue"], generate_unique_id_function=operation_id)


@router.post("", status_code=202, response_model=ImportOut, max_body_size=LARGEST_UPLOAD)
def start_import(
    caller: SecretKey,
    work: UnitOfWork,
    format: Annotated[Format, Form(description="`shopify_csv`: Shopify's product export.")],
    file: Annotated[UploadFile, File(description="At most 64 MiB.")],
) -> Response:
    """Bring in a catalogue. The file is on disk when this answers; ask `GET /v1/imports/{id}` how it goes.

    One bad row never loses the others, and the same file twice changes nothing.
    """

    def start(session: Session) -> ImportOut:
        file.file.seek(0)
        now = work.here.clock.now()
        return ImportOut.of(imports.start(session, work.here.outbox, caller.merchant_id, format, file.file, now))

    return work.write(start, status=202, owner=caller.owner)


@router.get("/{import_id}", response_model=ImportOut)
def get_import(import_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """How an import is going."""
    return work.read(lambda session: ImportOut.of(imports.get(session, caller.merchant_id, import_id)))
