"""Which files of a folder are captures, and whose.

Understood are ``captures/`` as the playbooks fill it (``<host>/upcall.pcap``,
``submissions/<student>/upcall.pcap``), a folder of files, a folder for each student, and what the
assignment downloads of Moodle and Canvas unpack to. What a file is called decides nothing but whose
it is.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from upcall_grader.judge import sidecar_files
from upcall_grader.judge.results import Owner
from upcall_grader.judge.sidecar_files import Manifest, UnusableError, read_manifest
from upcall_grader.troubles import TroubleError

if TYPE_CHECKING:
    from upcall_roster.seats import Roster, Seat, Student

MAX_FILES = 100_000
_MAX_DEPTH = 8
_OUR_FILES = sidecar_files.NAMES | {"missing.csv", "run.json", "run.json.lock"}
_OUR_FOLDERS = frozenset(("earlier", "incomplete"))
# Moodle: "Full name_12345_assignsubmission_file_"; Canvas: "lastfirst_LATE_123_456_upcall.pcap".
# Their numbers are their own: no student's id.
_MOODLE = re.compile(r"(?P<name>.+?)_[0-9]+_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?:_LATE)?_[0-9]+_[0-9]+_(?P<file>.+)", re.IGNORECASE | re.DOTALL
)


class FolderError(TroubleError):
    """A folder that cannot be graded; the message names cause and remedy."""

    trouble = "no-captures"


class CaptureFile(NamedTuple):
    """A file to judge; ``sidecars`` tells whether manifest and logs beside it are its own."""

    file: str
    owner: Owner
    sidecars: bool


def find(folder: Path, roster: Roster | None, without: Collection[Path] = ()) -> list[CaptureFile]:
    """All files of ``folder`` to judge, in the order of their names. Raises FolderError.

    ``without`` are files and folders to pass over: results of an earlier run, the roster.
    """
    if not folder.is_dir():
        cause = "is no folder" if folder.exists() else "does not exist"
        raise FolderError(f"{folder} {cause}; name the folder with the captures")
    passed = {Path(os.path.realpath(path)) for path in without}
    passed |= {Path(os.path.realpath(path.parent), path.name) for path in without}
    places = {(str(path.parent), path.name) for path in passed}
    owners = _Owners(roster)
    found: list[CaptureFile] = []
    for parts, names in _walk(folder, (), places):
        place = folder.joinpath(*parts)
        chosen = _handed_in(place, names) if parts else names
        manifest = _manifest(place) if len(chosen) == 1 else Manifest()
        for name in chosen:
            file = "/".join((*parts, name))
            found += (
                CaptureFile(file, owner, len(chosen) == 1) for owner in owners.of(file, manifest)
            )
        if len(found) > MAX_FILES:
            raise FolderError(f"{folder} holds more than {MAX_FILES} files; grade a part of it")
    return found


def _walk(
    folder: Path, parts: tuple[str, ...], passed: set[tuple[str, str]]
) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each folder with its files; a folder in it that cannot be read is one of them."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        if parts:
            yield parts[:-1], [parts[-1]]
            return
        raise FolderError(
            f"{folder} cannot be read ({error.strerror}); ask its owner, or name another folder"
        ) from error
    real = os.path.realpath(folder)
    names, folders = [], []
    for entry in entries:
        if entry.name.startswith(".") or (real, entry.name) in passed:
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        elif entry.name not in _OUR_FILES:
            names.append(entry.name)
    yield parts, names
    for name in folders:
        if name in _OUR_FOLDERS:
            continue
        if len(parts) < _MAX_DEPTH:
            yield from _walk(folder / name, (*parts, name), passed)
        else:
            yield parts, [name]


def has_sidecars(path: Path) -> bool:
    """Return whether manifest and logs in a capture's folder are its own, as ``find`` has it."""
    folder = path.parent
    try:
        if not any((folder / name).exists() for name in sidecar_files.NAMES):
            return False
        _, names = next(_walk(folder, (), set()))
    except (FolderError, OSError):
        return False
    return _handed_in(folder, names) == [path.name]


