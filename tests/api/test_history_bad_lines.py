"""Moving in with bad input: each bad line is told with its number and field, and nothing else is lost."""

import json
from typing import Any

import pytest

from app.history.service import MOST_REFUSED
from app.history.splitting import LONGEST_LINE
from app.kernel.ids import new_id
from tests.clock import START
from tests.history import (
    Line,
    counts,
    coupon,
    day,
    identity,
    move_in,
    net_by,
    order,
    refund,
    send,
    share,
    touch,
    written,
)
from tests.shop import JSON, TestMerchant, ok

GOOD = [share("s1", "ana", day(1)), touch("t1", "bo", "s1", day(2)), order("o1", "bo", 1_000, day(3))]


def told(merchant: TestMerchant, content: bytes) -> JSON:
    return dict(ok(send(merchant, content), 200))


def refusals(answer: JSON) -> list[tuple[int, str, str | None]]:
    return [(line["line"], line["code"], line.get("field")) for line in answer["refused"]]


def test_bad_lines_of_every_sort_lose_no_good_one(merchant: TestMerchant) -> None:
    bad = [
        (b"{", "invalid_json", None),
        (b"\xff\xfe\x00", "invalid_json", None),
        (b"[1, 2]", "invalid_json", None),
        (b'{"kind": "order", "net": NaN}', "invalid_json", None),
        (b'{"kind": "touch", "kind": "order"}', "invalid_json", None),
        (b'{"kind": "order"} trailing', "invalid_json", None),
        (b"[" * 50_000, "invalid_json", None),
        (b'{"kind": "like"}', "unknown_kind", "kind"),
        (b"{}", "unknown_kind", "kind"),
        (json.dumps(order("o2", "bo", -1, day(3))).encode(), "invalid_fact", "net"),
        (json.dumps(order("o2", "bo", 1, "soon")).encode(), "invalid_fact", "at"),
        (json.dumps(order("o2", "bo", 1, "2026-03-04T00:00:00Z")).encode(), "invalid_fact", "at"),
        (json.dumps(share("(house)", "ana", day(1))).encode(), "invalid_fact", "id"),
        (json.dumps(touch(new_id("clk", 1, START), "bo", None, day(1))).encode(), "invalid_fact", "id"),
        (json.dumps({**refund("r1", "o1", 5, day(4)), "colour": "red"}).encode(), "invalid_fact", "colour"),
        (json.dumps(identity("bo\0", "p", day(4))).encode(), "invalid_fact", "visitor"),
        (json.dumps(coupon("ANA", "\ud800", day(4))).encode(), "invalid_fact", "referral"),
        (b'{"kind": "touch", "id": "' + b"x" * 2**20 + b'"}', "line_too_long", None),
    ]
    good = [json.dumps(line).encode() for line in GOOD]
    content = b"\n".join([*(line for line, _, _ in bad), *good, *(line for line, _, _ in bad)])
    answer = told(merchant, content)

    assert (3, 0, 2 * len(bad)) == counts(answer)
    expected = [(code, field) for _, code, field in bad]
    numbers = [*range(1, len(bad) + 1), *range(len(bad) + 4, 2 * len(bad) + 4)]
    assert [(number, *each) for number, each in zip(numbers, expected * 2, strict=True)] == refusals(answer)
    assert {"ana": 1_000} == net_by(merchant)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"type": "like"}, "type"),
        ({"visitor": "eve"}, "visitor"),
        ({"network": None}, "network"),
        ({"parent": "s1"}, "parent"),
        ({"product": "mug"}, "product"),
        ({"wall": "blog"}, "wall"),
        ({"at": day(2)}, "at"),
    ],
)
def test_a_referral_that_says_something_else_is_refused_with_what_is_known(
    merchant: TestMerchant, changed: Line, field: str
) -> None:
    contradicted(merchant, GOOD[0], changed, field)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"visitor": "eve"}, "visitor"),
        ({"type": "view"}, "type"),
        ({"network": "x"}, "network"),
        ({"referral": None}, "referral"),
        ({"at": day(1)}, "at"),
    ],
)
def test_a_touch_that_says_something_else_is_refused(merchant: TestMerchant, changed: Line, field: str) -> None:
    contradicted(merchant, GOOD[1], changed, field)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"visitor": None}, "visitor"),
        ({"currency": "usd"}, "currency"),
        ({"net": 999}, "net"),
        ({"coupon": "ANA10"}, "coupon"),
        ({"at": day(4)}, "at"),
    ],
)
def test_an_order_that_says_something_else_is_refused(merchant: TestMerchant, changed: Line, field: str) -> None:
    contradicted(merchant, GOOD[2], changed, field)


@pytest.mark.parametrize("waiting", [True, False])
@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"order": "o2"}, "order"),
        ({"amount": 99}, "amount"),
        ({"reason": "chargeback"}, "reason"),
        ({"at": day(5)}, "at"),
    ],
)
def test_a_refund_that_says_something_else_is_refused_also_while_it_waits(
    merchant: TestMerchant, changed: Line, field: str, waiting: bool
) -> None:
    contradicted(merchant, refund("r1", "o9" if waiting else "o1", 100, day(4)), changed, field)


