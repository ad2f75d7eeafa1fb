from pathlib import Path

import pytest

from upcall_grader.report.folder import MARKER, ReportError, replace_folder


def write(target: Path, text: str, name: str = "index.html") -> bool:
    return replace_folder(target, lambda folder: _save(folder / name, text))


def _save(path: Path, text: str) -> None:
    path.write_text(text)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_an_earlier_report_goes_with_all_its_pages(tmp_path: Path) -> None:
    target = tmp_path / "out" / "report"
    assert write(target, "old", "stale.html")
    assert write(target, "new")
    assert names(target) == {"index.html", MARKER}
    assert names(target.parent) == {"report"}


def test_the_same_report_again_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "report"
    assert write(target, "same")
    before = target.stat()
    assert not write(target, "same")
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert write(target, "another")


def test_an_empty_folder_may_be_taken(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    assert write(tmp_path / "report", "x")
    assert "index.html" in names(tmp_path / "report")


@pytest.mark.parametrize("kind", ["folder", "file", "link to a report"])
def test_what_is_no_report_stays(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "report"
    if kind == "folder":
        target.mkdir()
        (target / "thesis.txt").write_text("years of work")
    elif kind == "file":
        target.write_text("years of work")
    else:
        write(tmp_path / "elsewhere", "years of work")
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReportError, match="no report of upcall-grade") as raised:
        write(target, "new")
    assert "--out" in raised.value.remedy
    kept = {path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert "years of work" in kept
    assert "new" not in kept


def test_a_failure_leaves_the_earlier_report(tmp_path: Path) -> None:
    target = tmp_path / "report"
    write(target, "old")

    def full(folder: Path) -> None:
        (folder / "index.html").write_text("half")
        raise OSError(28, "No space left on device", str(folder / "index.html"))

    with pytest.raises(ReportError, match="No space left on device"):
        replace_folder(target, full)
    assert (target / "index.html").read_text() == "old"
    assert names(tmp_path) == {"report"}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write(tmp_path / "file" / "report", "x")
