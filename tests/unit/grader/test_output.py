"""What the commands come to where their output or their messages cannot be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.corpus.judging import CORPUS

COMMANDS = {
    "show": (["upcall-show", "complete.pcap"], 0),
    "show --check": (["upcall-show", "--check", "complete.pcap"], 0),
    "show --check, incomplete": (["upcall-show", "--check", "reset.pcap"], 1),
    "show, unreadable": (["upcall-show", "nowhere.pcap"], 2),
    "show, wrong": (["upcall-show", "--wrong"], 2),
    "grade": (["upcall-grade", "folder", "--out", "out"], 0),
    "grade, to look at": (["upcall-grade", "looked-at", "--out", "out"], 1),
    "grade, nothing": (["upcall-grade", "nowhere"], 2),
    "rubric": (["upcall-grade", "rubric"], 0),
}
CLOSED = {
    "output": ">&-",
    "messages": "2>&-",
    "full messages": "2>/dev/full",
    "both": ">&- 2>&-",
    "output, full messages": ">&- 2>/dev/full",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("complete", "reset", "mid-stream"):
        shutil.copy(CORPUS / f"{name}.pcap", tmp_path)
    for folder, name in (("folder", "complete"), ("looked-at", "mid-stream")):
        (tmp_path / folder).mkdir()
        shutil.copy(CORPUS / f"{name}.pcap", tmp_path / folder)
    return tmp_path


def ended(
    command: list[str], place: Path, streams: str = "", stdout: int = subprocess.PIPE
) -> tuple[int, str]:
    """Return a command's exit status, and what it says to both of its streams."""
    name, *words = command
    program = str(Path(sys.executable).with_name(name))
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {streams}', program, *words],
        cwd=place,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout or "") + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("closed", CLOSED)
def test_what_is_closed_changes_nothing(closed: str, name: str, place: Path) -> None:
    command, status = COMMANDS[name]
    result, said = ended(command, place, CLOSED[closed])
    assert result == status
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert (place / "out" / "grades.json").exists() is ("out" in command)


@pytest.mark.parametrize("name", COMMANDS)
def test_who_has_read_enough_is_no_failure(name: str, place: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command, status = COMMANDS[name]
    result, said = ended(command, place, stdout=writer)
    os.close(writer)
    assert (result, status == 2 or said == "") == (status, True)
    assert "Traceback" not in said
    assert (place / "out" / "grades.json").exists() is ("out" in command)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_told_and_the_results_are_there(name: str, place: Path) -> None:
    command, status = COMMANDS[name]
    result, said = ended(command, place, ">/dev/full")
    assert result == 2
    assert "Traceback" not in said
    if status != 2:
        told = f"{command[0]}: its output: No space left on device; make room"
        assert said.startswith(told)
        assert said.endswith("(docs/troubles.md#cannot-be-written)\n")
    assert (place / "out" / "grades.json").exists() is ("out" in command)
