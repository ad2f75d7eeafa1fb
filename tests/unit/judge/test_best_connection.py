"""Which of a capture's connections is judged."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import COMPLETE, CORPUS
from tests.unit.grader import building as b
from tests.unit.judge.talks import judged, talk
from upcall_grader.capture import connections
from upcall_grader.capture.formats import PCAP_LAYOUTS, PCAPNG_MAGIC
from upcall_grader.capture.reading import Capture
from upcall_grader.judge.capture_summary import (
    MAX_EXCHANGES,
    CaptureSummary,
    summarize_capture,
)
from upcall_grader.judge.check import Case
from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.criteria import is_met
from upcall_grader.judge.parameters import Parameters
from upcall_grader.judge.rubric import Criterion
from upcall_grader.judge.tokens import token
from upcall_grader.lab import UPCALL

ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
CAPTURES = {path.name: path.read_bytes() for path in sorted(CORPUS.glob("*.pcap*"))}
MUTANTS = {
    mutant.name: mutant.data
    for family in (m.harmful, m.harmless, m.foreign)
    for mutant in family(ORIGINAL)
}
FILES = {
    name: data
    for name, data in (CAPTURES | MUTANTS).items()
    if data[:4] in (*PCAP_LAYOUTS, PCAPNG_MAGIC)
}
PARAMETERS: dict[str, Parameters] = {
    "window": {"from": "2020-01-01T00:00:00+00:00", "to": "2040-01-01T00:00:00+00:00"},
    "network": {"networks": ("172.16.0.0/12",)},
}


def parameters(name: str) -> Parameters:
    """Return parameters for a check: those above, or what it names itself."""
    named = CHECKS[name].parameters.items()
    examples = {key: one.read(one.example) for key, one in named if one.default is None}
    return PARAMETERS.get(name, {**CHECKS[name].defaults, **examples})


CRITERIA = [Criterion(name, name, 1.0, {}, parameters(name)) for name in CHECKS]


def number_judged(folder: Path, packets: list[bytes], *criteria_in_yaml: str) -> int:
    found = judged(folder, b.frames(packets), *criteria_in_yaml)
    assert found.conversation is not None
    return found.conversation.number


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("dropped", [0, 1])
def test_no_later_packet_decides_whether_a_connection_meets_a_criterion(
    name: str, dropped: int, tmp_path: Path
) -> None:
    path, ended = tmp_path / "upcall.pcap", []

    def rank(connection: ConnectionSummary) -> tuple[float, int]:
        ended.append(connection)
        return 0.0, 0

    path.write_bytes(FILES[name])
    with path.open("rb") as stream:
        whole = summarize_capture(Capture(stream), UPCALL, rank)
    case_of = partial(Case, port=UPCALL.port, dropped=dropped)
    for connection in ended:
        for criterion in CRITERIA:
            if not CHECKS[criterion.check].of_the_file:
                alone = is_met(criterion, case_of(CaptureSummary(), connection))
                assert alone is is_met(criterion, case_of(whole, connection)), criterion.id


BYE_FIRST = [
    *talk(1).open().close().packets,
    *talk(2).open().say(b"1", b"2").c(b.RST | b.ACK).packets,
]


def test_points_decide_not_how_orderly_it_looks(tmp_path: Path) -> None:
    found = judged(tmp_path, b.frames(BYE_FIRST))
    alone = judged(tmp_path, b.frames(talk(2).open().say(b"1", b"2").c(b.RST | b.ACK).packets))
    assert found.points == alone.points == 75
    assert found.conversation is not None
    assert found.conversation.number == 2


@pytest.mark.parametrize(("worth", "number"), [((25, 20, 1), 1), ((1, 1, 40), 2)])
def test_the_rubrics_own_points_decide(
    worth: tuple[int, int, int], number: int, tmp_path: Path
) -> None:
    close, reset, upcalls = worth
    told = (
        f"{{id: close, points: {close}}}",
        f"{{id: no-reset, points: {reset}}}",
        f"{{id: upcalls, points: {upcalls}}}",
    )
    assert number_judged(tmp_path, BYE_FIRST, *told) == number


def test_of_as_many_points_the_one_with_more_answered_messages(tmp_path: Path) -> None:
    two, three = [b"1", b"2"], [b"1", b"2", b"3"]
    wire = [
        packet
        for number, messages in enumerate((two, three, three))
        for packet in talk(number).open().say(*messages).close().packets
    ]
    assert number_judged(tmp_path, wire) == 2


def test_of_as_good_ones_the_one_that_began_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that the second one, which ends first, is ranked first.
    monkeypatch.setattr(connections, "LINGERING", 0)
    first, second = talk(1).open(), talk(2).open().say(b"1", b"2").close()
    opening = list(first.packets)
    wire = [*opening, *second.packets, *first.say(b"1", b"2").close().packets[len(opening) :]]
    assert number_judged(tmp_path, wire) == 1


def test_points_are_summed_as_they_are_told(tmp_path: Path) -> None:
    # 0.1 + 0.2 is more than 0.3, as a float.
    told = tuple(
        f"{{id: {name}, points: {points}}}"
        for name, points in (("close", 0.1), ("no-reset", 0.2), ("upcalls", 0.3))
    )
    wire = [
        *talk(1).open().close().packets,
        *talk(2).open().say(b"1").c(b.RST | b.ACK).packets,
    ]
    assert number_judged(tmp_path, wire, *told) == 2


TOKEN = token(b"a secret of the class", "2110001").encode()


def test_a_token_typed_elsewhere_takes_nothing_from_the_best(tmp_path: Path) -> None:
    wire = [*talk(1).open().say(TOKEN).packets, *talk(2).open().say(b"1").close().packets]
    found = judged(tmp_path, b.frames(wire), "{id: token, points: 60}", "{id: close, points: 40}")
    assert found.points == 100


def test_a_token_may_be_behind_the_exchanges_that_are_listed(tmp_path: Path) -> None:
    wire = [
        *talk(1).open().say(*[b"1"] * (MAX_EXCHANGES + 1)).close().packets,
        *talk(2).open().say(TOKEN).close().packets,
    ]
    found = judged(tmp_path, b.frames(wire), "{id: token, points: 1}")
    assert [one.remark.code for one in found.judgements] == ["token-unseen"]
