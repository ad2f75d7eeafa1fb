"""Which files of a folder are captures, and whose.

Understood are ``captures/`` as the playbooks fill it (``<host>/upcall.pcap``,
``submissions/<student>/upcall.pcap``), a folder of files, a folder for each student, and what the
assignment downloads of Moodle and Canvas unpack to. What a file is called decides nothing but whose
it is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from upcall_grader.capture import strangers
from upcall_grader.capture.formats import CAPTURES
from upcall_grader.capture.unpacking import GZIP, ZIP, holds_captures
from upcall_grader.cause import Cause
from upcall_grader.judge import sidecar_files
from upcall_grader.judge.earlier_results import RESULTS, holds_results
from upcall_grader.judge.ownership import (
    COLLECTED,
    Ownership,
    is_collected,
    is_of_host,
    stranger,
)
from upcall_grader.judge.results import Owner, PassedOver
from upcall_grader.judge.sidecar_files import Manifest, UnusableError, read_manifest
from upcall_grader.troubles import TroubleError
from upcall_roster.seats import Roster, Seat, Student

MAX_FILES = 100_000
_MAX_DEPTH = 8
_OUR_FILES = sidecar_files.NAMES | {"missing.csv", "run.json", "run.json.lock"}
_PACKED = frozenset(("gzip", "zip", "zstd", "xz", "bzip2", "archive"))
_OUR_FOLDERS = frozenset(("earlier", "incomplete"))


class FolderError(TroubleError):
    """A folder that cannot be graded; the message names cause and remedy."""

    trouble = "no-captures"


class _Kind(IntEnum):
    """What a file of a student's folder is; of those that lie there, the highest are judged."""

    OTHER = 0
    PACKED = 1
    """No capture is seen in it; a person may find one."""
    CAPTURE = 2


class CaptureFile(NamedTuple):
    """A file to judge; ``sidecars``: manifest and logs beside it are its own.

    ``believed``: a playbook wrote that manifest, and no student did. ``possible`` are the students
    between whom a person has to decide whose the file is.
    """

    file: str
    owner: Owner
    sidecars: bool
    believed: bool
    possible: tuple[str, ...] = ()


class Found(NamedTuple):
    """The files to judge, and what is passed over, each in the order of their paths."""

    files: list[CaptureFile]
    passed_over: tuple[PassedOver, ...]


class _Looked(NamedTuple):
    """What lies in a folder, whose own path is ``parts``: names of files, and of the rest."""

    parts: tuple[str, ...]
    names: list[str]
    passed_over: Mapping[str, Cause] = {}

    def path(self, name: str) -> str:
        """Return the path below the graded folder."""
        return "/".join((*self.parts, name))


def find(folder: Path, roster: Roster | None, without: Collection[Path] = ()) -> Found:
    """Return what lies in ``folder``. Raises FolderError.

    ``without`` are the grader's own files and folders: results of an earlier run, the roster.
    """
    if not folder.is_dir():
        cause = "is not a folder" if folder.exists() else "does not exist"
        raise FolderError(f"{folder} {cause}; name the folder with the captures")
    passed = {Path(os.path.realpath(path)) for path in without}
    passed |= {Path(os.path.realpath(path.parent), path.name) for path in without}
    places = {(str(path.parent), path.name) for path in passed}
    files: dict[str, bool] = {}
    passed_over: list[PassedOver] = []
    for one in _walk(folder, (), places):
        place = folder.joinpath(*one.parts)
        chosen = _handed_in(place, one.names) if one.parts else one.names
        beside = {name: _beside(place / name) for name in set(one.names).difference(chosen)}
        files |= {one.path(name): len(chosen) == 1 for name in chosen}
        over = {**one.passed_over, **beside}
        passed_over += (PassedOver(one.path(name), cause) for name, cause in over.items())
        if len(files) + len(passed_over) > MAX_FILES:
            raise FolderError(f"{folder} holds more than {MAX_FILES} files; grade a part of it")
    if not files:
        raise FolderError(
            f"{folder} holds no captures; capture or collect them first, or name another folder"
        )
    return Found(
        _owners(folder, files, roster), tuple(sorted(passed_over, key=lambda one: one.file))
    )


def _owners(folder: Path, files: Mapping[str, bool], roster: Roster | None) -> list[CaptureFile]:
    """Return each file with its owner; ``files`` tell whether manifest and logs are their own."""
    if roster is None:
        return [_unlisted(folder, file, own) for file, own in files.items()]
    ownership = Ownership(roster, files)
    return [one for file, own in files.items() for one in _owned(folder, file, own, ownership)]


def _owned(folder: Path, file: str, sidecars: bool, ownership: Ownership) -> list[CaptureFile]:
    """Return a file once for each of its owners."""
    reading, believed = ownership.read(file), ownership.is_playbooks(file)
    if not reading.students:
        possible = tuple(ownership.seat_of(one)[0].student_id for one in reading.possible)
        return [CaptureFile(file, _stranger(folder, file), sidecars, believed, possible)]
    owners = (owner_of(*ownership.seat_of(one)) for one in reading.students)
    return [
        CaptureFile(file, owner._replace(basis=reading.basis), sidecars, believed)
        for owner in owners
    ]


