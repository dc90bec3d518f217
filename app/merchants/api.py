"""Merchants by HTTP: the operator's calls, the merchant's own settings (keys_api.py: its keys)."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from app.kernel.http.wire import Body, Currency, Name, Text, Timestamp, Wire
from app.kernel.http.work import Answer, UnitOfWork
from app.merchants import service
from app.merchants.access import Operator, SecretKey
from app.merchants.audit import By, difference, note
from app.merchants.models import Merchant
from app.merchants.origins import normal_origin, normal_return_url
from app.merchants.retention import Kind, usual
from app.merchants.retention_wire import RetentionOut, RetentionPatch
from app.merchants.selling_wire import SellingOut, SellingPatch
from app.merchants.sharing_wire import SharingOut, SharingPatch
from app.privacy import small_groups


@cache
def _zones() -> frozenset[str]:
    """The IANA list, without names that mean this machine's own zone or none."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


def _timezone(name: str) -> str:
    if name not in _zones():
        raise PydanticCustomError("unknown_timezone", "is not a time zone of the IANA list")
    return ZoneInfo(name).key


Timezone = Annotated[str, AfterValidator(_timezone), Field(examples=["Europe/Paris"], max_length=64)]
Origin = Annotated[Text, Field(max_length=300, examples=["https://blog.example"]), AfterValidator(normal_origin)]
ReturnUrl = Annotated[
    Text, Field(max_length=500, examples=["https://shop.example/thanks"]), AfterValidator(normal_return_url)
]
StripeAccount = Annotated[str, Field(pattern=r"^acct_[A-Za-z0-9]{1,50}$", examples=["acct_1PgafTB8Bx"])]
Privacy = Literal["none", "counts", "consented"]
Landing = Literal["page", "merchant"]


class MerchantIn(Body):
    """A new merchant."""

    name: Name
    currency: Currency
    allowed_origins: Annotated[list[Origin], Field(max_length=100)] = []
    return_urls: Annotated[list[ReturnUrl], Field(max_length=100)] = []
    timezone: Timezone = "UTC"
    stripe_account: StripeAccount | None = None


class MerchantPatch(Body):
    """The settings to change; what is left out stays."""

    name: Name | None = None
    currency: Currency | None = None
    timezone: Timezone | None = None
    allowed_origins: Annotated[list[Origin], Field(max_length=100)] | None = None
    return_urls: Annotated[list[ReturnUrl], Field(max_length=100)] | None = None
    privacy: Privacy | None = None
    landing: Landing | None = None
    checkout: Annotated[SellingPatch, Field(description="How buyers pay; what is left out of it stays too.")] | None = (
        None
    )
    small_group: (
        Annotated[
            int,
            Field(
                ge=0,
                le=small_groups.LARGEST,
                strict=True,
                description="Where the public looks, and in reports for keys that are `suppressed`, fewer people than "
                "this are not told of by number. 0 and 1: every number is told.",
                examples=[small_groups.USUAL],
            ),
        ]
        | None
    ) = None
    sharing: (
        Annotated[SharingPatch, Field(description="How the word is passed on; what is left out of it stays too.")]
        | None
    ) = None
    retention: (
        Annotated[RetentionPatch, Field(description="How long facts are kept; what is left out of it stays too.")]
        | None
    ) = None


class OperatorPatch(Body):
    """What only the operator changes, since money goes there."""

    stripe_account: Annotated[
        StripeAccount | None,
        Field(description="The connected account that sells from now on; `null`: the server's own key's."),
    ]


class MerchantOut(Wire):
    """A merchant and its settings."""

    id: str
    name: str
    currency: str
    timezone: str
    allowed_origins: list[str]
    return_urls: list[str]
    privacy: Privacy
    landing: Landing
    small_group: Annotated[int, Field(description='Where the public looks, fewer people are "a few".', examples=[5])]
    stripe_account: str | None
    checkout: SellingOut
    sharing: SharingOut
    retention: RetentionOut
    visits_kept_from: Annotated[
        Timestamp | None,
        Field(
            description="Visits before this moment may be gone: orders that they may have led to stand as they were "
            "credited. `null`: all are there.",
            examples=["2025-10-19T00:00:00Z"],
        ),
    ]
    created_at: Timestamp

    @classmethod
    def of(cls, merchant: Merchant, kept: Mapping[Kind, int]) -> "MerchantOut":
        """`kept`: for how many days this server keeps what."""
        return cls.model_validate(_fields(merchant, kept))


class MerchantCreated(MerchantOut):
    """The same, with its first keys, which are shown only here."""

    secret_key: str | None
    report_key: str | None


router = APIRouter()


