"""Form encoding with nested brackets."""

import pytest

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.form import decode
from app.demo.stripe.parameters.values import FormValue


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        ("", {}),
        ("a=1&b=", {"a": "1", "b": ""}),
        ("a=1&a=2", {"a": "2"}),
        ("a[b][c]=1&a[b][d]=2", {"a": {"b": {"c": "1", "d": "2"}}}),
        ("expand[]=x&expand[]=y", {"expand": ["x", "y"]}),
        ("items[0][price]=1&items[1][price]=2", {"items": {"0": {"price": "1"}, "1": {"price": "2"}}}),
        ("i[][p][c]=1&i[][p][d]=2&i[][p][c]=3", {"i": [{"p": {"c": "1", "d": "2"}}, {"p": {"c": "3"}}]}),
        ("metadata%5Bk%C3%A9y%5D=%F0%9F%8D%87+%26", {"metadata": {"kéy": "🍇 &"}}),
    ],
)
def test_brackets_become_nested_fields(encoded: str, decoded: dict[str, FormValue]) -> None:
    assert decoded == decode(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        "a=1&a[b]=2",
        "a[b]=1&a=2",
        "a[]=1&a[b]=2",
        "a[b]=1&a[]=2",
        "a[b=1",
        "[a]=1",
        "a]b=1",
        "=1",
        "a=%ff",
        "a" + "[b]" * 12 + "=1",
        "&".join(f"a{n}=1" for n in range(5001)),
    ],
)
def test_what_cannot_be_read_is_refused(encoded: str) -> None:
    with pytest.raises(StripeProblem):
        decode(encoded)
