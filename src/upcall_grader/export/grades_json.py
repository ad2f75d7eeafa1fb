"""grades.json: all results, and the schema that describes its keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

from upcall_grader.capture.dialogue import Exchange
from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.export.feedback import number
from upcall_grader.judge.results import (
    Assessment,
    Conversation,
    Copy,
    Judgement,
    Remark,
    Submission,
)
from upcall_grader.report.names import page_names
from upcall_grader.texts.wording import Wording

SCHEMA = 1
"""Goes up when a key is renamed or removed."""


def grades(assessment: Assessment, language: str) -> Iterator[bytes]:
    r"""Yield an assessment as JSON, with sentences in ``language``: a piece for each submission.

    It is in ASCII, indented, with a line feed at its end. Submissions come in the order of the
    assessment, copies in that of their files. Bytes that are no UTF-8 stand as ``\xNN``.
    """
    wording = Wording(language)
    best = {id(submission) for submission in counting(assessment)}
    copies = copied(assessment)
    pages = page_names(assessment.submissions)
    head = {
        "schema": SCHEMA,
        "language": language,
        "points_possible": number(assessment.rubric.points),
        "needs_person": assessment.needs_person,
    }
    tail = {
        "copies": sorted(_files(copy) for copy in assessment.copies),
        "passed_over": [
            {"file": _text(one.file), "why": wording.told(one.cause)}
            for one in assessment.passed_over
        ],
        "proofs": sorted(map(_proof, assessment.copies), key=lambda proof: proof["files"]),
    }
    yield _json(head).removesuffix(b"\n}") + b',\n  "submissions": ['
    between = b""
    for submission, page in zip(assessment.submissions, pages, strict=True):
        one = _submission(submission, wording) | {
            "needs_person": awaits_person(submission, copies),
            "counts": id(submission) in best,
            "page": f"report/students/{page}",
        }
        # A line feed in a text stands as an escape: each one here begins a line.
        yield between + b"\n    " + _json(one).replace(b"\n", b"\n    ")
        between = b","
    yield (b"\n  ]," if between else b"],") + _json(tail).removeprefix(b"{") + b"\n"


def _json(tree: dict[str, Any]) -> bytes:
    return json.dumps(tree, indent=2).encode("ascii")


def schema() -> bytes:
    """Return the JSON schema (draft 2020-12) of ``grades``."""
    return resources.files(__package__).joinpath("grades.schema.json").read_bytes()


def _submission(submission: Submission, wording: Wording) -> dict[str, Any]:
    owner = submission.owner
    return {
        "file": _text(submission.file) or None,
        "student": _text(owner.student),
        "name": _text(owner.name),
        "email": _text(owner.email),
        "group": _text(owner.group),
        "host": _text(owner.host),
        "on_roster": owner.on_roster,
        "mode": _text(submission.mode),
        "verdict": submission.verdict.value,
        "points": number(submission.points),
        "criteria": [_criterion(judgement, wording) for judgement in submission.judgements],
        "exchanges": [_exchange(exchange) for exchange in submission.exchanges],
        "remarks": [_remark(remark, wording) for remark in submission.remarks],
        "packets": submission.packets,
        "connections": submission.connections,
        "conversation": _conversation(submission.conversation) if submission.conversation else None,
    }


def _criterion(judgement: Judgement, wording: Wording) -> dict[str, Any]:
    return {
        "id": _text(judgement.criterion.id),
        "title": _text(wording.title(judgement.criterion)),
        "status": judgement.status.value,
        "points": number(judgement.points),
        "points_possible": number(judgement.criterion.points),
        "frames": list(judgement.frames),
        "filter": _text(judgement.filter),
        "why": _text(wording.text(judgement.remark)),
        "remedy": _text(wording.remedy(judgement.remark)),
    }


def _remark(remark: Remark, wording: Wording) -> dict[str, Any]:
    return {
        "code": remark.code,
        "text": _text(wording.text(remark)),
        "remedy": _text(wording.remedy(remark)),
        "frames": list(remark.frames),
        "needs_person": remark.needs_person,
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    return {
        "message": _bytes(exchange.message),
        "message_frames": list(exchange.message_frames),
        "upcall": _bytes(exchange.upcall),
        "upcall_frames": list(exchange.upcall_frames),
    }


def _conversation(held: Conversation) -> dict[str, Any]:
    return {
        "number": held.number,
        "first_frame": held.first_frame,
        "last_frame": held.last_frame,
    }


def _files(copy: Copy) -> list[str]:
    return sorted(map(_text, copy.files))


def _proof(copy: Copy) -> dict[str, Any]:
    packets = [
        [{"file": _text(file), "frame": frame} for file, frame in sorted(proof.frames.items())]
        for proof in copy.proofs
    ]
    return {"files": _files(copy), "packets": packets}


def _bytes(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "backslashreplace")


def _text(text: str) -> str:
    """Return a text without lone surrogates, which file names may hold and many programs refuse."""
    return text.encode("utf-8", "backslashreplace").decode()
