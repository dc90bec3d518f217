"""A report's rows can be opened in a spreadsheet and read by a program."""

import csv
import io
import json

import pytest

from app.reports.formats import Cell, to_csv, to_ndjson


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("https://evil.example")']
)
def test_text_that_a_spreadsheet_would_run_is_only_shown(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(to_csv(["network"], [{"network": text}]), newline=""))
    assert [f"'{text}"] == row


@pytest.mark.parametrize("cell", ["whatsapp", "(none)", 'say "hi"', "a,b", "a\nb", "日本語", "", "1=1"])
def test_other_text_is_as_it_is(cell: str) -> None:
    (_, row) = csv.reader(io.StringIO(to_csv(["network"], [{"network": cell}]), newline=""))
    assert [cell] == row


def test_numbers_stay_numbers_below_zero_too() -> None:
    assert to_csv(["net", "share"], [{"net": -5, "share": -0.5}, {"net": 0, "share": None}]) == (
        "net,share\r\n-5,-0.5\r\n0,\r\n"
    )


def test_columns_come_in_the_order_asked() -> None:
    assert to_csv(["b", "a"], [{"a": 1, "b": 2}]) == "b,a\r\n2,1\r\n"


def test_ndjson_has_one_object_a_line() -> None:
    rows: list[dict[str, Cell]] = [{"network": "a\nb", "net": 1}, {"network": "é", "net": -2}]
    assert rows == [json.loads(line) for line in to_ndjson(rows).splitlines()]
    assert to_ndjson([]) == ""
