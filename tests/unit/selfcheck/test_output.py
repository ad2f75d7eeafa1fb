"""Files for students are written whole, for all to read, and only where they differ."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.selfcheck.output import write


def test_a_file_is_written_once_and_all_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "selfcheck" / "upcall-check.pyz"
    usual = os.umask(0o077)
    try:
        assert write(file, b"one") == f"selfcheck: {file} (changed)"
    finally:
        os.umask(usual)
    written = file.stat()
    assert oct(written.st_mode) == "0o100644"
    assert write(file, b"one") == f"selfcheck: {file} (unchanged)"
    assert file.stat() == written
    assert write(file, b"two") == f"selfcheck: {file} (changed)"
    assert file.read_bytes() == b"two"
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_put_there_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "upcall-check.pyz"
    (file / "somebody's").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write(file, b"one")
    assert list(tmp_path.iterdir()) == [file]
