"""The benchmark's arithmetic: medians, ratios, verdicts, and the table that tells them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import goals, machine, results, runner
from bench.grading import goals as grading
from bench.process import Measured
from bench.results import START_UP


def runs(*pairs: tuple[float, float]) -> list[Measured]:
    """Measured runs from their seconds and CPU seconds."""
    return [Measured(seconds, cpu, 0, "") for seconds, cpu in pairs]


# Medians: warm 3 s and 2 s of CPU, floor 1 s, the 48 names 12 s and 6.2 s of CPU.
ROUNDS = {
    START_UP: runs((0.5, 0.4)),
    goals.CONNECT: runs((0.3, 0.12)),
    goals.WARM: runs((3.0, 2.0), (99.0, 99.0), (2.0, 1.0)),
    goals.FLOOR: runs((1.0, 0.1), (0.5, 0.1), (4.0, 0.1)),
    goals.MANY: runs((12.0, 6.2)),
}
BY_FORMULA = {goal.formula: goal for goal in goals.GOALS}


def test_a_ratio_is_one_of_medians() -> None:
    assert BY_FORMULA["warm / floor"].figure(ROUNDS) == pytest.approx(3.0)


def test_the_most_memory_of_all_runs_counts() -> None:
    goal = next(goal for goal in grading.GOALS if goal.unit == "MB")
    large = [Measured(1, 1, 0, "", megabytes) for megabytes in (19.0, 23.5, 20.0)]
    assert goal.figure({grading.LARGE: large}) == pytest.approx(23.5)


def test_the_cpu_of_a_further_host() -> None:
    assert goals.cpu_of_a_further_host(ROUNDS) == pytest.approx((6.2 - 2.0) / 42)


@pytest.mark.parametrize(
    ("formula", "figure", "verdict"),
    [
        ("warm / floor", 3.0, "met"),
        ("warm / floor", 4.5, "**missed** by a factor of 1.50"),
        ("look-off / warm", 8.0, "met"),
        ("look-off / warm", 4.0, "**missed** by a factor of 2.00"),
    ],
)
def test_a_verdict_tells_by_how_much(formula: str, figure: float, verdict: str) -> None:
    assert BY_FORMULA[formula].verdict(figure) == verdict


def test_every_goal_of_the_project_is_there() -> None:
    bounds = {goal.formula: (goal.at_most, goal.bound) for goal in goals.GOALS}
    assert bounds == {
        "warm / floor": (True, 3.0),
        "warm / pyinfra": (True, 1.0),
        "look-off / warm": (False, 8.0),
        "capture / capture-ssh": (True, 6.0),
        "(CPU of warm-48 - CPU of warm) / 42": (True, 0.1),
        "warm-48 / warm": (True, 6.0),
    }


def test_every_goal_of_grading_is_there() -> None:
    bounds = {goal.formula: (goal.at_most, goal.bound) for goal in grading.GOALS}
    assert bounds == {
        "scapy / grade": (False, 8.0),
        "dpkt / grade-large": (False, 1.0),
        "memory of grade-large": (True, 64),
        "tshark / grade-pages": (False, 10.0),
    }


def test_each_round_begins_with_another_contestant() -> None:
    everyone = [runner.Contestant(name, "", []) for name in "abc"]
    rounds = ["".join(one.name for one in runner.order(everyone, number)) for number in range(4)]
    assert rounds == ["abc", "bca", "cab", "abc"]


def test_the_results_tell_figures_and_what_was_not_measured() -> None:
    text = results.markdown(
        results.Heading("Benchmark", "make bench", "Over SSH.\n"),
        goals.GOALS,
        ROUNDS,
        {goals.WARM: "ours"},
        {"Cores": "2"},
        results.Noise([0.01, 0.03, 0.02], (0.5, 1.0)),
    )
    lines = text.splitlines()
    assert (
        "| Warm site.yml without the capture, against the parallel-ssh floor | `warm / floor` |"
        " 3.00 times | at most 3 times | met |"
    ) in lines
    assert any("`warm / pyinfra` | not measured | at most 1 times |" in line for line in lines)
    assert "| `warm` | ours | 3.00 | 2.00 to 99.00 | 2.00 |" in lines
    assert "| Cores | 2 |" in lines
    assert "Before each process 2% of the CPU time was in use (median; largest 3%)." in lines
    assert "The load average was 0.50 at the start and 1.00 at the end." in lines


def test_a_missed_goal_is_explained_and_a_met_one_is_not() -> None:
    assert results.reasons(goals.GOALS, ROUNDS) == ""
    slow = {**ROUNDS, goals.WARM: runs((4.5, 2.0))}
    told = results.reasons(goals.GOALS, slow)
    assert (
        "parallel-ssh floor: Of `warm`'s 4.50 s, Ansible's start-up with no task takes 0.50 s"
        in told
    )
    assert "48 aliases" not in told


def test_a_contestant_that_failed_or_had_work_to_do_does_not_count(tmp_path: Path) -> None:
    warm = runner.Contestant("warm", "", [], unwanted=r"^changed: \[")
    assert warm.trouble(0, "ok: [bench-1]\n", tmp_path) == ""
    assert "status 2" in warm.trouble(2, "fatal: [bench-1]\n", tmp_path)
    assert "changed something" in warm.trouble(0, "ok: [bench-2]\nchanged: [bench-1]\n", tmp_path)
    session = runner.Contestant("capture", "", [], captures=6)
    assert "did not bring 6 captures" in session.trouble(0, "", tmp_path)
    graded = runner.Contestant("grade", "", [], says="6 graded")
    assert graded.trouble(0, "6 submissions: 6 graded\n", tmp_path) == ""
    assert "did not say '6 graded'" in graded.trouble(0, "6 submissions: 5 graded\n", tmp_path)


def test_cpu_time_of_what_a_process_leaves_behind_is_counted(tmp_path: Path) -> None:
    # In a process of its own, because adopting orphans cannot be taken back. The command leaves a
    # child behind that burns 0.3 s of CPU, then says so, and would stay for a minute.
    burn = (
        "import os, sys, time\n"
        "if os.fork():\n"
        "    while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
        "    os._exit(0)\n"
        "os.setsid()\n"
        "while time.process_time() < 0.3: pass\n"
        "open(sys.argv[1], 'w').close()\n"
        "time.sleep(60)\n"
    )
    code = (
        "import sys\n"
        "from bench.process import adopt, measure\n"
        "adopt()\n"
        f"print(measure([sys.executable, '-c', {burn!r}, sys.argv[1]], {{}}, 30).cpu)\n"
    )
    outer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "burnt")],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert float(outer.stdout) >= 0.3


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("print('1.2'); print('you are root', file=sys.stderr)", "1.2"),
        ("print('1.2', file=sys.stderr)", "1.2"),
        ("", "not there"),
    ],
)
def test_a_version_is_what_the_program_says_and_no_warning(program: str, expected: str) -> None:
    assert machine.said([sys.executable, "-c", f"import sys; {program}"]) == expected
