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
from upcall_grader.capture.limits import DEFAULT_LIMITS, LimitError, Limits
from upcall_grader.capture.packets import LINK_NOISE
from upcall_grader.capture.reading import Capture
from upcall_grader.cause import Cause
from upcall_grader.judge import criteria
from upcall_grader.judge.capture_summary import (
    CaptureSummary,
    SeeConnection,
    SeePacket,
    fingerprints_of,
    summarize_capture,
)
from upcall_grader.judge.check import Case
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.log_comparison import CLIENT_LOG, SERVER_LOG, disagreements
from upcall_grader.judge.packet_fingerprints import clocks
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

MAX_WATCHED = 1000
_MAX_NAMED = 12
_PIECE = 1 << 16  # bytes


class Judged(NamedTuple):
    """A submission, and what shows whether another one is the same capture.

    ``fingerprints`` are its packets' numbers with their frames (``packet_fingerprints``);
    ``sha256`` is "" for a file without a packet.
    """

    submission: Submission
    fingerprints: Mapping[int, int] = {}
    sha256: str = ""


def judge_file(
    path: Path, rubric: Rubric, owner: Owner, file: str, secret: bytes = b""
) -> Submission:
    """Judge one file, which is called ``file``. Never raises for what is in it."""
    return judge_with_fingerprints(path, rubric, owner, file, secret).submission


def judge_with_fingerprints(
    path: Path,
    rubric: Rubric,
    owner: Owner,
    file: str,
    secret: bytes = b"",
    sidecars: bool = True,
    believed: bool = True,
    limits: Limits = DEFAULT_LIMITS,
) -> Judged:
    """Judge as ``judge_file`` does, and return what finding copies needs besides.

    ``sidecars``: manifest and logs in the file's folder are this capture's; ``believed``: a
    playbook wrote the manifest.
    """
    folder = path.parent if sidecars else None
    try:
        return _judge(path, folder, rubric, owner, file, secret, believed, limits)
    except LimitError as error:
        remark = Remark("beyond-limit", {"cause": error.cause})
    except CaptureError as error:
        remark = Remark("unreadable", {"cause": error.cause})
    except Exception as error:  # noqa: BLE001 (a reader's mistake costs this file alone, and is named)
        remark = Remark("reader-failed", {"error": f"{type(error).__name__}: {error}"[:200]})
    return Judged(_without_capture(rubric, owner, file, Verdict.UNREADABLE, remark))


class Watched(NamedTuple):
    """A submission, and what the checks may look at of its connections, in their order.

    Those are the first ``MAX_WATCHED``, and the one that is judged.
    """

    submission: Submission
    cases: tuple[Case, ...]


def judge_watched(
    capture: Capture,
    path: Path,
    rubric: Rubric,
    see_packet: SeePacket,
    sidecars: bool,
    believed: bool,
    see_connection: SeeConnection | None = None,
) -> Watched:
    """Judge an open capture as ``judge_file`` does, while ``see_packet`` is given its packets.

    ``see_connection`` is given its connections as they end. It is nobody's in particular. ``path``
    is where it is from; ``sidecars`` and ``believed`` are those of ``judge_with_fingerprints``.
    Raises OSError if the medium fails.
    """
    owner, connections = Owner(""), list[ConnectionSummary]()
    folder = path.parent if sidecars else None
    manifest, remarks = _manifest(folder) if folder else (Manifest(), [])
    manifest = manifest if believed else manifest.claims
    case_of = _case_of(rubric, manifest, owner, b"")
    rank = ranked_by(rubric, case_of)

    def end(connection: ConnectionSummary) -> None:
        if see_connection is not None:
            see_connection(connection)
        if connection.number <= MAX_WATCHED:
            connections.append(connection)

    summary = summarize_capture(capture, rubric.lab, rank, see_packet, end)
    if summary.best is not None and summary.best.number > MAX_WATCHED:
        connections.append(summary.best)
    if manifest.sha256:
        with path.open("rb") as stream:
            remarks += _other(manifest, _digest(stream.fileno()))
    submission = _submission(summary, rubric, owner, path.name, case_of, folder, manifest, remarks)
    connections.sort(key=lambda connection: connection.number)
    return Watched(submission, tuple(case_of(summary, connection) for connection in connections))


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
    path: Path,
    folder: Path | None,
    rubric: Rubric,
    owner: Owner,
    file: str,
    secret: bytes,
    believed: bool,
    limits: Limits,
) -> Judged:
    manifest, remarks = _manifest(folder) if folder else (Manifest(), [])
    manifest = manifest if believed else manifest.claims
    case_of = _case_of(rubric, manifest, owner, secret)
    descriptor, size = _open(path)
    try:
        if size == 0:
            remark = Remark("empty-file")
            return Judged(_without_capture(rubric, owner, file, Verdict.EMPTY, remark))
        if size > limits.size:
            raise limits.too_large()
        summary = read_summary(descriptor, rubric.lab, ranked_by(rubric, case_of), limits)
        fingerprints = _fingerprints(descriptor, summary, rubric.lab)
        # Where there are fingerprints, copies are found by them.
        wanted = manifest.sha256 or not fingerprints
        digest = _digest(descriptor) if wanted else ""
    finally:
        os.close(descriptor)
    if manifest.student and manifest.student.casefold() != owner.student.casefold():
        claim = Remark("manifest-names-another", {"student": manifest.student}, needs_person=True)
        remarks.append(claim)
    remarks += _other(manifest, digest)
    submission = _submission(summary, rubric, owner, file, case_of, folder, manifest, remarks)
    return Judged(submission, fingerprints, digest if summary.packets else "")


