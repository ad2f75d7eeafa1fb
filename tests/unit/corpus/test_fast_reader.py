"""The fast summary of a capture tells the same as the one packet by packet, or nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS
from tests.unit.corpus.test_bounds import SEGMENT, UNHURRIED
from tests.unit.grader import building as b
from upcall_grader.capture.reading import Capture, CaptureError
from upcall_grader.judge.capture_summary import summarize_capture
from upcall_grader.judge.check import Case
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.fast.reader import summarize_file
from upcall_grader.judge.ranking import ranked_by
from upcall_grader.lab import UPCALL

RANK = ranked_by(DEFAULT, partial(Case, port=UPCALL.port))
ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
FILES = {path.name: path.read_bytes() for path in sorted(CORPUS.glob("*.pcap*"))}
MUTANTS = {
    mutant.name: mutant.data
    for family in (m.harmful, m.harmless, m.foreign)
    for mutant in family(ORIGINAL)
}


def agree(data: bytes, path: Path) -> bool:
    """Compare the fast reader's result, and return whether there was one."""
    path.write_bytes(data)
    with path.open("rb", buffering=0) as stream:
        fast = summarize_file(stream.fileno(), UPCALL, RANK)
    if fast is None:
        return False
    with path.open("rb") as stream:
        assert fast == summarize_capture(Capture(stream), UPCALL, RANK)
    return True


@pytest.mark.parametrize("name", FILES)
def test_the_corpus(name: str, tmp_path: Path) -> None:
    agree(FILES[name], tmp_path / "upcall.pcap")


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutants(name: str, tmp_path: Path) -> None:
    agree(MUTANTS[name], tmp_path / "upcall.pcap")


def test_any_one_number_changed(tmp_path: Path) -> None:
    for place, packet in enumerate(ORIGINAL.packets):
        if packet.is_tcp:
            changed = [packet.seq(by) for by in (-1, 1)] + [packet.ack(by) for by in (-1, 1)]
            changed += [packet.flagged(packet.flags ^ 1 << bit) for bit in range(8)]
            for other in changed:
                agree(m.write(ORIGINAL.changed(place, other)), tmp_path / "upcall.pcap")


def test_it_tells_something_of_what_the_lab_makes(tmp_path: Path) -> None:
    usual = ("complete.pcap", "indonesian.pcap", "nanoseconds.pcap", "client-ctrl-c.pcap")
    assert all(agree(FILES[name], tmp_path / "upcall.pcap") for name in usual)
    told = sum(agree(data, tmp_path / "upcall.pcap") for data in MUTANTS.values())
    assert told > len(MUTANTS) * 0.8


def test_cut_off_at_every_offset(tmp_path: Path) -> None:
    whole = FILES["complete.pcap"]
    for size in range(24, len(whole)):
        agree(whole[:size], tmp_path / "upcall.pcap")


@UNHURRIED
@given(path=st.sampled_from(sorted(FILES)), changes=st.data())
def test_changed_bytes_anywhere(path: str, changes: st.DataObject, tmp_path: Path) -> None:
    data = bytearray(FILES[path])
    for _ in range(changes.draw(st.integers(1, 4))):
        place = changes.draw(st.integers(0, len(data)))
        data[place : place + 4] = changes.draw(st.binary(min_size=4, max_size=4))
    try:
        agree(bytes(data), tmp_path / "upcall.pcap")
    except CaptureError:
        pytest.fail("the fast one told something of what is no capture")


@UNHURRIED
@given(segments=st.lists(SEGMENT, max_size=30))
def test_segments_in_any_order_with_any_numbers(segments: list[bytes], tmp_path: Path) -> None:
    agree(b.pcap(b.frames(segments)), tmp_path / "upcall.pcap")


@UNHURRIED
@given(lost=st.sets(st.integers(0, len(ORIGINAL.packets) - 1)), twice=st.booleans())
def test_what_is_lost(lost: set[int], twice: bool, tmp_path: Path) -> None:
    packets = ORIGINAL.lost(*lost)
    again = [packet.later(b.SECOND) for packet in ORIGINAL.packets] if twice else []
    agree(m.write([*packets, *again]), tmp_path / "upcall.pcap")
