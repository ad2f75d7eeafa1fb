"""Which files hold one capture, and the packets that prove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from upcall_grader.judge.results import Copy, Proof
from upcall_grader.judge.submission import Judged

MAX_PROOFS = 12
"""So many packets of a group are named."""


def find_copies(judged: Sequence[Judged]) -> tuple[Copy, ...]:
    """Groups of files with a packet in common, or with the same bytes."""
    holders: dict[object, dict[str, int]] = defaultdict(dict)
    for one in judged:
        file = one.submission.file
        for number, frame in one.prints.items():
            holders[number].setdefault(file, frame)
        if one.sha256:
            holders[one.sha256].setdefault(file, 0)
    shared = [found for found in holders.values() if len(found) > 1]
    return tuple(Copy(group, _proofs(set(group), shared)) for group in _groups(map(tuple, shared)))


def _groups(pairs: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Files that are joined by any of ``pairs``, directly or through others."""
    leader: dict[str, str] = {}

    def lead(file: str) -> str:
        while leader.setdefault(file, file) != file:
            leader[file] = file = leader[leader[file]]
        return file

    for first, *others in pairs:
        for other in others:
            leader[lead(other)] = lead(first)
    groups: dict[str, list[str]] = defaultdict(list)
    for file in leader:
        groups[lead(file)].append(file)
    return sorted(tuple(sorted(group)) for group in groups.values())


def _proofs(group: set[str], shared: list[dict[str, int]]) -> tuple[Proof, ...]:
    found = [holder for holder in shared if holder.keys() <= group and 0 not in holder.values()]
    # Packets that most of the files have come first, then those that come first in them.
    found.sort(key=lambda holder: (-len(holder), sorted(holder.items())))
    proofs = [Proof(dict(sorted(holder.items()))) for holder in found[:MAX_PROOFS]]
    return tuple(sorted(proofs, key=lambda proof: sorted(proof.frames.items())))
