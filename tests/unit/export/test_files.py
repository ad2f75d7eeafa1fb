"""The files as they are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.export.building import SARI, STRANGER, assessment, graded
from upcall_grader.export import grades_json
from upcall_grader.export.files import write_exports

ROSTER = assessment(graded(SARI), graded(STRANGER))
NO_ROSTER = assessment(graded(STRANGER))
ALWAYS = {"grades.csv", "grades.json", "grades.schema.json"}


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_they_are_for_their_owner_alone_and_the_same_again_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "new" / "grades"
    assert write_exports(ROSTER, out, "en")
    first = content(out)
    assert set(first) == ALWAYS | {"moodle.csv", "canvas.csv"}
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert out.stat().st_mode & 0o777 == 0o700
    assert first["grades.schema.json"] == grades_json.schema()
    assert json.loads(first["grades.json"])["language"] == "en"

    times = {path: path.stat().st_mtime_ns for path in [out, *out.iterdir()]}
    assert not write_exports(ROSTER, out, "en")
    assert {path: path.stat().st_mtime_ns for path in [out, *out.iterdir()]} == times
    assert write_exports(ROSTER, tmp_path / "other", "en")
    assert content(tmp_path / "other") == first
    assert write_exports(ROSTER, out, "en", assignment="Lab 3")
    assert b"Lab 3" in (out / "moodle.csv").read_bytes()
    assert b"Lab 3" in (out / "canvas.csv").read_bytes()


def test_without_a_roster_there_is_nothing_to_import(tmp_path: Path) -> None:
    write_exports(ROSTER, tmp_path, "en")
    assert write_exports(NO_ROSTER, tmp_path, "en")
    assert set(content(tmp_path)) == ALWAYS


def test_what_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_exports(ROSTER, tmp_path, "en")
    before = content(tmp_path)

    def full(_file: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_exports(NO_ROSTER, tmp_path, "en")
    assert content(tmp_path) == before
