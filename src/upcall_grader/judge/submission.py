"""One file -> one judged submission. Whatever is in the file, it costs itself alone."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import upcall_grader.judge.fast  # noqa: F401 (a shortcut in reading: without it all takes longer)
from upcall_grader.capture.frames import CaptureError
from upcall_grader.capture.packets import LINK_NOISE
from upcall_grader.capture.reading import Capture
from upcall_grader.cause import Cause
from upcall_grader.judge import criteria
from upcall_grader.judge.capture_summary import (
    CaptureSummary,
    SeePacket,
    summarize_capture,
)
from upcall_grader.judge.check import Case
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.log_comparison import CLIENT_LOG, SERVER_LOG, disagreements
from upcall_grader.judge.ranking import CaseOf, ranked_by
from upcall_grader.judge.reading import from_start, read_summary
from upcall_grader.judge.results import Judgement, Owner, Remark, Status, Submission, Value, Verdict
from upcall_grader.judge.rubric import Rubric
from upcall_grader.judge.sidecar_files import (
    Manifest,
    UnusableError,
    read_log,
    read_manifest,
)
from upcall_grader.judge.tokens import token
from upcall_grader.lab import Lab

_MAX_NAMED = 12


class Judged(NamedTuple):
    """A submission, and what tells whether another one is the same capture.

    ``fingerprints`` are its packets' numbers with their frames (``packet_fingerprints``);
    ``sha256`` is "" for a file without a packet.
    """

    submission: Submission
    fingerprints: Mapping[int, int] = {}
    sha256: str = ""


def judge_file(
    path: Path, rubric: Rubric, owner: Owner, file: str, secret: bytes = b""
) -> Submission:
    """One file, judged; ``file`` is what it is called. Never raises for what is in it."""
    return judge_with_fingerprints(path, rubric, owner, file, secret).submission


def judge_with_fingerprints(
    path: Path,
    rubric: Rubric,
    owner: Owner,
    file: str,
    secret: bytes = b"",
    sidecars: bool = True,
) -> Judged:
    """As ``judge_file``, with what finding copies needs.

    ``sidecars`` tells whether manifest and logs in the file's folder are this capture's.
    """
    folder = path.parent if sidecars else None
    try:
        return _judge(path, folder, rubric, owner, file, secret)
    except CaptureError as error:
        remark = Remark("unreadable", {"cause": error.cause})
    except Exception as error:  # noqa: BLE001 (a reader's mistake costs this file alone, and is told)
        remark = Remark("reader-failed", {"error": f"{type(error).__name__}: {error}"[:200]})
    return Judged(_without_capture(rubric, owner, file, Verdict.UNREADABLE, remark))


class Watched(NamedTuple):
    """A submission, and what the checks may look at of each connection, in their order."""

    submission: Submission
    cases: tuple[Case, ...]


def judge_watched(
    capture: Capture, path: Path, rubric: Rubric, see_packet: SeePacket, sidecars: bool
) -> Watched:
    """An open capture, judged as ``judge_file`` does while ``see_packet`` is given its packets.

    It is nobody's in particular. ``path`` tells where it is from: with ``sidecars``, manifest and
    logs in that folder are its own. Raises OSError if the medium fails.
    """
    owner, summaries = Owner(""), list[ConnectionSummary]()
    folder = path.parent if sidecars else None
    manifest, remarks = _manifest(folder) if folder else (Manifest(), [])
    case_of = _case_of(rubric, manifest, owner, b"")
    rank = ranked_by(rubric, case_of)
    found = summarize_capture(capture, rubric.lab, rank, see_packet, summaries.append)
    if manifest.sha256:
        with path.open("rb") as stream:
            remarks += _other(manifest, _digest(stream.fileno()))
    submission = _submission(found, rubric, owner, path.name, case_of, folder, manifest, remarks)
    summaries.sort(key=lambda summary: summary.number)
    return Watched(submission, tuple(case_of(found, summary) for summary in summaries))


def lacking(submission: Submission) -> list[Judgement]:
    """Return what keeps a capture from being complete: the criteria that it does not meet.

    Those that a person decides, since no capture can show them, are left out.
    """
    return [
        judgement
        for judgement in submission.judgements
        if judgement.status is not Status.MET and not judgement.remark.needs_person
    ]


def missing(rubric: Rubric, owner: Owner, remark: Remark) -> Submission:
    """Return a student's submission of whom no file is known; ``remark`` says so."""
    return _without_capture(rubric, owner, "", Verdict.MISSING, remark)


def _without_capture(
    rubric: Rubric, owner: Owner, file: str, verdict: Verdict, remark: Remark
) -> Submission:
    judgements = tuple(map(criteria.unseen, rubric.criteria))
    return Submission(file, owner, verdict, judgements, remarks=(remark,))


def _judge(
    path: Path, folder: Path | None, rubric: Rubric, owner: Owner, file: str, secret: bytes
) -> Judged:
    manifest, remarks = _manifest(folder) if folder else (Manifest(), [])
    case_of = _case_of(rubric, manifest, owner, secret)
    descriptor, size = _open(path)
    try:
        if size == 0:
            remark = Remark("empty-file")
            return Judged(_without_capture(rubric, owner, file, Verdict.EMPTY, remark))
        found = read_summary(descriptor, rubric.lab, ranked_by(rubric, case_of))
        # Where there are fingerprints, they tell copies.
        wanted = manifest.sha256 or not found.fingerprints.frames
        digest = _digest(descriptor) if wanted else ""
    finally:
        os.close(descriptor)
    if manifest.student and manifest.student.casefold() != owner.student.casefold():
        claim = Remark("manifest-names-another", {"student": manifest.student}, needs_person=True)
        remarks.append(claim)
    remarks += _other(manifest, digest)
    submission = _submission(found, rubric, owner, file, case_of, folder, manifest, remarks)
    return Judged(submission, found.fingerprints.frames, digest if found.packets else "")