@router.post("/v1/merchants", status_code=201, response_model=MerchantCreated, tags=["operator"])
def create_merchant(body: MerchantIn, operator: Operator, work: UnitOfWork) -> Response:
    """Make a merchant and its first two keys. The keys are shown once, not even to a retry with the same
    `Idempotency-Key`; make another with `POST /v1/keys` if they were lost."""

    def create(session: Session) -> Answer:
        new = service.NewMerchant(**body.model_dump())
        merchant, secret, report = service.open_shop(session, work.here.signer, new, work.here.clock.now())
        shown = MerchantCreated(**_fields(merchant, usual(work.here.settings)), secret_key=secret, report_key=report)
        return Answer(shown, kept=shown.model_copy(update={"secret_key": None, "report_key": None}))

    return work.write(create, status=201, owner=operator.owner)


@router.get("/v1/merchants/{merchant_id}", response_model=MerchantOut, tags=["operator"])
def get_merchant(merchant_id: str, _: Operator, work: UnitOfWork) -> Response:
    """One merchant."""
    kept = usual(work.here.settings)
    return work.read(lambda session: MerchantOut.of(service.by_public_id(session, merchant_id), kept))


@router.patch("/v1/merchants/{merchant_id}", response_model=MerchantOut, tags=["operator"])
def change_account(merchant_id: str, body: OperatorPatch, operator: Operator, work: UnitOfWork) -> Response:
    """Say which account at Stripe a merchant sells through. Checkouts that are open stay with the account before."""

    def change(session: Session) -> MerchantOut:
        merchant = service.by_public_id(session, merchant_id)
        changes = {"stripe_account": body.stripe_account}
        return _changed(session, operator.on(merchant.merchant_id), merchant, changes, usual(work.here.settings))

    return work.write(change)


@router.delete("/v1/merchants/{merchant_id}", status_code=204, tags=["operator"])
def close_merchant(merchant_id: str, operator: Operator, work: UnitOfWork) -> Response:
    """Off-board a merchant: its keys, links and widgets stop at once; its books stay."""

    def close(session: Session) -> None:
        merchant = service.by_public_id(session, merchant_id)
        service.close(session, merchant, work.here.clock.now())
        note(session, operator.on(merchant.merchant_id), "merchant.closed", merchant.public_id)

    return work.write(close)


@router.get("/v1/merchant", response_model=MerchantOut, tags=["merchant"])
def get_settings(caller: SecretKey, work: UnitOfWork) -> Response:
    """The settings of the merchant whose key this is."""
    kept = usual(work.here.settings)
    return work.read(lambda session: MerchantOut.of(service.get(session, caller.merchant_id), kept))


@router.patch("/v1/merchant", response_model=MerchantOut, tags=["merchant"])
def change_settings(body: MerchantPatch, caller: SecretKey, work: UnitOfWork, request: Request) -> Response:
    """Change settings; what is left out stays as it is."""
    changes = body.model_dump(exclude_none=True, exclude={"checkout", "sharing", "retention"})
    kept = usual(work.here.settings)

    def change(session: Session) -> MerchantOut:
        in_parts = any(part is not None for part in (body.checkout, body.sharing, body.retention))
        merchant = service.get(session, caller.merchant_id, lock=in_parts)
        if body.checkout is not None:
            changes["checkout"] = body.checkout.changed(merchant.selling).to_json()
        if body.sharing is not None:
            changes["sharing"] = body.sharing.changed(merchant.sharing_settings).to_json()
        if body.retention is not None:
            needed: Callable[[Session, int], int] = request.app.state.visits_needed
            periods = body.retention.changed(merchant.kept, kept, needed(session, caller.merchant_id))
            changes["retention"] = periods.to_json()
        return _changed(session, caller, merchant, changes, kept)

    return work.write(change)


def _changed(
    session: Session, by: By, merchant: Merchant, changes: dict[str, Any], kept: Mapping[Kind, int]
) -> MerchantOut:
    before = MerchantOut.of(merchant, kept)
    after = MerchantOut.of(service.change(merchant, changes), kept)
    note(session, by, "merchant.changed", merchant.public_id, difference(*(_said(each) for each in (before, after))))
    return after


def _said(shown: MerchantOut) -> dict[str, Any]:
    return shown.model_dump(mode="json")


def _fields(merchant: Merchant, kept: Mapping[Kind, int]) -> dict[str, object]:
    parts = {
        "id": merchant.public_id,
        "small_group": merchant.fewest_told,
        "checkout": SellingOut.of(merchant.selling),
        "sharing": SharingOut.of(merchant.sharing_settings),
        "retention": RetentionOut.of(merchant.kept, kept),
    }
    return parts | {name: getattr(merchant, name) for name in MerchantOut.model_fields if name not in parts}
