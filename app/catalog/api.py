"""Products by HTTP."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.catalog import service
from app.catalog.models import Product
from app.catalog.wire import ProductIn, ProductOut, ProductPatch, product_data, variant_data
from app.kernel.errors import Invalid
from app.kernel.http.pages import Page, PageQuery, newest_first
from app.kernel.http.wire import ExternalId, Text
from app.kernel.http.work import Answer, UnitOfWork
from app.merchants import service as merchants
from app.merchants.access import SecretKey
from app.merchants.audit import note


class ProductQuery(PageQuery):
    """Filters of the list."""

    q: Annotated[Text, Field(max_length=200, description="Part of the title.")] | None = None
    tag: Annotated[Text, Field(max_length=200)] | None = None
    external_id: ExternalId | None = None


router = APIRouter(prefix="/v1/products", tags=["catalogue"])


@router.post("", status_code=201, response_model=ProductOut, responses={200: {"model": ProductOut}})
def save_product(body: ProductIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Create a product (201), or make the one with the same `external_id` like this body (200)."""

    def save(session: Session) -> Answer:
        currency = merchants.get(session, caller.merchant_id).currency
        _one_currency(body)
        product, outcome = service.save(
            session, caller.merchant_id, product_data(body, currency), work.here.clock.now()
        )
        return Answer(ProductOut.of(product), 201 if outcome is service.Outcome.CREATED else 200)

    return work.write(save, owner=caller.owner)


@router.get("", response_model=Page[ProductOut])
def list_products(caller: SecretKey, query: Annotated[ProductQuery, Query()], work: UnitOfWork) -> Response:
    """The products that stand, newest first."""
    matching = service.standing(caller.merchant_id, q=query.q, tag=query.tag, external_id=query.external_id)
    return work.read(
        lambda session: newest_first(
            session, matching, Product.product_id, query, lambda rows: [ProductOut.of(row) for row in rows]
        )
    )


@router.get("/{product_id}", response_model=ProductOut)
def get_product(product_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """One product."""
    return work.read(lambda session: ProductOut.of(service.get(session, caller.merchant_id, product_id)))


@router.patch("/{product_id}", response_model=ProductOut)
def change_product(product_id: str, body: ProductPatch, caller: SecretKey, work: UnitOfWork) -> Response:
    """Change the given fields; lists are replaced whole. `null` empties `brand` and `url`."""

    def change(session: Session) -> ProductOut:
        product = service.get(session, caller.merchant_id, product_id)
        currency = merchants.get(session, caller.merchant_id).currency
        _one_currency(body)
        now = work.here.clock.now()
        if service.replace(product, _patched(service.describe(product), body, currency), now):
            service.tell(session, caller.merchant_id, product_id, now)
        session.flush()
        return ProductOut.of(product)

    return work.write(change)


@router.delete("/{product_id}", status_code=204)
def withdraw_product(product_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """Take a product off every wall. What was sold and shared stays in the books."""

    def withdraw(session: Session) -> None:
        now = work.here.clock.now()
        service.withdraw(service.get(session, caller.merchant_id, product_id), now)
        service.tell(session, caller.merchant_id, product_id, now)
        note(session, caller, "product.withdrawn", product_id)

    return work.write(withdraw)


def _patched(data: service.ProductData, body: ProductPatch, currency: str) -> service.ProductData:
    given = body.model_fields_set
    if body.title is not None:
        data = replace(data, title=body.title)
    if body.description is not None:
        data = replace(data, description=body.description)
    if "brand" in given:
        data = replace(data, brand=body.brand)
    if "url" in given:
        data = replace(data, url=body.url)
    if body.images is not None:
        data = replace(data, images=tuple(body.images))
    if body.tags is not None:
        data = replace(data, tags=tuple(dict.fromkeys(body.tags)))
    if body.variants is not None:
        data = replace(data, variants=tuple(variant_data(variant, currency) for variant in body.variants))
    return data


def _one_currency(body: ProductIn | ProductPatch) -> None:
    """A product is priced in one currency: a checkout can only be in one."""
    seen: str | None = None
    for position, variant in enumerate(body.variants or ()):
        for name in ("price", "compare_at"):
            amount = getattr(variant, name)
            if amount is None:
                continue
            if seen not in (None, amount.currency):
                raise Invalid.field(f"/variants/{position}/{name}/currency", "must be the same in all variants")
            seen = amount.currency