def _unlisted(folder: Path, file: str, sidecars: bool) -> CaptureFile:
    """Return a file as it is without a roster: its manifest alone tells a host's folder."""
    owner = _stranger(folder, file)
    of_host = is_of_host(file) and owner.host == file.partition("/")[0]
    return CaptureFile(file, owner, sidecars, of_host or is_collected(file))


def _stranger(folder: Path, file: str) -> Owner:
    """Return an owner whom no roster knows; the host only where the controller wrote it."""
    top, _, inside = file.partition("/")
    host = _manifest(folder.joinpath(file).parent).host if inside else ""
    return Owner(stranger(file), host=host if top in COLLECTED or host == top else "")


def _handed_in(folder: Path, names: list[str]) -> list[str]:
    """Return those files of a student's folder that are judged.

    Beside a capture lie screenshots and reports; alone they are what was handed in.
    """
    if len(names) < 2:
        return names
    kinds = {name: _kind(folder / name) for name in names}
    best = max(kinds.values())
    return [name for name, kind in kinds.items() if kind is best]


def _beside(path: Path) -> Cause:
    """Return why a file is passed over beside those that are judged."""
    mode = _mode(path)
    if stat.S_ISLNK(mode):
        return Cause("link")
    return Cause("beside-capture") if stat.S_ISREG(mode) else Cause("no-regular-file")


def _mode(path: Path) -> int:
    """Return the mode of a file, 0 if it has gone meanwhile."""
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _walk(folder: Path, parts: tuple[str, ...], ours: set[tuple[str, str]]) -> Iterator[_Looked]:
    """Yield each folder with its files; a folder in it that cannot be read is one of them."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if parts:
            yield _Looked(parts[:-1], [parts[-1]])
            return
        raise FolderError(
            f"{folder} cannot be read ({error.strerror}); ask its owner, or name another folder"
        ) from error
    real = os.path.realpath(folder)
    results = RESULTS if holds_results(folder) else frozenset()
    names, folders, passed_over = list[str](), list[str](), dict[str, Cause]()
    for entry in entries:
        if (real, entry.name) in ours or entry.name in results:
            continue
        cause = _why_passed_over(entry)
        if cause is not None:
            passed_over[entry.name] = cause
        elif entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        elif entry.name not in _OUR_FILES:
            names.append(entry.name)
    yield _Looked(parts, names, passed_over)
    for name in folders:
        if len(parts) < _MAX_DEPTH:
            yield from _walk(folder / name, (*parts, name), ours)
        else:
            yield _Looked(parts, [name])


def _why_passed_over(entry: os.DirEntry[str]) -> Cause | None:
    """Return why an entry is passed over wherever it lies; None where it is not."""
    if entry.name.startswith("."):
        return Cause("hidden")
    if entry.is_dir(follow_symlinks=False):
        return Cause("earlier-captures") if entry.name in _OUR_FOLDERS else None
    if entry.name in _OUR_FILES and _holds_packets(Path(entry.path)):
        return Cause("named-as-ours")
    return None


def by_itself(path: Path) -> CaptureFile:
    """Return one capture as ``find`` has it in a folder of captures, and without a roster."""
    names = path.absolute().parts[1:]
    file = "/".join(names[-3:])
    if not (is_collected(file) or is_of_host(file)):
        file = "/".join(names[-2:])
    return _unlisted(path.absolute().parents[file.count("/")], file, _has_sidecars(path))


def _has_sidecars(path: Path) -> bool:
    """Return whether manifest and logs in a capture's folder are its own."""
    folder = path.parent
    try:
        beside = any((folder / name).exists() for name in sidecar_files.NAMES)
        if not beside or not path.is_file():
            return False
        names = next(_walk(folder, (), set())).names
    except (FolderError, OSError):
        return False
    return _handed_in(folder, names) == [path.name]


def _holds_packets(path: Path) -> bool:
    """Return whether a file is a capture; an empty log is none."""
    return _kind(path) is _Kind.CAPTURE and not _is_empty(path)


def _is_empty(path: Path) -> bool:
    try:
        return path.lstat().st_size == 0
    except OSError:
        return True


def _kind(path: Path) -> _Kind:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return _Kind.OTHER
        with path.open("rb") as stream:
            start = stream.read(strangers.LOOKED_AT)
            packed = start.startswith((GZIP, ZIP)) and holds_captures(stream)
    except OSError:
        return _Kind.OTHER
    if packed or not start or start[:4] in CAPTURES:
        return _Kind.CAPTURE
    return _Kind.PACKED if strangers.stranger(start).code in _PACKED else _Kind.OTHER


def _manifest(folder: Path) -> Manifest:
    try:
        return read_manifest(folder)
    except UnusableError:
        return Manifest()


def owner_of(student: Student, seat: Seat) -> Owner:
    """Return a student of the roster as the owner of a submission."""
    return Owner(
        student.student_id,
        student.name,
        student.email,
        ", ".join(seat.groups),
        seat.host,
        on_roster=True,
    )