def contradicted(merchant: TestMerchant, line: Line, changed: dict[str, Any], field: str) -> None:
    move_in(merchant, *GOOD, order("o2", "bo", 5, day(3)), line)
    before = net_by(merchant)
    answer = move_in(merchant, line, {**line, **changed}, line)
    assert (0, 2, 1) == counts(answer)
    assert [(2, "fact_contradicts", field)] == refusals(answer)
    known = "null" if line.get(field) is None else str(line[field])
    assert f"{field} {known}" in answer["refused"][0]["detail"]
    assert before == net_by(merchant)


def test_identities_and_coupons_that_differ_are_other_ones(merchant: TestMerchant) -> None:
    said = [identity("bo", "p", day(1)), coupon("ANA", "s1", day(1))]
    others = [identity("bo", "q", day(1)), identity("bo", "p", day(2)), coupon("ana", "s2", day(1))]
    others += [coupon("ANA", "s1", day(2))]
    assert (6, 2, 0) == counts(move_in(merchant, *said, *others, said[0], {**said[1], "code": " ana "}))
    assert (0, 6, 0) == counts(move_in(merchant, *others, *said))


def test_all_that_contradicts_is_told_and_the_first_of_it_is_the_field(merchant: TestMerchant) -> None:
    move_in(merchant, *GOOD)
    (line,) = move_in(merchant, {**GOOD[2], "net": 5, "visitor": "x" * 200})["refused"]
    assert "known already with visitor bo, net 1000" == line["detail"]
    assert "visitor" == line["field"]


def test_of_very_many_refused_lines_the_first_are_told_and_all_are_counted(merchant: TestMerchant) -> None:
    answer = told(merchant, b"x\n" * (MOST_REFUSED + 5) + written(GOOD))
    assert (3, 0, MOST_REFUSED + 5) == counts(answer)
    assert [1, MOST_REFUSED] == [answer["refused"][place]["line"] for place in (0, -1)]
    assert MOST_REFUSED == len(answer["refused"])


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\n\t\n"])
def test_nothing_is_a_history_too(merchant: TestMerchant, content: bytes) -> None:
    assert {"accepted": 0, "unchanged": 0, "refused": [], "refused_count": 0} == told(merchant, content)


def test_lines_may_end_in_crlf_and_the_last_one_needs_no_end(merchant: TestMerchant) -> None:
    content = written(GOOD).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    assert (3, 0, 0) == counts(told(merchant, content))


def test_a_byte_order_mark_loses_only_its_own_line(merchant: TestMerchant) -> None:
    answer = told(merchant, b"\xef\xbb\xbf" + written([GOOD[0], *GOOD]))
    assert (3, 0, 1) == counts(answer)
    assert "byte order mark" in answer["refused"][0]["detail"]


def test_the_longest_line_is_taken(merchant: TestMerchant) -> None:
    line = json.dumps(GOOD[0]).encode()
    padded = b"{" + b" " * (LONGEST_LINE - len(line)) + line[1:]
    assert (1, 0, 0) == counts(told(merchant, padded))
    assert [(1, "line_too_long", None)] == refusals(told(merchant, b" ".join([padded[:1], padded[1:]])))


def test_one_endless_line_is_one_refusal(merchant: TestMerchant) -> None:
    assert [(1, "line_too_long", None)] == refusals(told(merchant, b"x" * 5_000_000))


def test_only_a_secret_key_moves_in(merchant: TestMerchant) -> None:
    for key, status in ((merchant.report_key, 403), ("sk_unknown", 401)):
        answer = send(merchant, written(GOOD), Authorization=f"Bearer {key}")
        assert status == answer.status_code
    assert (3, 0, 0) == counts(move_in(merchant, *GOOD))


def test_an_idempotency_key_is_no_matter(merchant: TestMerchant) -> None:
    """Streams are exempt: their lines have ids (api.md)."""
    for expected in ((3, 0, 0), (0, 3, 0)):
        answer = ok(send(merchant, written(GOOD), **{"Idempotency-Key": "once"}), 200)
        assert expected == counts(answer)


@pytest.mark.parametrize("media_type", ["application/jsonl", "text/plain", "application/x-www-form-urlencoded", ""])
def test_lines_are_lines_whatever_a_program_calls_them(merchant: TestMerchant, media_type: str) -> None:
    assert (3, 0, 0) == counts(ok(send(merchant, written(GOOD), **{"Content-Type": media_type}), 200))


def test_a_form_is_not_lines_and_packed_lines_are_not_understood(merchant: TestMerchant) -> None:
    form = merchant.http.post("/v1/history", files={"file": written(GOOD)})
    packed = send(merchant, b"\x1f\x8b", **{"Content-Encoding": "gzip"})
    for answer in (form, packed):
        assert (415, "unsupported_media_type") == (answer.status_code, answer.json()["code"])