def _submission(
    found: CaptureSummary,
    rubric: Rubric,
    owner: Owner,
    file: str,
    case_of: CaseOf,
    folder: Path | None,
    manifest: Manifest,
    remarks: list[Remark],
) -> Submission:
    """What a capture comes to; ``remarks`` are those on its manifest."""
    remarks += _of_file(found, manifest)
    if found.best is None:
        verdict, judgements, remark = _no_lab(found, rubric)
        remarks.insert(0, remark)
    else:
        remarks += _compare_logs(folder, found.best, rubric.lab) if folder else []
        judgements = criteria.judge_all(rubric.criteria, case_of(found, found.best))
        verdict = _verdict(judgements)
        remarks += _undecided(judgements)
    return Submission(
        file=file,
        owner=owner,
        verdict=verdict,
        judgements=judgements,
        exchanges=tuple(found.exchanges),
        remarks=tuple(remarks),
        packets=found.packets,
        connections=found.connections,
        conversation=found.best.conversation if found.best else None,
        mode=manifest.mode,
    )


def _other(manifest: Manifest, digest: str) -> list[Remark]:
    """A remark where the manifest is another file's."""
    differs = manifest.sha256 and manifest.sha256 != digest
    return [Remark("manifest-differs", needs_person=True)] if differs else []


def _digest(descriptor: int) -> str:
    with from_start(descriptor) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _open(path: Path) -> tuple[int, int]:
    """A regular file's descriptor, and how many bytes it holds. Raises CaptureError."""
    try:
        # No link is followed, and a FIFO without a writer is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise CaptureError(Cause("link")) from error
        raise CaptureError(Cause("not-opened", {"error": error.strerror or ""})) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise CaptureError(Cause("no-regular-file"))
    return descriptor, status.st_size


def _manifest(folder: Path) -> tuple[Manifest, list[Remark]]:
    try:
        return read_manifest(folder), []
    except UnusableError as error:
        return Manifest(), [Remark("manifest-unreadable", {"cause": error.cause}, (), True)]


def _case_of(rubric: Rubric, manifest: Manifest, owner: Owner, secret: bytes) -> CaseOf:
    return partial(
        Case,
        port=rubric.lab.port,
        dropped=manifest.dropped,
        networks=manifest.networks,
        student=owner.student,
        token=token(secret, owner.student) if secret and owner.student else "",
    )


def _of_file(found: CaptureSummary, manifest: Manifest) -> list[Remark]:
    remarks = []
    if found.damage is not None:
        frame, offset, cause = found.damage.after_frame, found.damage.offset, found.damage.cause
        remarks.append(Remark("damage", {"frame": frame, "offset": offset, "cause": cause}))
    if found.cut_frame is not None:
        remarks.append(Remark("snapped", {"frame": found.cut_frame}, (found.cut_frame,)))
    if manifest.dropped:
        remarks.append(Remark("dropped", {"count": manifest.dropped}, needs_person=True))
    if found.best is not None and found.connections > 1:
        values = {"count": found.connections, "number": found.best.number}
        remarks.append(Remark("other-connections", values, (found.best.first_frame,)))
    if found.exchange_count > len(found.exchanges):
        values = {"count": found.exchange_count, "shown": len(found.exchanges)}
        remarks.append(Remark("exchanges-cut", values))
    return remarks


def _no_lab(found: CaptureSummary, rubric: Rubric) -> tuple[Verdict, tuple[Judgement, ...], Remark]:
    """Packets, but none of the lab; or no packet at all."""
    told: dict[str, str | int] = {
        "port": rubric.lab.port,
        "protocols": ", ".join(sorted(found.protocols)[:_MAX_NAMED]),
    }
    if not found.packets:
        verdict, remark = Verdict.EMPTY, Remark("empty")
    elif found.protocols <= LINK_NOISE:
        verdict, remark = Verdict.RECAPTURE, Remark("only-noise", told)
    else:
        verdict, remark = Verdict.WRONG_LAB, Remark("wrong-lab", told)
    judgements = tuple(
        criteria.judge_without_traffic(criterion, rubric.lab.port) for criterion in rubric.criteria
    )
    return verdict, judgements, remark


def _verdict(judgements: tuple[Judgement, ...]) -> Verdict:
    """What a new capture would show is the student's; what nobody told is the instructor's."""
    hidden = [judgement for judgement in judgements if judgement.status is Status.NOT_OBSERVABLE]
    again = any(not judgement.remark.needs_person for judgement in hidden)
    return Verdict.RECAPTURE if again else Verdict.GRADED


def _undecided(judgements: tuple[Judgement, ...]) -> list[Remark]:
    """Return why a person has to decide on criteria that no new capture would show."""
    return [judgement.remark for judgement in judgements if judgement.remark.needs_person]


def _compare_logs(folder: Path, summary: ConnectionSummary, lab: Lab) -> list[Remark]:
    remarks: list[Remark] = []
    logs = {SERVER_LOG: b"", CLIENT_LOG: b""}
    for name in logs:
        try:
            logs[name] = read_log(folder, name)
        except UnusableError as error:
            values: dict[str, Value] = {"log": name, "cause": error.cause}
            remarks.append(Remark("witness-unreadable", values, needs_person=True))
    return remarks + disagreements(summary, logs[SERVER_LOG], logs[CLIENT_LOG], lab.shown)
