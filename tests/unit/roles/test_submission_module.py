"""The module that reads a student's capture, where a real file cannot show it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from tests.support.loading import load

module = load("plugins/modules/lab_collect_submission_info.py")


class Endless(io.RawIOBase):
    """A file without an end; it counts what is read."""

    count = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert 0 < size <= 1 << 20
        self.count += size
        return bytes(size)


@pytest.mark.parametrize("limit", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_no_more_than_the_limit_is_read_of_a_file_without_an_end(limit: int) -> None:
    file = Endless()
    assert len(module.read_up_to(file, limit)) == limit
    assert file.count == limit


def test_a_file_that_takes_anothers_place_after_it_was_found_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes(b"mine")
    candidates = module.candidates([str(file)])
    file.unlink()
    file.symlink_to("/etc/hostname")
    monkeypatch.setattr(module, "candidates", lambda _: candidates)
    told = module.submission([str(file)], 1 << 20, None, True)
    assert told["taken"] is None
    assert told["passed_over"] == [{"path": str(file), "why": "is a symbolic link"}]


def test_a_name_that_changes_hands_while_it_is_opened_is_read_as_it_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes(b"mine")
    check = module.must_be_acceptable

    def check_and_swap(parts: tuple[str, ...], status: os.stat_result) -> None:
        check(parts, status)
        file.rename(tmp_path / "moved")
        file.write_bytes(b"another's")

    monkeypatch.setattr(module, "must_be_acceptable", check_and_swap)
    data, _ = module.read(tuple(str(file).strip("/").split("/")), 1 << 20)
    assert data == b"mine"


@pytest.mark.parametrize("grown", [b"", b"x"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    grown: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "upcall.pcap"
    path.write_bytes(b"mine")
    read = module.read_up_to

    def read_and_change(file: io.FileIO, limit: int) -> bytes:
        data: bytes = read(file, limit)
        with path.open("ab") as writer:
            writer.write(grown)
        os.utime(path, (0, 0))
        return data + grown

    monkeypatch.setattr(module, "read_up_to", read_and_change)
    with pytest.raises(module.RefusedError, match="changes while it is read"):
        module.read(tuple(str(path).strip("/").split("/")), 1 << 20)


def test_names_are_matched_as_in_a_shell(tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1", ".a1", "a[1]", "a10"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "upcall.pcap").write_bytes(b"x")

    def matched(pattern: str) -> set[str]:
        candidates, _ = module.candidates([f"{tmp_path}/{pattern}/upcall.pcap"])
        return {parts[-2] for _, parts in candidates}

    assert matched("*") == {"a1", "a2", "b1", "a[1]", "a10"}
    assert matched("a?") == {"a1", "a2"}
    assert matched("a[1]*") == {"a[1]"}
    assert matched("a[1]") == {"a[1]"}
    assert matched(".a*") == {".a1"}
    assert matched("c*") == set()


def test_passed_over_files_are_counted_and_the_first_named(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}").mkdir()
        os.mkfifo(tmp_path / f"{number:02}" / "upcall.pcap")
    told = module.submission([f"{tmp_path}/*/upcall.pcap"], 1 << 20, None, True)
    assert len(told["passed_over"]) == 16
    assert told["passed_over_count"] == 30
