"""A folder of results that is exchanged as a whole."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from upcall_files import whole

OURS = {"a", "report"}


def put(folder: Path, text: str, page: str = "index.html") -> bool:
    def fill(new: Path) -> None:
        whole.save(new / "a", text.encode())
        whole.make_folder(new / "report")
        whole.save(new / "report" / page, text.encode())

    with whole.alone(folder, OURS, pytest.fail):
        return whole.replace_folder(folder, OURS, fill)


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_earlier_files_go_and_those_of_somebody_else_stay(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out"
    assert put(folder, "old", "stale.html")
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis").write_text("years of work")
    (folder / "link").symlink_to("nowhere")
    assert put(folder, "new")
    told = {"a": "new", "report/index.html": "new", "mine/thesis": "years of work", ".lock": ""}
    assert content(folder) == told
    assert (folder / "link").is_symlink()
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_the_same_again_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert put(folder, "same")
    before = {path: path.stat() for path in (folder, folder / "a", folder / "report")}
    assert not put(folder, "same")
    assert {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
        for path, stat in before.items()
    } == dict.fromkeys(before, True)
    assert put(folder, "another")


@pytest.mark.parametrize("umask", [0, 0o777])
def test_all_of_it_is_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "out"
    put(folder, "same")
    before = os.umask(umask)
    try:
        for path in (folder, folder / "report", folder / "a", folder / ".lock"):
            path.chmod(0o777)
        # The files are the same, and they are others' to read: that is no result to leave.
        assert put(folder, "same")
        put(tmp_path / "made", "x")
    finally:
        os.umask(before)
    for one in (folder, tmp_path / "made"):
        assert one.stat().st_mode & 0o777 == 0o700
        modes = {path.stat().st_mode & 0o777 for path in one.rglob("*") if path.is_file()}
        assert modes == {0o600}
        assert (one / "report").stat().st_mode & 0o777 == 0o700


def test_a_link_among_the_earlier_files_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "out", "old")
    (tmp_path / "out" / "a").unlink()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("mine")
    assert put(tmp_path / "out", "new")
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / "out" / "a").is_symlink()


def test_a_failure_leaves_the_earlier_files_and_nothing_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    put(folder, "old")

    def busy(_one: Path, other: Path) -> bool:
        raise OSError(errno.EBUSY, "busy", str(other))

    monkeypatch.setattr(whole, "_exchange_names", busy)
    with pytest.raises(OSError, match="busy"):
        put(folder, "new")
    with pytest.raises(OSError, match="busy"):
        put(tmp_path / "made", "new")
    assert content(folder) == {"a": "old", "report/index.html": "old", ".lock": ""}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_name_that_came_back_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    put(folder, "old")
    (folder / "notes").write_text("second")
    # As a killed run left it.
    (tmp_path / ".out.upcall-grade").mkdir()
    (tmp_path / ".out.upcall-grade" / "notes").write_text("first")
    (tmp_path / ".out.upcall-grade" / "a").write_text("older")
    put(folder, "new")
    assert (content(folder)["notes"], content(folder)["notes~"]) == ("second", "first")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_link_beside_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("years of work")
    (tmp_path / ".out.upcall-grade").symlink_to("mine")
    with pytest.raises(FileExistsError):
        put(tmp_path / "out", "new")
    assert content(tmp_path / "mine") == {"thesis": "years of work"}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "folder"])
def test_a_lock_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "out"
    put(folder, "old")
    lock = folder / ".lock"
    lock.unlink()
    (tmp_path / "mine").write_text("years of work")
    if kind == "fifo":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        lock.symlink_to(tmp_path / ("mine" if kind == "link" else "gone"))
    with pytest.raises(whole.LockError, match="no regular file"):
        put(folder, "new")
    assert (tmp_path / "mine").read_text() == "years of work"
    assert not (tmp_path / "gone").exists()
    assert (folder / "a").read_text() == "old"


@pytest.mark.parametrize("exchange", [True, False])
def test_what_is_new_is_on_the_medium_before_what_is_old_goes(
    exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    watched = {"syncfs", "renameat2", "os.rename", "shutil.rmtree"}

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        name = str(arguments[1]) if event == "ctypes.dlsym" else event
        if name in watched:
            seen.append(name)

    folder = tmp_path / "out"
    put(folder, "old")
    if not exchange:
        monkeypatch.setattr(whole, "_exchange_names", lambda _one, _other: False)
    sys.addaudithook(hook)
    put(folder, "new")
    moved = ["renameat2"] if exchange else ["os.rename", "os.rename"]
    assert seen == ["syncfs", *moved, "syncfs", "shutil.rmtree"]
    # A hook stays for as long as the process lives.
    watched.clear()
    assert content(folder)["a"] == "new"
