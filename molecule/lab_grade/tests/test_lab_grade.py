"""Captures of real sessions, graded by the playbook on the controller."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import PATIENT, folder, name_of, on_one_host
from tests.support.lab_hosts import TOP, one_line, recap, run_playbook

PAGES = "/opt/upcall-lab/report"
ROSTER_TABLES = {"moodle.csv", "canvas.csv"}


class Grading:
    """One folder of captures and what comes of it; each run is one of grade.yml on one host."""

    def __init__(self, host: Host, place: Path) -> None:
        self._host = host
        self.name = name_of(host)
        self.captures = place / "captures"
        self.out = place / "grades"

    def run(self, *options: str, **given: t.Any) -> subprocess.CompletedProcess[str]:
        """Grade with the playbook, successfully."""
        done = self._play(given, *options)
        assert done.returncode == 0, done.stdout
        return done

    def fails(self, **given: t.Any) -> subprocess.CompletedProcess[str]:
        """Grade with the playbook, which cannot be done."""
        done = self._play(given)
        assert recap(done.stdout, self.name)["failed"] == 1, done.stdout
        return done

    def with_one_off(self, **given: t.Any) -> subprocess.CompletedProcess[str]:
        """Grade with a second host, called elsewhere, which cannot be reached."""
        inventory = self.captures.with_name("off.json")
        off = {"ansible_host": "127.0.0.1", "ansible_port": 1}
        inventory.write_text(json.dumps({"lab_hosts": {"hosts": {"elsewhere": off}}}))
        both = f"--limit={self.name},elsewhere"
        return self._play(given, f"--inventory={inventory}", both)

    def _play(self, given: dict[str, t.Any], *options: str) -> subprocess.CompletedProcess[str]:
        places = {"lab_grade_directory": str(self.captures), "lab_grade_out": str(self.out)}
        return run_playbook("grade", self.name, places | given, *options)

    def changed(self, *options: str, **given: t.Any) -> int:
        """Grade, and count what Ansible calls changed."""
        return recap(self.run(*options, **given).stdout, self.name)["changed"]

    def told(self) -> dict[str, dict[str, t.Any]]:
        """Return the submissions in grades.json, by student."""
        submissions = json.loads((self.out / "grades.json").read_text())["submissions"]
        return {one["student"]: one for one in submissions}

    def rows(self, table: str) -> list[list[str]]:
        """Return the rows of a table."""
        return list(csv.reader((self.out / table).read_text().splitlines()))

    def files(self) -> dict[str, bytes]:
        """Return everything that was written."""
        return {
            str(path.relative_to(self.out)): path.read_bytes()
            for path in self.out.rglob("*")
            if path.is_file()
        }

    def roster(self, **students: str) -> str:
        """Write a roster of students, each with their host, and return its path."""
        file = self.captures.with_name("roster.csv")
        lines = [f"{host},{student},Name of {student}" for student, host in students.items()]
        file.write_text("\n".join(["host,student_id,name", *lines]) + "\n")
        return str(file)

    def pages(self) -> dict[str, str]:
        """Return the pages on the lab host, with their modes."""
        with self._host.sudo():
            found = self._host.check_output(
                f"find {PAGES} -type f -printf '%f %m\\n' 2>/dev/null || true"
            )
        return dict(line.split() for line in found.splitlines())


@pytest.fixture(scope="module")
def _captured(host: Host) -> Path:
    """Capture one session on the host."""
    done = run_playbook("capture", name_of(host), PATIENT)
    assert done.returncode == 0, done.stdout
    return folder(host)


@pytest.fixture
def grading(host: Host, _captured: Path, tmp_path: Path) -> Grading:
    """Put the host's capture alone in a folder, with nothing graded yet and no page on the host."""
    made = Grading(host, tmp_path)
    made.captures.mkdir()
    shutil.copytree(
        _captured, made.captures / made.name, ignore=shutil.ignore_patterns("earlier", "incomplete")
    )
    with host.sudo():
        host.check_output(f"rm -rf {PAGES}")
    return made


