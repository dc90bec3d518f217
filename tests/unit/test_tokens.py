"""A visitor's token proves one visitor of one merchant, and cannot be made up."""

from datetime import UTC, datetime

import pytest

from app.kernel.ids import new_id
from app.kernel.signing import Signer
from app.privacy.signals import says_no
from app.privacy.tokens import issue, visitor_of

AT = datetime(2026, 11, 22, tzinfo=UTC)
SIGNER = Signer(b"a secret of sixteen bytes or more")
ANA = new_id("vis", 7, AT)
TOKEN = issue(SIGNER, ANA)


def test_a_token_proves_its_visitor() -> None:
    assert ANA == visitor_of(SIGNER, TOKEN, 7)


def test_a_token_proves_nothing_to_another_merchant() -> None:
    assert visitor_of(SIGNER, TOKEN, 8) is None


def test_a_token_of_an_older_secret_proves_nothing() -> None:
    assert visitor_of(Signer(b"quite another secret, as long"), TOKEN, 7) is None


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        "vt_",
        "vt_.",
        ANA,
        f"vt_{ANA}",
        f"vt_{ANA}.",
        TOKEN[:-1],
        TOKEN + "A",
        TOKEN + "=",
        TOKEN + ".x",
        TOKEN.upper(),
        TOKEN.removeprefix("vt_"),
        f"vt_{new_id('vis', 7, AT)}.{TOKEN.partition('.')[2]}",
        issue(SIGNER, new_id("prod", 7, AT)),
        TOKEN.replace(".", "\ud800"),
        f"vt_{ANA}." + "\ud800" * 22,
        f"vt_{ANA}." + "é" * 22,
    ],
    ids=lambda _: "token",
)
def test_what_is_no_token_of_ours_proves_nothing(token: str | None) -> None:
    assert visitor_of(SIGNER, token, 7) is None


@pytest.mark.parametrize(
    ("headers", "no"),
    [
        ({"sec-gpc": "1"}, True),
        ({"dnt": "1"}, True),
        ({"dnt": " 1 "}, True),
        ({"dnt": "0", "sec-gpc": "0"}, False),
        ({"sec-gpc": "true"}, False),
        ({}, False),
    ],
)
def test_a_browser_says_no_by_global_privacy_control_or_do_not_track(headers: dict[str, str], no: bool) -> None:
    assert no == says_no(headers)
