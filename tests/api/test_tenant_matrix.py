"""What belongs to another merchant answers exactly as what does not exist, in every operation there is.

The operations come from the OpenAPI document that the server serves: one that is new and has no line in the
tables (tests/tenant_tables.py) makes these tests fail, so that nobody forgets to think about it.
"""

import re
from collections.abc import Callable

import httpx
import pytest

from app.kernel.ids import merchant_of
from tests.conftest import ADMIN_TOKEN, AppServer
from tests.shop import TestMerchant, ok
from tests.soak import SOAK
from tests.tenant_tables import (
    ASKS_STRIPE,
    BODIES,
    ID_FIELDS,
    IN_BODIES,
    IN_QUERIES,
    KINDS,
    NOT_ANOTHERS,
    PLAIN_FIELDS,
    PLAIN_QUERIES,
)
from tests.tenants import Matrix, Operation, another_of_each, everything_of, operations, shown, things_of

NewMerchant = Callable[..., TestMerchant]


@pytest.fixture
def matrix(new_merchant: NewMerchant, app_server: AppServer) -> Matrix:
    ours, theirs = new_merchant(), new_merchant()
    return Matrix(ours, things_of(ours, app_server), theirs, things_of(theirs, app_server))


@pytest.fixture
def gone(new_merchant: NewMerchant, app_server: AppServer) -> str:
    """The key of a merchant who has left."""
    merchant = new_merchant()
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    ok(merchant.public.delete(f"/v1/merchants/{merchant.id}", headers=operator), 204)
    return merchant.secret_key


@pytest.fixture
def served(app_server: AppServer) -> list[Operation]:
    return list(operations(ok(httpx.get(f"{app_server.url}/openapi.json", verify=False))))


def test_every_operation_was_thought_about(served: list[Operation]) -> None:
    for operation in served:
        if operation.name in NOT_ANOTHERS or not (operation.parameters or operation.has_body):
            continue
        for parameter in operation.parameters:
            assert parameter in KINDS, f"{operation.name}: say in KINDS what {parameter} is, or in NOT_ANOTHERS why not"
        if operation.has_body:
            assert operation.name in BODIES, f"{operation.name}: give it a body in BODIES, or a reason in NOT_ANOTHERS"
        for name in set(operation.places) - set(operation.parameters):
            assert name in IN_BODIES.get(operation.name, {}), (
                f"{operation.name}: say in IN_BODIES how an id comes to {name}"
            )
        for name in operation.fields:
            assert name in ID_FIELDS | PLAIN_FIELDS, (
                f"{operation.name}: say in ID_FIELDS or PLAIN_FIELDS what {name} is"
            )
    known = {operation.name for operation in served}
    told = {
        *BODIES,
        *IN_BODIES,
        *(re.sub(r" \w+$", "", name) if name.count(" ") > 1 else name for name in NOT_ANOTHERS),
    }
    assert told <= known, f"no longer served: {sorted(told - known)}"


def test_what_is_anothers_answers_as_what_is_missing_and_stays_as_it_was(
    matrix: Matrix, served: list[Operation], app_server: AppServer
) -> None:
    before = everything_of(app_server, matrix.theirs)
    assert sum(map(len, before.values())) > 15
    tried = 0
    for operation in served:
        for place in operation.places:
            kind = KINDS[place] if place in operation.parameters else IN_BODIES[operation.name][place][0]
            foreign = shown(matrix.call(operation, place, matrix.foreign[kind]), matrix.foreign[kind])
            for missing in matrix.missing(kind):
                assert foreign == shown(matrix.call(operation, place, missing), missing), (operation.name, place)
            assert foreign[0] < 500 or operation.path in ASKS_STRIPE, (operation.name, place, foreign)
            if place in operation.parameters:
                assert foreign[0] in (401, 404), (operation.name, place, foreign)
            tried += 1
    assert tried >= 25
    assert before == everything_of(app_server, matrix.theirs)


def test_every_parameter_of_a_query_was_thought_about(served: list[Operation]) -> None:
    for operation in served:
        if operation.keyed:
            unknown = set(operation.queries) - IN_QUERIES.keys() - PLAIN_QUERIES - {"cursor"}
            assert not unknown, f"{operation.name}: say in IN_QUERIES or PLAIN_QUERIES what these are"
    asked = {name for operation in served for name in operation.queries}
    assert set() == IN_QUERIES.keys() - asked


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_query_for_what_is_anothers_answers_as_one_for_what_is_missing(
    matrix: Matrix, served: list[Operation]
) -> None:
    tried = 0
    for operation in served:
        for name in set(operation.queries) & IN_QUERIES.keys() if operation.keyed else ():
            kind = IN_QUERIES[name]
            foreign = shown(matrix.ask(operation, name, matrix.foreign[kind]), matrix.foreign[kind])
            for missing in matrix.missing(kind)[:1] if not SOAK else matrix.missing(kind):
                assert foreign == shown(matrix.ask(operation, name, missing), missing), (operation.name, name)
            assert foreign[0] < 500, (operation.name, name, foreign)
            tried += 1
    assert tried >= 50


