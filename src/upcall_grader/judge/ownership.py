"""Whose a file is: one ordered rule, decided over all names of a hand-in at once.

1. What the controller wrote: the collecting playbook's folder, or the seat of the host.
2. What the LMS or the instructor named: the outermost folder, or the LMS's prefix of a file's name.
3. What a student may have chosen: the folders inside it, and the file's own name.

A name that says just the id or the student comes before any word inside a name. A word counts only
where it can mean one thing in the whole hand-in. Two readings, and nobody gets the file: a person
decides. A manifest decides nothing. docs/grading.md says the same for instructors.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from upcall_grader.judge.results import Basis
from upcall_roster.seats import Roster, Seat, Student

SCRIPTED = "scripted"
"""Folder in a host's folder: a scripted session, where the host's own capture is a student's."""
COLLECTED = frozenset(("submissions", "repositories"))
"""Folders in which the collecting playbooks make one folder for each student."""

# Moodle: "Full name_12345_assignsubmission_file_"; Canvas: "lastfirst_LATE_123_456_upcall.pcap".
# Their numbers are their own: no student's id.
_MOODLE = re.compile(r"(?P<name>.+?)_[0-9]+_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?:_LATE)?_[0-9]+_[0-9]+_(?P<file>.+)", re.IGNORECASE | re.DOTALL
)
_SURE_WORD = 4
"""Characters: a shorter word, such as the 1 of "lab-1", may be part of any name."""


class Reading(NamedTuple):
    """Whose a file is: the roster's ``students``, or nobody's.

    ``possible`` are the students between whom a person has to decide; then ``students`` is empty.
    """

    students: tuple[str, ...] = ()
    basis: Basis = Basis.FILE
    possible: tuple[str, ...] = ()


class _Label(NamedTuple):
    """A name that may say whose a file is, in its forms with and without an ending."""

    texts: tuple[str, ...]
    basis: Basis


class Ownership:
    """Reads whose each of ``files`` is; their paths are below the graded folder, with ``/``."""

    def __init__(self, roster: Roster, files: Iterable[str]) -> None:
        self._ids: dict[str, tuple[Student, Seat]] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._hosts: dict[str, Seat] = {}
        for seat in roster.seats:
            self._hosts[_folded(seat.host)] = seat
            for student in seat.students:
                key = _folded(student.student_id)
                self._ids[key] = (student, seat)
                for letters in _name_letters(student.name):
                    self._names[letters].add(key)
        self._files = Counter(word for file in files for word in self._all_words(file))

    def seat_of(self, student: str) -> tuple[Student, Seat]:
        """Return a student of a Reading, and their seat."""
        return self._ids[student]

    def read(self, file: str) -> Reading:
        """Return whose a file is."""
        controllers = self._controllers(file)
        if controllers:
            return Reading(controllers, Basis.CONTROLLER)
        labels = _labels(file)
        named = [label for label in labels if label.basis is Basis.NAMED]
        own = [label for label in labels if label.basis is Basis.FILE]
        exact = self._exact(named)
        if exact:
            return _one_of(exact, Basis.NAMED)
        words, others = self._clear_words(named), self._exact(own) or self._clear_words(own)
        if words and not others <= words:
            return Reading((), Basis.NAMED, tuple(sorted(words | others)))
        if words:
            return Reading(tuple(sorted(words)), Basis.NAMED)
        if self._exact(own):
            return _one_of(others, Basis.FILE)
        students = tuple(sorted(others)) or self._inner_host(file)
        if students:
            return Reading(students, Basis.FILE)
        return Reading(possible=tuple(sorted(self._all_words(file))))

    def is_playbooks(self, file: str) -> bool:
        """Return whether a playbook made the very folder that a file is in, and filled it."""
        *folders, _ = file.split("/")
        if is_of_host(file):
            return _folded(folders[0]) in self._hosts
        return is_collected(file) and _folded(folders[1]) in self._ids

    def _controllers(self, file: str) -> tuple[str, ...]:
        """Return the students of a folder that a playbook made."""
        *folders, _ = file.split("/")
        if len(folders) > 1 and folders[0] in COLLECTED and _folded(folders[1]) in self._ids:
            return (_folded(folders[1]),)
        return self._at_host(folders[0]) if folders else ()

    def _inner_host(self, file: str) -> tuple[str, ...]:
        """Return the students of a host's folder that lies inside another one."""
        hosts = (self._at_host(folder) for folder in file.split("/")[1:-1])
        return next(filter(None, hosts), ())

    def _at_host(self, host: str) -> tuple[str, ...]:
        seat = self._hosts.get(_folded(host))
        return tuple(_folded(student.student_id) for student in seat.students) if seat else ()

    def _exact(self, labels: Iterable[_Label]) -> set[str]:
        """Return the students whose id, or whole name, is one of the labels."""
        students: set[str] = set()
        for text in (text for label in labels for text in label.texts):
            key = _folded(text)
            students |= {key} if key in self._ids else self._names.get(_letters(text), set())
        return students

    def _clear_words(self, labels: Iterable[_Label]) -> set[str]:
        """Return the ids that stand in the labels as words and can mean one thing alone."""
        words = {word for label in labels for word in self._words(label)}
        return {word for word in words if len(word) >= _SURE_WORD or self._files[word] == 1}

    def _all_words(self, file: str) -> set[str]:
        return {word for label in _labels(file) for word in self._words(label)}

    def _words(self, label: _Label) -> set[str]:
        """Return the ids that stand in a label as words."""
        texts = [_folded(text) for text in label.texts]
        words = [re.split(r"[^\w.-]+|_", text) + re.split(r"[\W_]+", text) for text in texts]
        return {word for some in words for word in some if word in self._ids}


