"""Wireshark's engine reads the corpus and all mutants, and has to see what the grader sees.

tshark needs long to start, so all mutants of a kind stand in one file, each with a client port of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS
from tests.unit.corpus.second_opinion import agree
from tests.unit.grader import building as b

ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
NO_CAPTURES = {"packed.pcap", "printed.pcap", "nothing.pcap"}
CAPTURES = sorted({path.name for path in CORPUS.glob("*.pcap*")} - NO_CAPTURES)


@pytest.mark.parametrize("name", CAPTURES)
def test_the_corpus(name: str) -> None:
    others = ("other-traffic.pcap", "ping.pcap", "cut-before-the-lab.pcap")
    nothing = name in ("header-only.pcap", *others)
    assert (agree(CORPUS / name).connections == 0) is nothing


def one_file(mutants: list[m.Mutant]) -> bytes:
    """Put all of them into one capture, an hour apart, each with its own client port."""
    return m.write(
        packet.later(number * 3600 * b.SECOND)
        for number, mutant in enumerate(mutants)
        for packet in m.with_client_port(mutant.packets, m.PORT_BASE + number)
    )


@pytest.mark.parametrize("family", [m.harmful, m.harmless])
def test_the_mutants(family: Callable[[m.Original], Iterator[m.Mutant]], tmp_path: Path) -> None:
    mutants = [mutant for mutant in family(ORIGINAL) if mutant.connections == 1]
    assert len(mutants) >= 50
    path = tmp_path / "mutants.pcap"
    path.write_bytes(one_file(mutants))
    assert agree(path, len(mutants)).connections == len(mutants)


@pytest.mark.parametrize("kind", m.resaved(ORIGINAL))
def test_every_form(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "form.pcap"
    path.write_bytes(m.resaved(ORIGINAL)[kind])
    assert agree(path).connections == 1