def test_a_session_is_worth_all_points_and_the_same_again_changes_nothing(
    grading: Grading,
) -> None:
    # Nothing is written in check mode.
    assert grading.changed("--check") == 0
    assert not grading.out.exists()

    done = grading.run()
    (found,) = grading.told().values()
    assert (found["student"], found["host"]) == (grading.name, grading.name)
    assert (found["verdict"], found["points"], found["needs_person"]) == ("graded", 100, True)
    assert [remark["code"] for remark in found["remarks"]] == ["scripted"]
    assert [one["message"] for one in found["exchanges"]] == ["hello", "upcall"]
    assert {one["status"] for one in found["criteria"]} == {"met"}
    index = grading.out / "report" / "index.html"
    assert index.is_file()
    assert f"{index} (changed); 1 of 1 need a look from you" in one_line(done.stdout)
    assert grading.out.stat().st_mode & 0o077 == 0
    before = grading.files()
    assert not ROSTER_TABLES & before.keys()

    assert grading.changed() == 0
    assert grading.files() == before


def test_a_broken_capture_beside_costs_itself_alone(grading: Grading, host: Host) -> None:
    on_one_host(host, 0)
    own = (TOP / "tests/corpus/complete.pcap").read_bytes()
    for student, content in (("sari", own), ("wati", b"\xd4\xc3\xb2\xa1 and no more")):
        handed_in = grading.captures / "submissions" / student
        handed_in.mkdir(parents=True)
        (handed_in / "upcall.pcap").write_bytes(content)
    roster = grading.roster(sari=grading.name, wati="elsewhere", budi="elsewhere-2")

    done = grading.run(lab_grade_roster=roster, lab_grade_assignment="Lab 3")
    assert "2 of 4 need a look from you" in one_line(done.stdout)
    told = grading.told()
    assert {student: one["verdict"] for student, one in told.items()} == {
        "sari": "graded",
        "wati": "unreadable",
        "budi": "missing",
    }
    assert told["sari"]["points"] == 100
    moodle = {row[0]: row[1] for row in grading.rows("moodle.csv")}
    assert moodle == {"ID number": "Lab 3", "sari": "100", "wati": "-", "budi": "-"}
    canvas = {row[2]: row[5] for row in grading.rows("canvas.csv")[2:]}
    assert canvas == {"sari": "100", "wati": "", "budi": ""}


def test_what_cannot_be_graded_fails_with_its_cause(grading: Grading, host: Host) -> None:
    on_one_host(host, 1)
    lost = grading.captures.with_name("lost.csv")
    crashing = grading.captures.with_name("upcall-grade")
    crashing.write_text("#!/bin/sh\necho 'KeyError: 1' >&2\nexit 1\n")
    crashing.chmod(0o700)
    # Of an earlier run: nothing may be told of it.
    grading.out.mkdir()
    (grading.out / "grades.json").write_text('{"submissions": []}')

    done = grading.fails(lab_grade_roster=str(lost))
    assert f"exit status 2: upcall-grade: {lost.name}: " in one_line(done.stdout)
    done = grading.fails(__lab_grade_program=[str(crashing)])
    assert "exit status 1: KeyError: 1" in one_line(done.stdout)
    done = grading.fails(lab_grade_directory=str(lost))
    assert "run playbooks/capture.yml or playbooks/collect.yml first" in one_line(done.stdout)


def test_a_page_goes_to_its_students_host_and_to_no_other(grading: Grading, host: Host) -> None:
    given = {"lab_grade_hand_back": True}
    roster = grading.roster(sari=grading.name, budi="elsewhere")
    assert grading.changed(lab_grade_roster=roster) == 1
    assert grading.pages() == {}
    # A session made that capture: all is there, and none of it is Sari's work.
    assert grading.told()["sari"]["needs_person"]
    assert {row[0]: row[1] for row in grading.rows("moodle.csv")}["sari"] == "-"

    # The captures are graded already: what --check foresees is the hand-back.
    assert grading.changed("--check", lab_grade_roster=roster, **given) > 0
    assert grading.pages() == {}

    # Another host that is off stops nobody.
    done = grading.with_one_off(lab_grade_roster=roster, **given)
    assert recap(done.stdout, "elsewhere")["unreachable"] == 1, done.stdout
    assert grading.pages() == {"sari.html": "644"}
    page = (grading.out / grading.told()["sari"]["page"]).read_bytes()
    with host.sudo():
        told = host.check_output(f"sha256sum {PAGES}/sari.html").split()[0]
        assert told == hashlib.sha256(page).hexdigest()
    assert grading.changed(lab_grade_roster=roster, **given) == 0

    # Another student sits there now.
    roster = grading.roster(sari="elsewhere", budi=grading.name)
    assert grading.changed(lab_grade_roster=roster, **given) > 0
    assert grading.pages() == {"budi.html": "644"}
