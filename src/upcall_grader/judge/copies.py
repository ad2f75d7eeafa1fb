"""Which files hold one capture, and the packets that prove it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from upcall_grader.judge.results import Copy, Proof
from upcall_grader.judge.submission import Judged

MAX_PROOFS = 12
"""So many packets of a group are named."""


def find_copies(judged: Sequence[Judged]) -> tuple[Copy, ...]:
    """Return the groups of files with a packet in common, or with the same bytes."""
    marks: list[object] = list(chain.from_iterable(one.fingerprints for one in judged))
    marks += filter(None, (one.sha256 for one in judged))
    if len(set(marks)) == len(marks):
        return ()
    # Hardly any is there twice: those that are get looked at.
    twice = {mark for mark, count in Counter(marks).items() if count > 1}
    holders: dict[object, dict[str, int]] = defaultdict(dict)
    for one in judged:
        file = one.submission.file
        for number in one.fingerprints.keys() & twice:
            holders[number].setdefault(file, one.fingerprints[number])
        if one.sha256 in twice:
            holders[one.sha256].setdefault(file, 0)
    shared = [frames for frames in holders.values() if len(frames) > 1]
    students = _students(judged)
    return tuple(
        Copy(group, _proofs(joins))
        for group, joins in sorted(_groups(shared), key=lambda one: one[0])
        if not set.intersection(*(students[file] for file in group))
    )


def _students(judged: Iterable[Judged]) -> dict[str, set[str]]:
    """Return whose work each file is: what is all one student's is no copy.

    What a scripted session captured is nobody's work, whoever sits at that host.
    """
    students: dict[str, set[str]] = defaultdict(set)
    for one in judged:
        owner, file = one.submission.owner, one.submission.file
        own = owner.on_roster and not one.submission.scripted
        students[file] |= {owner.student} if own else set()
    return students


def _groups(
    shared: Sequence[dict[str, int]],
) -> Iterator[tuple[tuple[str, ...], list[dict[str, int]]]]:
    """Yield files joined by any of ``shared``, directly or through others, and what joins them."""
    leader: dict[str, str] = {}

    def lead(file: str) -> str:
        while leader.setdefault(file, file) != file:
            leader[file] = file = leader[leader[file]]
        return file

    for holder in shared:
        first, *others = holder
        for other in others:
            leader[lead(other)] = lead(first)
    groups: dict[str, list[str]] = defaultdict(list)
    for file in leader:
        groups[lead(file)].append(file)
    joins: dict[str, list[dict[str, int]]] = defaultdict(list)
    for holder in shared:
        joins[lead(next(iter(holder)))].append(holder)
    for head, files in groups.items():
        yield tuple(sorted(files)), joins[head]


def _proofs(joins: Iterable[dict[str, int]]) -> tuple[Proof, ...]:
    """Return the packets that prove best that the files are one capture."""
    named = (tuple(sorted(holder.items())) for holder in joins if 0 not in holder.values())
    # A packet may be the same by its numbers and by its clocks.
    packets = list(dict.fromkeys(named))
    # Packets that most of the files have come first, then those that come first in them; of packets
    # in the same files the second comes behind the first of all others, so that each file has its.
    packets.sort(key=lambda packet: (-len(packet), packet))
    earlier: Counter[tuple[str, ...]] = Counter()
    ranked = []
    for packet in packets:
        files = tuple(file for file, _ in packet)
        ranked.append((earlier[files], -len(packet), packet))
        earlier[files] += 1
    return tuple(
        Proof(dict(packet)) for packet in sorted(p for *_, p in sorted(ranked)[:MAX_PROOFS])
    )
