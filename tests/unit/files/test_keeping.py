"""What was captured before moves away, and no link is followed."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from pathlib import Path

import pytest

from tests.support.loading import load
from upcall_files import keeping

store = load("plugins/action/lab_capture_store.py")
NEW = {"upcall.pcap": b"new", "manifest.json": b"{}", "server.log": b"", "client.log": b""}
MORNING = 1_795_851_000
OLD = {"mode": "exercise", "sha256": hashlib.sha256(b"old").hexdigest()}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    """Make a host's folder, with a scripted capture and a file of the instructor's."""
    folder = tmp_path / "captures" / "seat-01"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(OLD))
    for name in ("upcall.pcap", "notes.txt"):
        (folder / name).write_bytes(b"old")
    for file in folder.iterdir():
        os.utime(file, (MORNING, MORNING))
    return folder


def keep(dest: Path, mode: str = "exercise", complete: bool = True) -> tuple[Path, Path | None]:
    kept = store.keep(dest, NEW, mode, complete)
    return kept.folder, kept.earlier


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("mode", ["exercise", "watch"])
def test_a_session_moves_the_earlier_one_away(mode: str, dest: Path) -> None:
    assert keep(dest, mode) == (dest, dest / "earlier/2026-11-28T073000Z")
    assert names(dest) == {*NEW, "earlier", "notes.txt"}
    assert names(dest / "earlier/2026-11-28T073000Z") == {"upcall.pcap", "manifest.json"}
    assert (dest / "upcall.pcap").read_bytes() == b"new"
    assert (dest / "upcall.pcap").stat().st_mode & 0o777 == 0o600
    assert dest.stat().st_mode & 0o777 == 0o700


def test_the_second_of_a_second_gets_a_number(dest: Path) -> None:
    for number in ("", "-2", "-3"):
        os.utime(dest / "upcall.pcap", (MORNING, MORNING))
        assert keep(dest, "watch")[1] == dest / f"earlier/2026-11-28T073000Z{number}"


def test_the_first_session_moves_nothing(tmp_path: Path) -> None:
    dest = tmp_path / "captures" / "seat-02"
    assert keep(dest) == (dest, None)
    assert names(dest) == NEW.keys()


STUDENTS = {
    "watched": {"mode": "watch"},
    "laid there by hand": {"sha256": "0" * 64},
    "of an unknown kind": {"mode": "submission"},
    "without a manifest": None,
    "with a broken manifest": "{",
}


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_scripted_session_leaves_what_a_student_made(kind: str, dest: Path) -> None:
    told = STUDENTS[kind]
    manifest = dest / "manifest.json"
    manifest.write_text(json.dumps(OLD | told) if isinstance(told, dict) else str(told))
    if told is None:
        manifest.unlink()
    before = {file: file.read_bytes() for file in dest.iterdir()}
    scripted = dest / "scripted"
    assert keep(dest) == (scripted, None)
    assert names(scripted) == NEW.keys()
    os.utime(scripted / "upcall.pcap", (MORNING, MORNING))
    assert keep(dest) == (scripted, scripted / "earlier/2026-11-28T073000Z")
    assert {file: file.read_bytes() for file in dest.iterdir() if file.is_file()} == before
    # A student's next session is theirs as well.
    assert keep(dest, "watch") == (dest, dest / "earlier/2026-11-28T073000Z")
    assert (dest / "upcall.pcap").read_bytes() == b"new"


def test_an_incomplete_session_leaves_the_earlier_one(dest: Path) -> None:
    kept, earlier = keep(dest, complete=False)
    assert kept.parent == dest / "incomplete"
    assert names(kept) == NEW.keys()
    assert earlier is None
    assert (dest / "upcall.pcap").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["earlier", "upcall.pcap", "client.log", "."])
def test_a_link_is_not_followed(dest: Path, tmp_path: Path, name: str) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    link = dest / name
    if name == "upcall.pcap":
        link.unlink()
    if name == ".":
        dest.rename(tmp_path / "moved")
        link = dest
    link.symlink_to(aside)
    with pytest.raises(OSError, match="is a symbolic link"):
        keep(dest)
    assert names(aside) == set()
    if name != ".":
        assert not any(path.name.startswith(".incoming") for path in dest.iterdir())


def test_a_full_disk_leaves_the_earlier_one(dest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def write(own: int, name: str, data: bytes) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(name)
        really(own, name, data)

    really: t.Any = keeping.write
    monkeypatch.setattr(keeping, "write", write)
    with pytest.raises(OSError, match="No space left"):
        keep(dest)
    assert names(dest) == {"upcall.pcap", "manifest.json", "notes.txt"}
    assert (dest / "upcall.pcap").read_bytes() == b"old"
