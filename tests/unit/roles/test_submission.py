"""Collecting a student's capture: what a hostile host answers, and what lies on the controller."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import typing as t
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail

from tests.support.loading import load

action = load("plugins/action/lab_collect_submission.py")

LIMIT = 1 << 16
DATA = b"what a student captured"


def packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def answer(data: bytes = DATA, **changed: t.Any) -> dict[str, t.Any]:
    """Return what an honest host answers, with parts of what was taken changed."""
    taken = {
        "path": "/home/sari/upcall.pcap",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "modified": 1_700_000_000,
        "owner": "sari",
        "content": packed(data),
    }
    return {"taken": taken | changed, "passed_over": [], "passed_over_count": 0}


def collect(
    said: t.Any,
    dest: Path,
    monkeypatch: pytest.MonkeyPatch,
    check: bool = False,
    student: str = "sari",
) -> dict[str, t.Any]:
    """Run the action once; the host, called seat-1, answers as given."""
    given = {
        "student": student,
        "alone": True,
        "patterns": ["/home/{student}/upcall.pcap"],
        "size_limit": LIMIT,
        "since": "",
        "timeout": 5,
        "dest": str(dest),
    }
    plugin = object.__new__(action.ActionModule)
    plugin._task = SimpleNamespace(check_mode=check)
    monkeypatch.setattr(action.ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(plugin, "validate_argument_spec", lambda **_: (None, given))
    monkeypatch.setattr(plugin, "_execute_module", lambda **_: said)
    return t.cast(dict[str, t.Any], plugin.run(None, {"inventory_hostname": "seat-1"}))


def test_an_honest_answer_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = collect(answer(), tmp_path / "captures", monkeypatch)
    own = tmp_path / "captures/submissions/sari"
    assert (result["changed"], result["collected"]) == (True, True)
    assert (own / "upcall.pcap").read_bytes() == DATA
    assert json.loads((own / "manifest.json").read_text())["modified"] == "2023-11-14T22:13:20Z"
    assert sorted(path.name for path in own.iterdir()) == ["manifest.json", "upcall.pcap"]


HOSTILE = {
    "nothing": {},
    "taken is no dict": answer() | {"taken": ["path"]},
    "taken is text": answer() | {"taken": "path"},
    "passed_over is no list": answer() | {"passed_over": {"path": "why"}},
    "passed_over holds text": answer() | {"passed_over": ["path"]},
    "passed_over_count is negative": answer() | {"passed_over_count": -1},
    "path is a number": answer(path=1),
    "owner is missing": answer() | {"taken": {"path": "/x"}},
    "size is true": answer(b"x", size=True),
    "size is text": answer(size="23"),
    "size is above the limit": answer(bytes(LIMIT + 1)),
    "size is less than what came": answer(size=1),
    "size is more than what came": answer(size=len(DATA) + 1),
    "modified is not finite": answer(modified=float("inf")),
    "modified is text": answer(modified="1970-01-01"),
    "sha256 is another": answer(sha256="0" * 64),
    "sha256 is none": answer(sha256="../../x"),
    "content is no base64": answer(content="\u202e***"),
    "content is not packed": answer(content=base64.b64encode(DATA).decode()),
    "content is cut off": answer(content=packed(DATA)[:8]),
    "content is a number": answer(content=4),
    "failed, with rc of no number": {"failed": True, "rc": [142], "msg": {"a": "b"}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_is_an_error_and_nothing_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = collect(HOSTILE[name], tmp_path / "captures", monkeypatch)
    assert result["error"].startswith("seat-1 gave no usable answer about sari: ")
    assert (result["collected"], result["changed"]) == (False, False)
    assert not (tmp_path / "captures").exists()


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []

    class Unpacker:
        def __init__(self) -> None:
            self._real = real()

        def decompress(self, data: bytes, most: int = 0) -> bytes:
            out: bytes = self._real.decompress(data, most)
            unpacked.append(len(out))
            return out

    real = zlib.decompressobj
    monkeypatch.setattr(action.zlib, "decompressobj", Unpacker)
    bomb = answer(content=packed(bytes(1 << 26)))
    with pytest.raises(ValueError, match="does not have 23 bytes"):
        action.read_answer(bomb, LIMIT, False)
    assert unpacked == [len(DATA) + 1]


def test_what_a_host_says_is_shortened_and_printable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = answer(path="/\x1b[2J\n" + "x" * 10_000, owner="\udcff\u202e")
    entry = {"path": "a\tb", "why": "\x9b" + "y" * 10_000}
    said |= {"passed_over": [entry] * 1000, "passed_over_count": 1000}
    result = collect(said, tmp_path, monkeypatch)
    written = (tmp_path / "submissions/sari/manifest.json").read_text()
    assert result["path"].startswith(r"/\x1b[2J\nxxx")
    assert result["owner"] == r"\xff\u202e"
    assert result["passed_over"][0]["path"] == r"a\tb"
    assert result["passed_over"][0]["why"].startswith(r"\x9byyy")
    assert len(written) < 16 * 1000
    assert len(result["passed_over"]) == 16
    assert result["passed_over_count"] == 1000


def test_only_what_was_checked_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = answer(more="x") | {"ansible_facts": {"a": 1}, "warnings": ["\x1b"], "changed": "x"}
    result = collect(said, tmp_path, monkeypatch)
    assert set(result) == {
        *("changed", "student", "collected", "path", "size", "sha256", "modified", "owner"),
        *("passed_over", "passed_over_count"),
    }


@pytest.mark.parametrize("status", [142, -14])
def test_a_module_that_ran_out_of_time_is_told_so(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"failed": True, "rc": status, "msg": "Module result deserialization failed."}
    error = collect(said, tmp_path, monkeypatch)["error"]
    assert "within 5 s. A file system that is mounted there may hang" in error


@pytest.mark.parametrize(
    "student", ["", ".", "..", "../x", "a/b", ".hidden", "-rf", "a b", "é", "a\n", "a" * 65]
)
def test_an_id_that_is_no_folder_name_is_refused(student: str) -> None:
    with pytest.raises(AnsibleActionFail, match="cannot be a student's id"):
        action.patterns_for(student, True, [])


@pytest.mark.parametrize("pattern", ["x", "", "/", "/a//b", "/a/../b", "/a/./b", "/a/"])
def test_a_pattern_that_is_no_plain_path_is_refused(pattern: str) -> None:
    with pytest.raises(AnsibleActionFail, match="is not an absolute path, or"):
        action.patterns_for("sari", True, [pattern])


def test_a_shared_host_is_searched_by_the_students_name_alone() -> None:
    patterns = ["/home/*/upcall.pcap", "/home/{student}/upcall.pcap"]
    assert action.patterns_for("sari", False, patterns) == ["/home/sari/upcall.pcap"]
    assert action.patterns_for("sari", True, patterns) == [patterns[0], "/home/sari/upcall.pcap"]


@pytest.mark.parametrize(
    "link",
    [
        "submissions",
        "submissions/sari",
        "submissions/sari/upcall.pcap",
        "submissions/sari/manifest.json",
        "submissions/sari/earlier",
    ],
)
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_in_the_destination_is_refused(
    link: str, dangling: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, captures = tmp_path / "elsewhere", tmp_path / "captures"
    is_file = link.endswith((".pcap", ".json"))
    if not dangling and is_file:
        elsewhere.write_bytes(DATA)
    elif not dangling:
        elsewhere.mkdir()
    (captures / link).parent.mkdir(parents=True)
    if link.endswith("earlier"):
        (captures / "submissions/sari/upcall.pcap").write_bytes(b"before")
    (captures / link).symlink_to(elsewhere)
    assert " is a symbolic link" in collect(answer(), captures, monkeypatch)["error"]
    assert elsewhere.exists() != dangling
    assert not is_file or dangling or elsewhere.read_bytes() == DATA
    assert is_file or dangling or not any(elsewhere.iterdir())
    assert not list(captures.rglob(".incoming-*"))


def test_captures_itself_may_be_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "captures").symlink_to("disk")
    collect(answer(), tmp_path / "captures", monkeypatch)
    assert (tmp_path / "disk/submissions/sari/upcall.pcap").read_bytes() == DATA


def test_only_the_owner_may_read_whatever_the_umask_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "captures/submissions").mkdir(parents=True, mode=0o755)
    before = os.umask(0)
    try:
        collect(answer(), tmp_path / "captures", monkeypatch)
    finally:
        os.umask(before)
    made = list((tmp_path / "captures").rglob("*"))
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}


def test_the_same_again_changes_nothing_and_another_keeps_the_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "submissions/sari"
    assert collect(answer(), tmp_path, monkeypatch, check=True)["changed"]
    assert not list(tmp_path.iterdir())
    assert collect(answer(), tmp_path, monkeypatch)["changed"]
    assert not collect(answer(), tmp_path, monkeypatch)["changed"]
    assert not collect(answer(), tmp_path, monkeypatch, check=True)["changed"]
    for data in (b"second", b"third"):
        assert collect(answer(data), tmp_path, monkeypatch, check=True)["changed"]
        assert collect(answer(data), tmp_path, monkeypatch)["changed"]
        assert (own / "upcall.pcap").read_bytes() == data
    earlier = [path.read_bytes() for path in (own / "earlier").glob("*/upcall.pcap")]
    assert sorted(earlier) == [b"second", DATA]
    assert len(list((own / "earlier").glob("*/manifest.json"))) == 2


def test_a_manifest_that_is_lost_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(answer(), tmp_path, monkeypatch)
    (tmp_path / "submissions/sari/manifest.json").write_text("{")
    assert collect(answer(), tmp_path, monkeypatch)["changed"]
    assert not collect(answer(), tmp_path, monkeypatch)["changed"]
    assert not (tmp_path / "submissions/sari/earlier").exists()


def test_in_check_mode_a_digest_must_look_like_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = collect(answer(sha256="../../x"), tmp_path, monkeypatch, check=True)
    assert "its SHA-256 is malformed" in result["error"]


def submissions(captures: Path) -> dict[str, tuple[bytes, str]]:
    """Return what counts of each student: the file, and whose it is by its manifest."""
    return {
        folder.name: (
            (folder / "upcall.pcap").read_bytes(),
            json.loads((folder / "manifest.json").read_text())["student"],
        )
        for folder in (captures / "submissions").iterdir()
    }


@pytest.mark.parametrize("before", [None, DATA, b"another"])
def test_a_file_that_was_collected_for_the_host_is_the_students(
    before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is not None:
        collect(answer(before), tmp_path, monkeypatch)
    # No roster: the host stands for its student.
    collect(answer(b"older"), tmp_path, monkeypatch, student="seat-1")
    collect(answer(), tmp_path, monkeypatch, student="seat-1")
    of_host = submissions(tmp_path)["seat-1"]
    assert of_host == (DATA, "seat-1")

    assert collect(answer(), tmp_path, monkeypatch, check=True)["changed"]
    assert submissions(tmp_path)["seat-1"] == of_host
    assert collect(answer(), tmp_path, monkeypatch)["changed"]
    assert submissions(tmp_path) == {"sari": (DATA, "sari")}
    kept = {path.read_bytes() for path in tmp_path.rglob("upcall.pcap")}
    assert kept == {DATA, b"older", before or DATA}
    assert not collect(answer(), tmp_path, monkeypatch, check=True)["changed"]
    assert not collect(answer(), tmp_path, monkeypatch)["changed"]


def test_another_file_of_the_host_and_another_students_stay_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(answer(b"another"), tmp_path, monkeypatch, student="seat-1")
    collect(answer(), tmp_path, monkeypatch)
    assert submissions(tmp_path) == {"seat-1": (b"another", "seat-1"), "sari": (DATA, "sari")}

    collect(answer(), tmp_path, monkeypatch, student="seat-1")
    manifest = tmp_path / "submissions/seat-1/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"student": "budi"}))
    collect(answer(), tmp_path, monkeypatch)
    assert submissions(tmp_path) == {"seat-1": (DATA, "budi"), "sari": (DATA, "sari")}


def test_a_link_in_the_place_of_the_hosts_folder_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(answer(), tmp_path / "elsewhere", monkeypatch, student="seat-1")
    (tmp_path / "submissions").mkdir()
    link = tmp_path / "submissions/seat-1"
    link.symlink_to(tmp_path / "elsewhere/submissions/seat-1")
    collect(answer(), tmp_path, monkeypatch)
    assert link.is_symlink()
    assert submissions(tmp_path)["sari"] == (DATA, "sari")
    assert submissions(tmp_path / "elsewhere") == {"seat-1": (DATA, "seat-1")}


@pytest.mark.parametrize(
    ("modified", "written"),
    [
        (-1, "1969-12-31T23:59:59Z"),
        (-315_619_200, "1960-01-01T00:00:00Z"),
        (-(10**30), "1000-01-01T00:00:00Z"),
        (10**30, "9999-12-31T23:59:59Z"),
    ],
)
def test_whatever_its_date_a_file_is_kept(
    modified: int, written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert collect(answer(modified=modified), tmp_path, monkeypatch)["collected"]
    manifest = json.loads((tmp_path / "submissions/sari/manifest.json").read_text())
    assert manifest["modified"] == written
