"""Hostile text, escaped."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.loading import load_utility
from tests.unit.text.hostile import HOSTILE, raw
from upcall_text import plain
from upcall_text.plain import escape_unprintable, instant


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


@pytest.mark.parametrize(
    ("seconds", "shown", "finer"),
    [
        (0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        (1_795_851_000.1239, "2026-11-28T07:30:00Z", "2026-11-28T07:30:00.123Z"),
        (-0.25, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.750Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_an_instant(seconds: float, shown: str, finer: str) -> None:
    assert instant(seconds) == shown
    assert instant(seconds, milliseconds=True) == finer
    assert datetime.datetime.fromisoformat(finer).timestamp() == pytest.approx(seconds, abs=0.001)


def test_lab_hosts_have_the_same() -> None:
    """What a module returns and what the controller prints are escaped alike."""
    theirs = load_utility("lab_text")
    assert Path(theirs.__file__).read_bytes() == Path(plain.__file__).read_bytes()
    for text in HOSTILE.values():
        assert theirs.escape_unprintable(text) == escape_unprintable(text)