def _submission(
    summary: CaptureSummary,
    rubric: Rubric,
    owner: Owner,
    file: str,
    case_of: CaseOf,
    folder: Path | None,
    manifest: Manifest,
    remarks: list[Remark],
) -> Submission:
    """Return what a capture comes to; ``remarks`` are those on its manifest."""
    remarks += _of_file(summary, manifest)
    if summary.best is None:
        verdict, judgements, remark = _no_lab(summary, rubric)
        remarks.insert(0, remark)
    else:
        remarks += _compare_logs(folder, summary.best, rubric.lab) if folder else []
        judgements = criteria.judge_all(rubric.criteria, case_of(summary, summary.best))
        verdict = _verdict(judgements)
        remarks += _undecided(judgements)
    return Submission(
        file=file,
        owner=owner,
        verdict=verdict,
        judgements=judgements,
        exchanges=tuple(summary.exchanges),
        remarks=tuple(remarks),
        packets=summary.packets,
        connections=summary.connections,
        conversation=summary.best.conversation if summary.best else None,
        mode=manifest.mode,
    )


def _fingerprints(descriptor: int, summary: CaptureSummary, lab: Lab) -> Mapping[int, int]:
    """Return the file's fingerprints, with all of the connection that is judged, and its clocks.

    Of a file with many packets only some are remembered: others may have been added to it for just
    that.
    """
    remembered, best = summary.fingerprints, summary.best
    if best is None:
        return remembered.frames
    own: dict[int, int] = {}
    if not remembered.has_all:
        with from_start(descriptor) as stream:
            own = fingerprints_of(Capture(stream), lab, best.evidence)
    clock = clocks(best.last_options)
    return own | remembered.frames | ({} if clock is None else {clock: best.last_frame})


def _other(manifest: Manifest, digest: str) -> list[Remark]:
    """Return a remark where the manifest is another file's."""
    differs = manifest.sha256 and manifest.sha256 != digest
    return [Remark("manifest-differs", needs_person=True)] if differs else []


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    with from_start(descriptor) as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _open(path: Path) -> tuple[int, int]:
    """Open a regular file; return its descriptor, and how many bytes it holds."""
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
        token=_token(secret, owner.student),
    )


def _token(secret: bytes, student: str) -> str:
    """Return a student's token; "" without a secret, and for a name that is no text."""
    try:
        return token(secret, student) if secret and student else ""
    except UnicodeEncodeError:
        return ""


def _of_file(summary: CaptureSummary, manifest: Manifest) -> list[Remark]:
    """Return the remarks on the file as a whole."""
    remarks = []
    if summary.damage is not None:
        frame, offset, cause = (
            summary.damage.after_frame,
            summary.damage.offset,
            summary.damage.cause,
        )
        remarks.append(Remark("damage", {"frame": frame, "offset": offset, "cause": cause}))
    if summary.cut_frame is not None:
        remarks.append(Remark("snapped", {"frame": summary.cut_frame}, (summary.cut_frame,)))
    if manifest.dropped:
        remarks.append(Remark("dropped", {"count": manifest.dropped}, needs_person=True))
    if summary.best is not None and summary.connections > 1:
        values = {"count": summary.connections, "number": summary.best.number}
        remarks.append(Remark("other-connections", values, (summary.best.first_frame,)))
    if summary.exchange_count > len(summary.exchanges):
        values = {"count": summary.exchange_count, "shown": len(summary.exchanges)}
        remarks.append(Remark("exchanges-cut", values))
    return remarks


def _no_lab(
    summary: CaptureSummary, rubric: Rubric
) -> tuple[Verdict, tuple[Judgement, ...], Remark]:
    """Return what a capture without the lab comes to: other packets, or none at all."""
    values: dict[str, str | int] = {
        "port": rubric.lab.port,
        "protocols": ", ".join(sorted(summary.protocols)[:_MAX_NAMED]),
    }
    if summary.packets and summary.damage is not None:
        judgements = tuple(map(criteria.unseen, rubric.criteria))
        return Verdict.RECAPTURE, judgements, Remark("cut-before-lab", values)
    if not summary.packets:
        verdict, remark = Verdict.EMPTY, Remark("empty")
    elif summary.protocols <= LINK_NOISE:
        verdict, remark = Verdict.RECAPTURE, Remark("only-noise", values)
    else:
        verdict, remark = Verdict.WRONG_LAB, Remark("wrong-lab", values)
    judgements = tuple(
        criteria.judge_without_traffic(criterion, rubric.lab.port) for criterion in rubric.criteria
    )
    return verdict, judgements, remark


def _verdict(judgements: tuple[Judgement, ...]) -> Verdict:
    """Return ``recapture`` where a new capture would show more; not where a person decides."""
    hidden = [judgement for judgement in judgements if judgement.status is Status.NOT_OBSERVABLE]
    again = any(not judgement.remark.needs_person for judgement in hidden)
    return Verdict.RECAPTURE if again else Verdict.GRADED


def _undecided(judgements: tuple[Judgement, ...]) -> list[Remark]:
    """Return why a person has to decide on criteria that no new capture would show."""
    return [judgement.remark for judgement in judgements if judgement.remark.needs_person]


def _compare_logs(folder: Path, connection: ConnectionSummary, lab: Lab) -> list[Remark]:
    remarks: list[Remark] = []
    logs = {SERVER_LOG: b"", CLIENT_LOG: b""}
    for name in logs:
        try:
            logs[name] = read_log(folder, name)
        except UnusableError as error:
            values: dict[str, Value] = {"log": name, "cause": error.cause}
            remarks.append(Remark("witness-unreadable", values, needs_person=True))
    return remarks + disagreements(connection, logs[SERVER_LOG], logs[CLIENT_LOG], lab.shown)
