"""What a run leaves that is ended at any of its steps: earlier results or its own, no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.judge.talks import exchange

TOP = Path(__file__).resolve().parents[3]


def steps(tmp_path: Path, *how: str) -> list[dict[str, object]]:
    place = tmp_path / "here"
    for name, messages in (("one", (b"1", b"2")), ("two", (b"another", b"message"))):
        (place / name).mkdir(parents=True)
        (place / name / f"{name}.pcap").write_bytes(exchange(*messages))
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.grade.interrupting", *how],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) > 30
    return found


@pytest.mark.parametrize("how", [("signal",), ("signal", "missing"), ("full",)])
def test_nothing_is_left_by_a_signal_or_a_full_disk(how: tuple[str, ...], tmp_path: Path) -> None:
    found = steps(tmp_path, *how)
    assert {one["status"] for one in found} == ({2} if how == ("full",) else {129, 130, 143})
    assert {one["shown"] for one in found} == ({"old"} if how == ("full",) else {"old", "new"})
    # The lock stays in the folder, where there is one; the earlier results here came without it.
    assert [one["left"] for one in found if one["left"] not in ([], ["out/.lock"])] == []
    if "missing" in how:
        assert {bool(one["left"]) for one in found if one["shown"] == "old"} == {False}


@pytest.mark.parametrize("how", [("kill",), ("kill", "no-exchange")])
def test_what_a_killed_run_leaves_the_next_one_removes(
    how: tuple[str, ...], tmp_path: Path
) -> None:
    found = steps(tmp_path, *how)
    assert {one["status"] for one in found} == {-9}
    shown = [one["shown"] for one in found]
    # Without an exchange in one step there is a moment without results, and none with some of both.
    assert shown.count([]) == ("no-exchange" in how)
    assert {one for one in shown if one != []} == {"old", "new"}
    assert any(one["left"] not in ([], ["out/.lock"]) for one in found)
    assert {(one["later"], str(one["later_left"])) for one in found} == {(True, "[]")}
