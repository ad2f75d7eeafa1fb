"""collect.yml, on this machine as the only lab host, with students' homes in a folder."""

from __future__ import annotations

import csv
import json
import typing as t
from pathlib import Path

import pytest

from tests.support.loading import TOP
from tests.unit.plugins.conftest import Room, Rooms, Run

COLLECT = str(TOP / "playbooks" / "collect.yml")


class Seat:
    """A lab host, its students' homes, and what was collected."""

    def __init__(self, room: Room, place: Path) -> None:
        self._room = room
        self.homes = place / "home"
        self.captures = place / "captures"

    def collect(self, *students: str) -> Run:
        """Collect with a roster of these students, without any if there are none."""
        given: dict[str, t.Any] = {
            "ansible_become": False,
            "lab_collect_directory": str(self.captures),
            "lab_collect_patterns": [f"{self.homes}/*/upcall.pcap"],
        }
        roster = [{"student_id": student, "name": ""} for student in students]
        given |= {"lab_roster_students": roster} if students else {}
        return self._room.run(COLLECT, "-e", json.dumps(given))

    def submissions(self) -> dict[str, bytes]:
        """Return the files that count, by student."""
        files = self.captures.glob("submissions/*/upcall.pcap")
        return {file.parent.name: file.read_bytes() for file in files}

    def missing(self) -> dict[str, str]:
        """Return the reasons in the list, by student."""
        lines = (self.captures / "missing.csv").read_text().splitlines()
        return {row["student"]: row["why"] for row in csv.DictReader(lines)}


@pytest.fixture
def seat(room: Rooms, tmp_path: Path) -> Seat:
    """Make a room of one lab host, with a home in it."""
    made = Seat(room("seat-1"), tmp_path)
    (made.homes / "sari").mkdir(parents=True)
    return made


def test_without_and_then_with_a_roster_one_file_is_one_submission(seat: Seat) -> None:
    (seat.homes / "sari" / "upcall.pcap").write_bytes(b"typed")
    first = seat.collect()
    assert first.status == 0, first.output
    assert seat.submissions() == {"seat-1": b"typed"}
    assert seat.collect("2110001").status == 0
    assert seat.submissions() == {"2110001": b"typed"}
    assert seat.missing() == {}
