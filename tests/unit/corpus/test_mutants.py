"""Every mutant of a complete capture costs what it says, and nothing else."""

from __future__ import annotations

import pytest

from tests.unit.corpus import mutants as m
from tests.unit.corpus.judging import (
    COMPLETE,
    IDS,
    MET,
    Judge,
    failed,
    gist,
    judge_path,
    statuses,
)
from upcall_grader.judge.results import Verdict

ORIGINAL = m.Original(m.read(COMPLETE.read_bytes()))
HARMFUL = {mutant.name: mutant for mutant in m.harmful(ORIGINAL)}
HARMLESS = {mutant.name: mutant for mutant in m.harmless(ORIGINAL)}
FOREIGN = {mutant.name: mutant for mutant in m.foreign(ORIGINAL)}
RESAVED = m.resaved(ORIGINAL)
LAST = 200
"""Bytes at the end of a file, at each of which it is cut off."""


def test_the_original_meets_every_criterion() -> None:
    submission = judge_path(COMPLETE)
    assert statuses(submission) == MET
    assert (submission.verdict, submission.points) == (Verdict.GRADED, 100)
    assert [mutant.data for mutant in [m.Mutant("none", ORIGINAL.packets)]] == [
        COMPLETE.read_bytes()
    ]


def test_every_criterion_has_a_mutant_that_fails_it_alone() -> None:
    alone = {mutant.costs[0] for mutant in HARMFUL.values() if len(mutant.costs) == 1}
    # Without traffic nothing else can be seen.
    assert alone == set(IDS) - {"traffic"}
    assert {mutant.costs for mutant in FOREIGN.values()} == {("traffic",)}


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_costs_its_criteria_and_no_other(name: str, judge: Judge) -> None:
    mutant = HARMFUL[name]
    submission = judge(mutant.data)
    assert failed(submission) == mutant.costs
    ended = {statuses(submission)[criterion] for criterion in mutant.costs}
    if mutant.status:
        assert ended == {mutant.status}
    hidden = "not-observable" in ended
    assert submission.verdict is (Verdict.RECAPTURE if hidden else Verdict.GRADED)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_changes_no_judgement(name: str, judge: Judge) -> None:
    submission = judge(HARMLESS[name].data)
    assert statuses(submission) == MET
    exchanges = gist(judge_path(COMPLETE)).exchanges
    assert gist(submission).exchanges[: len(exchanges)] == exchanges


@pytest.mark.parametrize("name", FOREIGN)
def test_without_the_labs_traffic_nothing_is_held_against_the_rest(name: str, judge: Judge) -> None:
    submission = judge(FOREIGN[name].data)
    ended = statuses(submission)
    assert ended.pop("traffic") == "not-met"
    assert set(ended.values()) == {"not-observable"}
    assert submission.verdict in (Verdict.WRONG_LAB, Verdict.RECAPTURE)


@pytest.mark.parametrize("name", RESAVED)
def test_another_form_changes_nothing(name: str, judge: Judge) -> None:
    assert gist(judge(RESAVED[name])) == gist(judge_path(COMPLETE))


def test_a_cut_at_any_offset_loses_nothing_before_it(judge: Judge) -> None:
    whole = m.write(ORIGINAL.packets)
    ends = [24]
    for packet in ORIGINAL.packets:
        ends.append(ends[-1] + 16 + len(packet.data))
    assert ends[-1] == len(whole)
    for size in range(len(whole) - LAST, len(whole)):
        kept = sum(end <= size for end in ends[1:])
        submission = judge(whole[:size])
        assert submission.packets == kept
        # As if the file had ended in front of the record that is cut.
        assert gist(submission) == gist(judge(m.write(ORIGINAL.packets[:kept])))
        assert "not-met" not in statuses(submission).values(), size
        assert statuses(submission)["handshake"] == "met"
        damaged = [remark for remark in submission.remarks if remark.code == "damage"]
        assert len(damaged) == (0 if size in ends else 1)


@pytest.mark.parametrize("kind", ["pcapng <", "pcapng >", "cooked v2", "fragments"])
def test_a_cut_of_another_form_never_costs_points_in_silence(kind: str, judge: Judge) -> None:
    whole = RESAVED[kind]
    for size in range(len(whole) - LAST, len(whole)):
        submission = judge(whole[:size])
        assert "not-met" not in statuses(submission).values(), size
        assert statuses(submission)["handshake"] == "met"


@pytest.mark.parametrize("length", range(54, 93))
def test_a_snap_length_hides_texts_and_costs_no_points_in_silence(
    length: int, judge: Judge
) -> None:
    submission = judge(m.snapped(ORIGINAL, length))
    ended = statuses(submission)
    assert "not-met" not in ended.values()
    for criterion in ("traffic", "handshake", "close", "no-reset"):
        assert ended[criterion] == "met"
    longest = max(len(packet.data) for packet in ORIGINAL.packets)
    assert (ended["upcalls"] == "met") is (length >= longest)