def is_of_host(file: str) -> bool:
    """Return whether a file is where the capturing playbook puts one, in a host's folder."""
    *folders, _ = file.split("/")
    return len(folders) == 1 or folders[1:] == [SCRIPTED]


def is_collected(file: str) -> bool:
    """Return whether a file is where the collecting playbook puts it, with its own manifest."""
    *folders, _ = file.split("/")
    return len(folders) == len(("submissions", "student")) and folders[0] == "submissions"


def stranger(file: str) -> str:
    """Return what to call the owner of a file whom no roster knows."""
    *folders, name = file.split("/")
    if folders[1:] == [SCRIPTED]:
        folders.pop()
    for text in (*reversed(folders), _stem(name)):
        download = _MOODLE.fullmatch(text)
        if download:
            return download["name"]
    if folders:
        return folders[-1]
    download = _CANVAS.fullmatch(_stem(name))
    return download["name"] if download else _stem(name)


def _one_of(students: set[str], basis: Basis) -> Reading:
    """Return the only student, or those between whom a person decides."""
    ids = tuple(sorted(students))
    return Reading(ids, basis) if len(ids) == 1 else Reading((), basis, ids)


def _labels(file: str) -> list[_Label]:
    """Return the names of a file's path: what the LMS or the instructor named, then the rest."""
    *folders, name = file.split("/")
    outermost = folders[0] if folders else name
    download = _MOODLE.fullmatch(outermost) or _CANVAS.fullmatch(outermost)
    labels = []
    if download:
        labels.append(_Label((download["name"],), Basis.NAMED))
    elif folders:
        labels.append(_Label((outermost,), Basis.NAMED))
    labels += [_Label((folder,), Basis.FILE) for folder in folders[1:]]
    own = download["file"] if download and not folders else name
    labels.append(_Label((_stem(own), own), Basis.FILE))
    return labels


def _folded(text: str) -> str:
    """Return a text in one normal form and without case (Unicode Standard Annex 15)."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return unicodedata.normalize("NFC", folded)


def _letters(name: str) -> str:
    """Return a name without spaces and signs: Canvas writes names so."""
    return re.sub(r"[\W_]", "", _folded(name))


def _name_letters(name: str) -> set[str]:
    """Return a name's letters, also with the last word first, as Canvas sorts names."""
    words = name.split()
    return {_letters(name), _letters("".join(words[-1:] + words[:-1]))} - {""}


def _stem(name: str) -> str:
    """Return a file's name without its ending: "Moh. Rizki.pcap" -> "Moh. Rizki"."""
    return name.rpartition(".")[0] or name
