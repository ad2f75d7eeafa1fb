"""Hostile text, escaped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.text.hostile import HOSTILE, raw
from upcall_text.plain import escape_unprintable


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_text_is_escaped(what: str) -> None:
    assert raw(HOSTILE[what], allowed="")
    assert raw(escape_unprintable(HOSTILE[what]), allowed="") == []


@given(st.text(alphabet=st.characters()))
def test_so_is_any_other(text: str) -> None:
    assert raw(escape_unprintable(text), allowed="") == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\tb\r", r"a\n\tb\r"),
        ("\x1b[2J\x9b\u202e\U000e0001", r"\x1b[2J\x9b\u202e\U000e0001"),
        ("\ud800 \udcff", r"\ud800 \xff"),
        ("e\u0301\u0301\u0301", "e\u0301\u0301\\u0301"),
        ("\u0301e", "\\u0301e"),
        ("\u3164\u2764\ufe0f", "\\u3164\u2764\\ufe0f"),
    ],
)
def test_each_escape_is_that_of_python(text: str, shown: str) -> None:
    assert escape_unprintable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "Sari Dewi", "Zo\u00eb", "Nguy\u1ec5n", "\u5f20\u4f1f", "\u2600 \\ ' \"", "a  b"]
)
def test_what_prints_as_itself_stays(text: str) -> None:
    assert escape_unprintable(text) == text


def test_a_long_text_is_cut() -> None:
    assert escape_unprintable("abcdef", 6) == "abcdef"
    assert escape_unprintable("abcdefg", 6) == "abcde…"
    assert escape_unprintable("\n" * 7, 6) == "\\n" * 5 + "…"


def test_lines_are_kept_where_they_are_wanted() -> None:
    assert escape_unprintable("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"
