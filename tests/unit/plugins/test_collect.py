"""collect.yml, on this machine as the only lab host, with students' homes in a folder."""

from __future__ import annotations

import csv
import json
import os
import typing as t
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.loading import TOP
from tests.unit.plugins.conftest import Room, Rooms, Run

# Root, too, may read nothing that it is not let: as with a file system of another machine.
WITHOUT_RIGHTS = (
    ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)
COLLECT = str(TOP / "playbooks" / "collect.yml")


class Seat:
    """A lab host, its students' homes, and what was collected."""

    def __init__(self, room: Room, place: Path) -> None:
        self._room = room
        room.through = WITHOUT_RIGHTS
        self.homes = place / "home"
        self.captures = place / "captures"

    def collect(self, *students: str, since: str = "") -> Run:
        """Collect with a roster of these students, without any if there are none."""
        given: dict[str, t.Any] = {
            "ansible_become": False,
            "lab_collect_directory": str(self.captures),
            "lab_collect_since": since,
            "lab_collect_patterns": [
                f"{self.homes}/*/upcall.pcap",
                f"{self.homes}/{{student}}/upcall.pcap",
            ],
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


@pytest.mark.parametrize("since", ["2026-11-28T09:00+07:00", "2026-11-28T02:00Z"])
def test_an_earlier_groups_file_is_nobodys(seat: Seat, since: str) -> None:
    began = 1_795_831_200  # 2026-11-28T02:00:00Z
    file = seat.homes / "sari" / "upcall.pcap"
    file.write_bytes(b"left there")
    os.utime(file, (began - 1, began - 1))
    assert seat.collect(since=since).status == 0
    assert seat.submissions() == {}
    assert "was last changed before 2026-11-28T02:00:00Z" in seat.missing()["seat-1"]
    os.utime(file, (began, began))
    assert seat.collect(since=since).status == 0
    assert seat.submissions() == {"seat-1": b"left there"}


def test_without_an_offset_the_session_began_by_the_controllers_clock(seat: Seat) -> None:
    file = seat.homes / "sari" / "upcall.pcap"
    file.write_bytes(b"typed")
    changed = datetime.fromisoformat("2026-11-28T09:00").timestamp()
    os.utime(file, (changed, changed))
    assert seat.collect(since="2026-11-28T09:01").status == 0
    assert seat.submissions() == {}
    assert seat.collect(since="2026-11-28 08:59").status == 0
    assert seat.submissions() == {"seat-1": b"typed"}


def test_a_moment_that_is_none_is_refused_before_anything_is_read(seat: Seat) -> None:
    ran = seat.collect(since="this morning")
    assert ran.status != 0
    assert "lab_collect_since: this morning is no date and time" in ran.output
    assert "docs/troubles.md#since-when" in ran.output


def test_a_file_that_is_dated_before_1970_is_collected(seat: Seat) -> None:
    file = seat.homes / "sari" / "upcall.pcap"
    file.write_bytes(b"typed")
    os.utime(file, (-315_619_200, -315_619_200))
    ran = seat.collect()
    assert ran.status == 0, ran.output
    assert seat.submissions() == {"seat-1": b"typed"}
    assert seat.missing() == {}
    manifest = json.loads((seat.captures / "submissions/seat-1/manifest.json").read_text())
    assert manifest["modified"] == "1960-01-01T00:00:00Z"


def test_a_home_that_root_may_not_read_is_told_and_costs_nobody_else(seat: Seat) -> None:
    for student in ("sari", "budi"):
        (seat.homes / student).mkdir(exist_ok=True)
        (seat.homes / student / "upcall.pcap").write_bytes(student.encode())
    (seat.homes / "sari").chmod(0)
    try:
        ran = seat.collect("sari", "budi")
    finally:
        (seat.homes / "sari").chmod(0o700)
    assert ran.status == 0, ran.output
    assert seat.submissions() == {"budi": b"budi"}
    closed = "is closed to root: Permission denied (docs/troubles.md#closed-to-root)"
    assert seat.missing() == {"sari": f"{seat.homes}/sari/upcall.pcap {closed}"}
