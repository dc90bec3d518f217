"""The API's operations on products and prices."""

from typing import Final

from app.demo.stripe.catalog import create_price, create_product
from app.demo.stripe.operations.call import Call, Operations
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.world import World, find


def post_product(world: World, call: Call) -> JsonObject:
    return world.show(create_product(world, call.params, call.account))


def get_product(world: World, call: Call) -> JsonObject:
    return world.show(find(world.products, call.ids["id"], call.account, param="id", noun="product"))


def post_price(world: World, call: Call) -> JsonObject:
    return world.show(create_price(world, call.params, call.account))


def get_price(world: World, call: Call) -> JsonObject:
    return world.show(find(world.prices, call.ids["price"], call.account, param="price", noun="price"))


CATALOG_OPERATIONS: Final[Operations] = {
    ("POST", "/v1/products"): post_product,
    ("GET", "/v1/products/{id}"): get_product,
    ("POST", "/v1/prices"): post_price,
    ("GET", "/v1/prices/{price}"): get_price,
}
