"""Past facts as lines, in the words of the wire (attribution.md, Wire forms), and ways to send them."""

import json
from collections.abc import Iterable
from typing import Any

import httpx

from tests.shop import JSON, TestMerchant, ok

Line = dict[str, Any]

ALL = {"from": "2025-01-01", "to": "2027-01-01"}
"""The period in which all of it happened."""


def share(id: str, visitor: str, at: str, **fields: Any) -> Line:
    return {
        "kind": "referral",
        "id": id,
        "type": "share",
        "visitor": visitor,
        "network": "whatsapp",
        "at": at,
        **fields,
    }


def touch(id: str, visitor: str, referral: str | None, at: str, **fields: Any) -> Line:
    return {"kind": "touch", "id": id, "visitor": visitor, "type": "click", "referral": referral, "at": at, **fields}


def identity(visitor: str, person: str, at: str, **fields: Any) -> Line:
    return {"kind": "identity", "visitor": visitor, "person": person, "at": at, **fields}


def coupon(code: str, referral: str, at: str, **fields: Any) -> Line:
    return {"kind": "coupon", "code": code, "referral": referral, "at": at, **fields}


def order(id: str, visitor: str | None, net: int, at: str, **fields: Any) -> Line:
    return {"kind": "order", "id": id, "visitor": visitor, "currency": "eur", "net": net, "at": at, **fields}


def refund(id: str, order: str, amount: int, at: str, **fields: Any) -> Line:
    return {"kind": "refund", "id": id, "order": order, "amount": amount, "reason": "refund", "at": at, **fields}


def day(number: int) -> str:
    """Midnight of that day of January 2026."""
    return f"2026-01-{number:02}T00:00:00Z"


def written(lines: Iterable[Line]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def send(merchant: TestMerchant, content: bytes | Iterable[bytes], **headers: str) -> httpx.Response:
    given = {"Content-Type": "application/x-ndjson", **headers}
    return merchant.http.post("/v1/history", content=content, headers=given, timeout=120)


def move_in(merchant: TestMerchant, *lines: Line) -> JSON:
    """The answer to these lines in one request."""
    return dict(ok(send(merchant, written(lines)), 200))


def counts(answer: JSON) -> tuple[int, int, int]:
    """Accepted, unchanged, refused."""
    return answer["accepted"], answer["unchanged"], answer["refused_count"]


def net_by(merchant: TestMerchant, dimension: str = "sharer", **query: Any) -> dict[str, int]:
    """Net of 2025 and 2026 by a dimension of the report; what is 0 is left out."""
    return {row[dimension]: row["net"] for row in merchant.report(dimension, **ALL, **query)["data"] if row["net"]}