def _handed_in(folder: Path, names: list[str]) -> list[str]:
    """Return those files of a student's folder that are judged.

    Beside a capture lie screenshots and reports; alone they are what was handed in.
    """
    if len(names) < 2:
        return names
    return [name for name in names if _is_capture(folder / name)] or names


def _is_capture(path: Path) -> bool:
    # Most folders hold nothing that has to be told from a capture, and this takes its time to load.
    from upcall_grader.capture.formats import PCAP_LAYOUTS, PCAPNG_MAGIC  # noqa: PLC0415

    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError:
        return False
    return not start or start == PCAPNG_MAGIC or start in PCAP_LAYOUTS


def _manifest(folder: Path) -> Manifest:
    try:
        return read_manifest(folder)
    except UnusableError:
        return Manifest()


class _Owners:
    """Finds whose a file is, by manifest, path and roster."""

    def __init__(self, roster: Roster | None) -> None:
        self._students: dict[str, tuple[Student, Seat]] = {}
        self._names: dict[str, list[str]] = {}
        self._hosts: dict[str, Seat] = {}
        for seat in roster.seats if roster else ():
            self._hosts[seat.host.casefold()] = seat
            for student in seat.students:
                key = student.student_id.casefold()
                self._students[key] = (student, seat)
                for letters in _name_letters(student.name):
                    self._names.setdefault(letters, []).append(key)

    def of(self, file: str, manifest: Manifest) -> list[Owner]:
        """The owners of a file: one, or all who sit at the host that it came from."""
        *folders, name = file.split("/")
        known = self._on_roster(folders, name, manifest) if self._hosts else []
        return known or [Owner(manifest.student or _stranger(folders, name), host=manifest.host)]

    def _on_roster(self, folders: list[str], name: str, manifest: Manifest) -> list[Owner]:
        # What the instructor's folders say comes before a manifest, which a student may have made.
        told = [*reversed(folders), manifest.student, _stem(name), name]
        for text in filter(None, told):
            known = self._by_text(text)
            if known:
                return [known]
        seats = (self._hosts.get(text.casefold()) for text in (*reversed(folders), manifest.host))
        seat = next((seat for seat in seats if seat is not None and seat.students), None)
        return [owner_of(student, seat) for student in seat.students] if seat else []

    def _by_text(self, text: str) -> Owner | None:
        """The student that a folder's or file's name names: by id, as a word in it, or by name."""
        download = _MOODLE.fullmatch(text) or _CANVAS.fullmatch(text)
        for part in (download["name"], download["file"]) if download else (text,):
            folded = part.casefold()
            words = [folded, *re.split(r"[^\w.-]+|_", folded), *re.split(r"[\W_]+", folded)]
            found = [word for word in words if word in self._students]
            named = self._names.get(_letters(part), [])
            found = found or (named if len(named) == 1 else [])
            if found:
                return owner_of(*self._students[found[0]])
        return None


def _letters(name: str) -> str:
    """A name without spaces and signs: Canvas writes names so."""
    return re.sub(r"[\W_]", "", name.casefold())


def _name_letters(name: str) -> set[str]:
    """A name's letters, also with the last word first, as Canvas sorts names."""
    words = name.split()
    return {_letters(name), _letters("".join(words[-1:] + words[:-1]))} - {""}


def _stem(name: str) -> str:
    """A file's name without its ending: "Moh. Rizki.pcap" -> "Moh. Rizki"."""
    return name.rpartition(".")[0] or name


def owner_of(student: Student, seat: Seat) -> Owner:
    """A student of the roster as the owner of a submission."""
    return Owner(
        student.student_id,
        student.name,
        student.email,
        ", ".join(seat.groups),
        seat.host,
        on_roster=True,
    )


def _stranger(folders: list[str], name: str) -> str:
    """Whom nobody on the roster is: the folder's name, or the file's without its ending."""
    stem = _stem(name)
    for text in (*reversed(folders), stem):
        download = _MOODLE.fullmatch(text)
        if download:
            return download["name"]
    if folders:
        return folders[-1]
    download = _CANVAS.fullmatch(stem)
    return download["name"] if download else stem
