"""Captures in their folders: the new ones whole or not at all, the earlier ones moved away.

Everything goes through descriptors of folders, so that no link is followed that somebody laid there
meanwhile. Folders and files are for their owner alone. What is wrong is an OSError.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def folder(path: str) -> Iterator[int]:
    """Open a folder that the instructor named, who may have made it a link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def folder_in(parent: int, name: str, check: bool = False) -> Iterator[int]:
    """Open a folder in another one; make it where it is missing, unless this is a ``check``."""
    if not check:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=parent)
    except NotADirectoryError:
        raise NotADirectoryError(f"{name} is a symbolic link, or no folder; remove it") from None
    try:
        if not check:
            os.fchmod(descriptor, 0o700)
        yield descriptor
    finally:
        os.close(descriptor)


def present(own: int, name: str) -> os.stat_result | None:
    """Return the status of a file, None where there is none; anything but a file is an error."""
    try:
        status = os.stat(name, dir_fd=own, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        what = "a symbolic link" if stat.S_ISLNK(status.st_mode) else "no regular file"
        raise FileExistsError(f"{name} is {what}; remove it")
    return status


def write(own: int, name: str, data: bytes) -> None:
    """Write a new file; one that is there already is an error."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=own), "wb") as file:
        file.write(data)


def digest(own: int, name: str) -> str:
    """Return the SHA-256 of a file."""
    with _open(own, name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def entries(own: int, name: str) -> Mapping[str, object]:
    """Return the object in a JSON file; an empty one where there is none that can be read."""
    if not present(own, name):
        return {}
    with _open(own, name) as file:
        try:
            content = json.load(file)
        except (ValueError, RecursionError):
            return {}
    return content if isinstance(content, dict) else {}


def _open(own: int, name: str) -> io.BufferedReader:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return open(os.open(name, flags, dir_fd=own), "rb")  # noqa: PTH123 - a descriptor


def replace(own: int, files: Mapping[str, bytes], earlier: float | None) -> str:
    """Put files into a folder, and those that stand there under these names to ``earlier/``.

    ``earlier`` is when those were written, in Unix time; where it is None they are overwritten.
    Returns the folder in which they lie now, as ``earlier/2026-11-28T073000Z``, or "".
    """
    for name in files:
        present(own, name)
    incoming = {name: f".incoming-{secrets.token_hex(8)}" for name in files}
    moved = ""
    try:
        # All of the new is on the disk before any of the old is moved.
        for name, temporary in incoming.items():
            write(own, temporary, files[name])
        if earlier is not None:
            moved = move_away(own, files, earlier)
        for name, temporary in incoming.items():
            os.rename(temporary, name, src_dir_fd=own, dst_dir_fd=own)
    finally:
        for temporary in incoming.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=own)
    return moved


def move_away(own: int, names: Iterable[str], written: float) -> str:
    """Move these files to a folder in ``earlier/`` that is dated by when they were written."""
    with folder_in(own, "earlier") as parent, dated_folder(parent, written) as (date, dated):
        for name in names:
            if present(own, name):
                os.rename(name, name, src_dir_fd=own, dst_dir_fd=dated)
        return f"earlier/{date}"


@contextlib.contextmanager
def dated_folder(parent: int, seconds: float) -> Iterator[tuple[str, int]]:
    """Make a folder that is named after a moment, and open it; yields its name, too.

    The second folder of the same second gets a number.
    """
    date = time.strftime("%Y-%m-%dT%H%M%SZ", time.gmtime(seconds))
    name, number = date, 1
    while True:
        try:
            os.mkdir(name, 0o700, dir_fd=parent)
            break
        except FileExistsError:
            number += 1
            name = f"{date}-{number}"
    with folder_in(parent, name) as dated:
        yield name, dated
