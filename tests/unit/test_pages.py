"""A cursor leads on in its own list, and anything else is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import Invalid
from app.kernel.http.pages import decode_cursor, encode_cursor
from app.kernel.ids import new_id


@given(st.integers(0, 32**8 - 1))
def test_a_cursor_keeps_its_position(merchant: int) -> None:
    position = new_id("prod", merchant, datetime(2026, 1, 1, tzinfo=UTC))
    assert position == decode_cursor(encode_cursor(position))


@given(st.text(max_size=200))
def test_what_we_did_not_give_is_no_cursor(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_cursor(text)
    assert ["cursor"] == [error.pointer for error in refused.value.errors]


@pytest.mark.parametrize("position", ["", "\x00", "prod_", "' OR 1=1 --", "prod_" + "0" * 31])
def test_a_cursor_that_holds_something_else_is_refused(position: str) -> None:
    with pytest.raises(Invalid):
        decode_cursor(encode_cursor(position))
