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


def written(out: Path, *words: str) -> dict[str, bytes]:
    out.mkdir()
    write_exports(ROSTER, out, "en", *words)
    return content(out)


def test_they_are_for_their_owner_alone_and_the_same_again_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    first = written(tmp_path / "first")
    assert set(first) == ALWAYS | {"moodle.csv", "canvas.csv"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "first").iterdir()} == {0o600}
    assert first["grades.schema.json"] == grades_json.schema()
    assert json.loads(first["grades.json"])["language"] == "en"

    assert written(tmp_path / "second") == first
    named = written(tmp_path / "named", "Lab 3")
    assert b"Lab 3" in named["moodle.csv"]
    assert b"Lab 3" in named["canvas.csv"]


def test_without_a_roster_there_is_nothing_to_import(tmp_path: Path) -> None:
    write_exports(NO_ROSTER, tmp_path, "en")
    assert set(content(tmp_path)) == ALWAYS


def test_they_overwrite_nothing(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (tmp_path / "grades.json").symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        write_exports(ROSTER, tmp_path, "en")
    assert (tmp_path / "elsewhere").read_bytes() == b"mine"