def test_a_cursor_of_their_list_shows_us_nothing_of_theirs(
    matrix: Matrix, served: list[Operation], app_server: AppServer
) -> None:
    for _ in range(2):  # so that each list has a second page
        another_of_each(matrix.theirs, app_server)
    tried = 0
    for operation in (each for each in served if each.keyed and "cursor" in each.queries and not each.parameters):
        theirs = matrix.theirs.http.get(operation.path, params={"limit": 1})
        if cursor := ok(theirs).get("next_cursor"):
            answer = matrix.ours.http.get(operation.path, params={"limit": 100, "cursor": cursor})
            assert answer.status_code in (200, 410, 422), operation.name
            assert not [kind for kind, id_ in matrix.foreign.items() if id_ in answer.text], operation.name
            tried += 1
    assert tried >= 6


def test_without_a_key_that_stands_nothing_is_told_and_nothing_done(
    matrix: Matrix, served: list[Operation], app_server: AppServer, gone: str
) -> None:
    """Whatever else is wrong with the call: who may not ask is not told about that either."""
    before = everything_of(app_server, matrix.ours)
    key = matrix.ours.secret_key
    no_keys = (None, "Bearer", f"Basic {key}", f"Bearer {key[:-1]}", f"Bearer {key}x", f"Bearer {gone}")
    for operation in (each for each in served if each.keyed):
        for header in (*no_keys, f"Bearer {matrix.own['token']}", f"Bearer {matrix.own['key']}"):
            headers = {} if header is None else {"Authorization": header}
            answer = matrix.ours.public.request(operation.method, matrix.path(operation), headers=headers)
            assert 401 == answer.status_code, (operation.name, header, answer.text)
            assert "unauthorized" == answer.json()["code"], operation.name
    assert before == everything_of(app_server, matrix.ours)


def test_what_the_operator_does_no_merchant_can(matrix: Matrix, served: list[Operation]) -> None:
    operators = [each for each in served if each.path.startswith("/v1/merchants") and each.keyed]
    assert len(operators) >= 4
    for operation in operators:
        answer = matrix.ours.http.request(operation.method, matrix.path(operation))
        assert answer.status_code in (401, 403), operation.name


def test_a_report_key_changes_nothing(matrix: Matrix, served: list[Operation], app_server: AppServer) -> None:
    before = everything_of(app_server, matrix.ours)
    headers = {"Authorization": f"Bearer {matrix.ours.report_key}"}
    changing = [each for each in served if each.keyed and each.method != "GET"]
    for operation in changing:
        body = BODIES[operation.name](matrix.own) if operation.name in BODIES else None
        answer = matrix.ours.public.request(operation.method, matrix.path(operation), json=body, headers=headers)
        assert answer.status_code in (401, 403), (operation.name, answer.text)
    assert before == everything_of(app_server, matrix.ours)


def test_their_refund_is_not_found_under_our_order(matrix: Matrix) -> None:
    answer = matrix.ours.http.delete(f"/v1/orders/{matrix.own['order']}/refunds/{matrix.foreign['refund']}")
    assert answer.status_code == 404


def test_what_is_ours_is_found_by_the_same_calls(matrix: Matrix, served: list[Operation]) -> None:
    """Otherwise the comparison above would compare nothing with nothing."""
    reading = [each for each in served if each.keyed and each.method == "GET" and each.parameters and each.places]
    assert len(reading) >= 6
    for operation in reading:
        if "merchant_id" in operation.parameters:
            continue
        *_, place = operation.parameters
        assert matrix.call(operation, place, matrix.own[KINDS[place]]).status_code == 200, operation.name


def test_our_lists_and_reports_show_nothing_of_theirs(matrix: Matrix, served: list[Operation]) -> None:
    lists = [each for each in served if each.method == "GET" and each.keyed and not each.parameters]
    assert len(lists) >= 6
    for operation in lists:
        answer = matrix.ours.http.get(operation.path)
        assert answer.status_code == 200, operation.name
        assert not [kind for kind, id_ in matrix.foreign.items() if id_ in answer.text], operation.name


def test_a_visitors_token_of_theirs_is_nobody_with_us(matrix: Matrix) -> None:
    body = {"product": matrix.own["product"]}
    answer = ok(matrix.ours.public.post("/v1/likes", json=body, headers={"Grapevine-Visitor": matrix.foreign["token"]}))
    assert answer["visitor"] not in (None, matrix.foreign["token"])
    assert merchant_of(matrix.ours.id) == merchant_of(answer["visitor"][3:].partition(".")[0])
