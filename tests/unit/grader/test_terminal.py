"""Hostile text on a terminal."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upcall_grader.terminal import Painter, quoted, wants_colour, width


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"1", '"1"'),
        (b"\x1b[2J\x07", r'"\x1b[2J\x07"'),
        ("\u202eabc\u2066".encode(), r'"\u202eabc\u2066"'),
        ("\x9b31m".encode(), r'"\x9b31m"'),
        (b"\xff\xfe", r'"\xff\xfe"'),
        (b'a\n\t"\\', r'"a\n\t"\"'),
        ("\u2028\u200b\ue000".encode(), r'"\u2028\u200b\ue000"'),
        ("selamat \u2600".encode(), '"selamat \u2600"'),
        ("e\u0301\u0301\u0301\u0301".encode(), '"e\u0301\u0301\\u0301\\u0301"'),
    ],
)
def test_quoted(data: bytes, shown: str) -> None:
    assert quoted(data, 80) == shown


def test_cut_text_counts_what_was_left_out() -> None:
    shown = quoted(b"x" * 1000, 40)
    kept = shown.count("x")
    assert shown == f'"{"x" * kept}…" +{1000 - kept} bytes'
    assert 20 < len(shown) <= 40


@given(
    st.one_of(
        st.binary(max_size=200), st.text(max_size=100).map(lambda t: t.encode(errors="replace"))
    ),
    st.integers(24, 90),
)
def test_nothing_that_a_terminal_obeys_comes_through(data: bytes, columns: int) -> None:
    shown = quoted(data, columns)
    assert not [c for c in shown if unicodedata.category(c)[0] in "CZ" and c != " "]
    assert width(shown) <= columns


def test_colour_choice() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert wants_colour("auto", Terminal(), {})
    assert not wants_colour("auto", Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour("auto", Terminal(), {"TERM": "dumb"})
    assert not wants_colour("auto", io.StringIO(), {})
    assert wants_colour("always", io.StringIO(), {"NO_COLOR": "1"})
    assert not wants_colour("never", Terminal(), {})
    assert Painter(False)("bad", "x") == "x"
    assert Painter(True)("bad", "x") == "\x1b[1;31mx\x1b[0m"
