"""What a spreadsheet makes of a cell."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from upcall_text.cells import LONGEST, harmless, table

OPERATORS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"


@pytest.mark.parametrize(
    "text",
    [
        f"{before}{operator}1"
        for before in ("", " ", "\t", "\r\n", '"', " '\"")
        for operator in "=+-@"
    ]
    + [f"{operator}A1" for operator in OPERATORS]
    + ["\t=1", "\r=1", "\n@SUM(A1)"],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert harmless(text).startswith("'")


@pytest.mark.parametrize("separator", ",;|")
def test_nor_does_it_begin_in_the_middle_where_cells_are_divided_otherwise(separator: str) -> None:
    assert harmless(f"hello{separator} =1+1") == f"hello{separator}' =1+1"


@pytest.mark.parametrize(
    "text", ["", "-", "1", "Sari Dewi", "a=b", "it's", "2110001", "naïve … ok"]
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_cell_is_one_line_of_bounded_length_that_moves_no_cursor() -> None:
    assert harmless("a\nb\x1b[31m\u202ec\udcff") == "a\\nb\\x1b[31m\\u202ec\\xff"
    assert len(harmless("x" * (LONGEST + 1))) == LONGEST


@given(st.text())
@example("=\n1")
@example("\u2028=1")
def test_whatever_the_text_no_cell_begins_with_an_operator(text: str) -> None:
    (row,) = csv.reader(io.StringIO(table([[text, "end"]]).decode()))
    cell, end = row
    assert end == "end"
    assert cell.isprintable()
    assert len(cell) == 1 or cell.strip(" \"'")[:1] not in set(OPERATORS) or cell[0] == "'"


def test_numbers_stay_numbers() -> None:
    assert table([[100, -2.5, "-2.5"]]) == b"100,-2.5,'-2.5\n"
