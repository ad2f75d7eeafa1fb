"""Assessments built by hand: what the exports are made from."""

from __future__ import annotations

from collections.abc import Iterable

from upcall_grader.capture.dialogue import Answer, Exchange
from upcall_grader.cause import Cause
from upcall_grader.judge.results import (
    Assessment,
    Conversation,
    Copy,
    Judgement,
    Owner,
    Proof,
    Remark,
    Status,
    Submission,
    Verdict,
)
from upcall_grader.judge.rubric import Criterion, Rubric

HANDSHAKE = Criterion("handshake", "handshake", 60.0, {"en": "Handshake", "id": "Jabat tangan"})
UPCALLS = Criterion("upcalls", "upcalls", 40.0, {"en": "Upcalls", "id": "Upcall"})
RUBRIC = Rubric((HANDSHAKE, UPCALLS))
HOSTILE = b'=cmd|"/c calc"!A1\x1b[31m<img src=x>\xff'

SARI = Owner("2110001", "Sari Dewi", "sari@example.org", "TI-2A", "seat-1", on_roster=True)
BUDI = Owner("2110002", "Budi Santoso", "budi@example.org", "TI-2B", "seat-2", on_roster=True)
WATI = Owner("2110003", "Wati Lestari", "wati@example.org", "TI-2B", "seat-3", on_roster=True)
STRANGER = Owner("=1+1", host="seat-9")


def exchange(message: bytes | None, upcall: bytes | None) -> Exchange:
    return Exchange(message, (6,), upcall, (8,), Answer.YES)


def graded(owner: Owner, file: str = "", *, upcalls: float = 40.0, mode: str = "") -> Submission:
    """Return a capture with a handshake, whose upcalls are worth that much."""
    reached = Status.MET if upcalls == UPCALLS.points else Status.NOT_MET
    values = {"message": "1", "upcall": HOSTILE.decode("utf-8", "backslashreplace")}
    wrong = Remark("upcalls-wrong", values, (8,))
    why = Remark("upcalls-met", {"count": 1}) if reached is Status.MET else wrong
    filter_ = "frame.number in {3,4,5}"
    return Submission(
        file or f"{owner.student}/upcall.pcap",
        owner,
        Verdict.GRADED,
        (
            Judgement(HANDSHAKE, Status.MET, 60.0, Remark("handshake-met"), (3, 4, 5), filter_),
            Judgement(UPCALLS, reached, upcalls, why, (8,), "frame.number == 8"),
        ),
        (exchange(b"1", b"Upcall event: Processing 1"),),
        packets=13,
        connections=1,
        conversation=Conversation(1, (bytes(4), 40000), (bytes(4), 4141), 3, 13),
        mode=mode,
    )


def recapture(owner: Owner) -> Submission:
    """Return a capture that began after the handshake."""
    unseen = Judgement(HANDSHAKE, Status.NOT_OBSERVABLE, 0.0, Remark("handshake-before"))
    met = Judgement(UPCALLS, Status.MET, 40.0, Remark("upcalls-met", {"count": 1}), (1,), "x")
    submission = graded(owner)._replace(verdict=Verdict.RECAPTURE, judgements=(unseen, met))
    cut = Remark("damage", {"frame": 3, "offset": 99, "cause": Cause("block-lengths")})
    return submission._replace(remarks=(cut,))


def missing(owner: Owner) -> Submission:
    unseen = tuple(
        Judgement(criterion, Status.NOT_OBSERVABLE, 0.0, Remark("not-seen"))
        for criterion in RUBRIC.criteria
    )
    return Submission("", owner, Verdict.MISSING, unseen, remarks=(Remark("missing"),))


def assessment(*submissions: Submission, copies: Iterable[Iterable[str]] = ()) -> Assessment:
    groups = (tuple(group) for group in copies)
    groups_of_copies = tuple(Copy(group, (Proof(dict.fromkeys(group, 3)),)) for group in groups)
    return Assessment(RUBRIC, submissions, groups_of_copies)
