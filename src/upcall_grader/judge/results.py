"""What judging comes to: plain data, from which the exports and the report are made."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import NamedTuple, Union

from upcall_grader.capture.dialogue import Exchange
from upcall_grader.cause import Cause
from upcall_grader.judge.rubric import Criterion, Rubric
from upcall_grader.pythons import StrEnum


class Status(StrEnum):
    """How a criterion ended."""

    MET = "met"
    NOT_MET = "not-met"
    NOT_OBSERVABLE = "not-observable"
    """The file does not hold what would show it: never a zero in silence."""


class Verdict(StrEnum):
    """How a submission ended."""

    GRADED = "graded"
    RECAPTURE = "recapture"
    """Lab traffic, but not all of it can be seen: the student should capture again."""
    WRONG_LAB = "wrong-lab"
    """Packets, none of them this lab's."""
    EMPTY = "empty"
    """A capture without a packet, or a file without a byte."""
    UNREADABLE = "unreadable"
    MISSING = "missing"
    """On the roster, and no file."""


Value = Union[str, int, Cause]
"""What fills a place in a remark: anybody's words, a number, or a cause that ``texts`` words."""


class Remark(NamedTuple):
    """Something to tell a person.

    ``code`` names a text (``texts/remarks.*.toml``), ``values`` fill it in. They come out of
    captures and file names, so they are hostile: whoever prints them escapes them.
    """

    code: str
    values: Mapping[str, Value] = {}
    frames: tuple[int, ...] = ()
    needs_person: bool = False
    """Whether the instructor has to look."""


class Judgement(NamedTuple):
    """One criterion of one submission.

    ``points`` were reached; ``frames`` are the evidence, numbered as in Wireshark; ``filter`` is
    the Wireshark display filter that shows them ("" without frames); ``remark`` says why.
    """

    criterion: Criterion
    status: Status
    points: float
    remark: Remark
    frames: tuple[int, ...] = ()
    filter: str = ""


class Conversation(NamedTuple):
    """The connection that was judged.

    ``client`` and ``server`` are packed address and port; ``number`` counts connections on the
    lab's port from 1; the frames are its first and its last.
    """

    number: int
    client: tuple[bytes, int]
    server: tuple[bytes, int]
    first_frame: int
    last_frame: int


class Basis(enum.IntEnum):
    """What an owner was read from; a smaller one outranks a larger one."""

    CONTROLLER = 1
    """A folder that a playbook made for a student or a host."""
    NAMED = 2
    """The LMS's or the instructor's own name for the folder or the file."""
    FILE = 3
    """Names that a student may have chosen."""


class Owner(NamedTuple):
    """Whose a submission is; what the roster does not know is empty."""

    student: str
    name: str = ""
    email: str = ""
    group: str = ""
    host: str = ""
    on_roster: bool = False
    basis: Basis = Basis.FILE


class Submission(NamedTuple):
    """One file, judged; or a student of the roster without one.

    ``file`` is its path below the folder that is graded, with ``/``; "" if missing. ``remarks``
    are about the file as a whole. ``connections`` and ``packets`` count what is in it.
    ``conversation`` is None without lab traffic. ``mode`` is the manifest's, "" without one.
    """

    file: str
    owner: Owner
    verdict: Verdict
    judgements: tuple[Judgement, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    remarks: tuple[Remark, ...] = ()
    packets: int = 0
    connections: int = 0
    conversation: Conversation | None = None
    mode: str = ""

    @property
    def whose(self) -> tuple[str, str]:
        """What all files of one student have in common; a file of nobody's stands for itself."""
        student = self.owner.student
        return student, "" if student else self.file

    @property
    def scripted(self) -> bool:
        """Whether a session typed the messages, and nobody else."""
        return self.mode == "exercise"

    @property
    def points(self) -> float:
        """Points reached."""
        return round(sum(judgement.points for judgement in self.judgements), 2)

    @property
    def needs_person(self) -> bool:
        """Whether the instructor has to look before this becomes a grade."""
        return self.verdict is not Verdict.GRADED or any(
            remark.needs_person for remark in self.remarks
        )


class Proof(NamedTuple):
    """The same packet in two files: file -> frame."""

    frames: Mapping[str, int]


class Copy(NamedTuple):
    """Files that hold one capture, and packets that prove it; no packet: the same bytes."""

    files: tuple[str, ...]
    proofs: tuple[Proof, ...]


class PassedOver(NamedTuple):
    """A file or folder that was not judged, by its path below the graded folder, and why."""

    file: str
    cause: Cause


class Assessment(NamedTuple):
    """All submissions of a folder, in the order of their students, then their files.

    ``passed_over`` is what else lies there, but for the grader's own files, in the order of paths.
    """

    rubric: Rubric
    submissions: tuple[Submission, ...]
    copies: tuple[Copy, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def needs_person(self) -> bool:
        """Whether the instructor has to look at anything."""
        return bool(self.copies) or any(one.needs_person for one in self.submissions)
