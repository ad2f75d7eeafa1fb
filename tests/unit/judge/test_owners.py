"""Which files of a folder are judged, and whose they are."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.judge.talks import exchange
from upcall_grader.export.counting import awaits_person, copied, counting
from upcall_grader.export.grades_json import grades
from upcall_grader.export.tables import grades_table
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.folder import FolderError, find
from upcall_grader.judge.rubric_file import parse_rubric
from upcall_grader.texts.wording import Wording
from upcall_roster import read_roster
from upcall_roster.reading import parse_roster

CAPTURE = exchange()
ROSTER = """host,student_id,name
seat-1,211,Sari Dewi
seat-2,2110,Budi Santoso
seat-3,2110001 2110002,Wati Lestari|Moh. Rizki Putra
seat-4,sari.dewi,
seat-5,,
seat-6,agus_w,Agus
seat-7,t1,Twin Name
seat-8,t2,Twin Name
"""


def lay(folder: Path, *files: str) -> None:
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CAPTURE if path.name.startswith("upcall") else b"\x89PNG")


def owners(folder: Path, roster: str = ROSTER) -> dict[str, list[str]]:
    seats = parse_roster(roster.encode(), "roster.csv") if roster else None
    found: dict[str, list[str]] = {}
    for one in find(folder, seats).files:
        found.setdefault(one.file, []).append(one.owner.student)
    return found


@pytest.mark.parametrize(
    ("file", "student"),
    [
        # as the playbooks lay them
        ("seat-1/upcall.pcap", "211"),
        ("SEAT-1/upcall.pcap", "211"),
        ("submissions/2110/upcall.pcap", "2110"),
        # ids as words, and no parts of words
        ("211.pcap", "211"),
        ("2110.pcap", "2110"),
        ("2110.v2.pcap", "2110"),
        ("upcall_2110_final.pcap", "2110"),
        ("2110-upcall.pcap", "2110"),
        ("Upcall (211).pcapng", "211"),
        ("21100.pcap", "21100"),
        ("x2110.pcap", "x2110"),
        ("AGUS_W.pcap", "agus_w"),
        ("sari.dewi.pcap", "sari.dewi"),
        ("sari.dewi", "sari.dewi"),
        ("hand-in sari.dewi.pcap", "sari.dewi"),
        ("211/2110.pcap", "211"),
        ("group 4/2110/lab/upcall.pcap", "2110"),
        # names
        ("Budi Santoso.pcap", "2110"),
        ("budi_santoso/upcall.pcap", "2110"),
        ("Moh. Rizki Putra.pcap", "2110002"),
        ("Budi.pcap", "Budi"),
        ("Twin Name.pcap", "Twin Name"),
        # names without a letter are nobody's, though one on the roster has no name
        ("--.pcap", "--"),
        ("___/upcall.pcap", "___"),
        # Moodle
        ("Sari Dewi_12345_assignsubmission_file_/upcall.pcap", "211"),
        ("Sari Dewi_12345_assignsubmission_file/upcall.pcap", "211"),
        ("Sari Dewi_12345_assignsubmission_file_upcall.pcap", "211"),
        ("Moh. Rizki Putra_12345_assignsubmission_file_upcall.pcap", "2110002"),
        ("Sari Dewi_12345_assignsubmission_file_/lab/upcall.pcap", "211"),
        ("2110_77_assignsubmission_file_/upcall.pcap", "2110"),
        ("Somebody_77_assignsubmission_file_/2110.pcap", "2110"),
        ("Budi Santoso_211_assignsubmission_file_/upcall.pcap", "2110"),
        ("Some Body_211_assignsubmission_file_/upcall.pcap", "Some Body"),
        ("M. Some Body_211_assignsubmission_file_upcall.pcap", "M. Some Body"),
        # Canvas: last name first, without spaces
        ("santosobudi_123_456_upcall.pcap", "2110"),
        ("santosobudi_LATE_123_456_upcall.pcap", "2110"),
        ("putramohrizki_123_456_upcall-1.pcap", "2110002"),
        ("budisantoso_123_456_upcall.pcap", "2110"),
        ("dewisari_2110_2110002_upcall.pcap", "211"),
        ("nobody_2110_456_upcall.pcap", "nobody"),
        ("nobody_1_2_upcall 2110.pcap", "2110"),
    ],
)
def test_whose_a_file_is(file: str, student: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CAPTURE)
    assert owners(tmp_path) == {file: [student]}


def test_students_of_one_host_share_its_capture(tmp_path: Path) -> None:
    lay(tmp_path, "seat-3/upcall.pcap", "submissions/2110002/upcall.pcap", "seat-5/upcall.pcap")
    assert owners(tmp_path) == {
        "seat-3/upcall.pcap": ["2110001", "2110002"],
        "seat-5/upcall.pcap": ["seat-5"],
        "submissions/2110002/upcall.pcap": ["2110002"],
    }


@pytest.mark.parametrize(
    ("folder", "manifest", "expected"),
    [
        # Whoever made it wrote into it what they liked.
        ("x", '{"student": "2110"}', ["x"]),
        ("x", '{"host": "seat-3"}', ["x"]),
        ("x", '{"student": "new", "host": "far"}', ["x"]),
        ("x", '{"student": 5}', ["x"]),
        ("211", '{"student": "2110"}', ["211"]),
        ("Sari Dewi_1_assignsubmission_file_", '{"student": "2110"}', ["211"]),
        ("seat-1", '{"host": "seat-2"}', ["211"]),
    ],
)
def test_a_manifest_says_nothing_of_whose_a_file_is(
    folder: str, manifest: str, expected: list[str], tmp_path: Path
) -> None:
    lay(tmp_path, f"{folder}/upcall.pcap")
    (tmp_path / folder / "manifest.json").write_text(manifest)
    assert owners(tmp_path) == {f"{folder}/upcall.pcap": expected}


def roster_of(*rows: str) -> str:
    return "\n".join(("host,student_id,name", *rows)) + "\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # an exact host before an id inside its name
        (
            ["pc-1,2,", "pc-2,1,"],
            {"pc-1/upcall.pcap": ["2"], "pc-2/upcall.pcap": ["1"]},
        ),
        # an exact id before a word of the folder round it
        (
            ["h1,1,", "h2,7,", "h3,8,"],
            {"group-1/7.pcap": ["7"], "group-1/8.pcap": ["8"]},
        ),
        # the LMS's name before the student's own folder
        (
            ["h1,2110001,Alice Ang", "h2,2110002,Bob Bo"],
            {
                "Alice Ang_124_assignsubmission_file_/upcall.pcap": ["2110001"],
                "Bob Bo_123_assignsubmission_file_/2110001/upcall.pcap": ["2110002"],
            },
        ),
        # one normal form, without case
        (
            ["h1,2110001,Jos\u00e9 N\u00fa\u00f1ez"],
            {"JOSE\u0301 Nu\u0301n\u0303ez_1_assignsubmission_file_/upcall.pcap": ["2110001"]},
        ),
        # two ids in one name: their work together
        (
            ["h1,2110001,", "h2,2110002,"],
            {"2110001_2110002.pcap": ["2110001", "2110002"]},
        ),
        # a short id in several names may be a part of all of them
        (
            ["h1,1,", "h2,alice,"],
            {"lab-1_alice.pcap": ["alice"], "lab-1_guest.pcap": ["lab-1_guest"]},
        ),
        # a room's folder inside another one
        (["seat-1,211,"], {"room-2/seat-1/upcall.pcap": ["211"]}),
    ],
)
def test_what_comes_first(rows: list[str], expected: dict[str, list[str]], tmp_path: Path) -> None:
    for file in expected:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CAPTURE)
    assert owners(tmp_path, roster_of(*rows)) == expected


@pytest.mark.parametrize(
    ("rows", "files", "possible"),
    [
        (["h1,t1,Twin Name", "h2,t2,Twin Name"], ["Twin Name.pcap"], "t1, t2"),
        (["h1,2110001,", "h2,2110002,"], ["2110001 - Ali/2110002.pcap"], "2110001, 2110002"),
        (["h1,1,"], ["lab-1_a.pcap", "lab-1_b.pcap"], "1"),
    ],
)
def test_with_two_readings_nobody_gets_a_file(
    rows: list[str], files: list[str], possible: str, tmp_path: Path
) -> None:
    for number, file in enumerate(files):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(exchange(number=number))
    found = assess(tmp_path, DEFAULT, parse_roster(roster_of(*rows).encode(), "roster.csv"))
    for one in found.submissions:
        if one.file:
            assert not one.owner.on_roster
            assert one.needs_person
            unclear = next(remark for remark in one.remarks if remark.code == "owner-unclear")
            assert unclear.values["students"] == possible


def test_no_name_that_a_student_chose_takes_the_place_of_the_lmss(tmp_path: Path) -> None:
    mine = tmp_path / "Alice Ang_124_assignsubmission_file_" / "upcall.pcap"
    other = tmp_path / "Guest_125_assignsubmission_file_" / "2110001.pcap"
    for path, capture in ((mine, exchange(b"one")), (other, CAPTURE)):
        path.parent.mkdir()
        path.write_bytes(capture)
    roster = parse_roster(roster_of("h1,2110001,Alice Ang").encode(), "roster.csv")
    found = assess(tmp_path, DEFAULT, roster)
    assert {one.owner.student for one in found.submissions} == {"2110001"}
    assert [one.file for one in counting(found)] == [str(mine.relative_to(tmp_path))]


def test_who_a_manifest_says_it_is_for_is_told_and_not_believed(tmp_path: Path) -> None:
    lay(tmp_path, "seat-1/upcall.pcap")
    claim = {"student": "2110", "mode": "submission", "host": "seat-1"}
    (tmp_path / "seat-1" / "manifest.json").write_text(json.dumps(claim))
    found = assess(tmp_path, DEFAULT, parse_roster(ROSTER.encode(), "roster.csv"))
    [one] = [one for one in found.submissions if one.file]
    assert one.owner.student == "211"
    told = [remark for remark in one.remarks if remark.code == "manifest-names-another"]
    assert [(remark.values["student"], remark.needs_person) for remark in told] == [("2110", True)]


def test_of_a_session_only_what_the_controller_says_is_believed(tmp_path: Path) -> None:
    lay(tmp_path, "seat-1/upcall.pcap")
    claims = {"host": "seat-2", "student": "2110", "mode": "submission", "sha256": "0"}
    known = {"schema": 2, "host": "seat-1", "student": "211", "mode": "exercise"}
    manifest = {**known, "claims": {**claims, "tcpdump": {"dropped": 9}}}
    (tmp_path / "seat-1" / "manifest.json").write_text(json.dumps(manifest))
    found = assess(tmp_path, DEFAULT, parse_roster(ROSTER.encode(), "roster.csv"))
    [one] = [one for one in found.submissions if one.file]
    assert (one.owner.student, one.owner.host, one.mode) == ("211", "seat-1", "exercise")
    told = {remark.code: dict(remark.values) for remark in one.remarks}
    assert told == {
        "manifest-names-another": {"student": "2110"},
        "dropped": {"count": 9},
        "scripted": {},
    }


def test_who_sat_there_when_a_session_watched_is_told_if_the_roster_changed(
    tmp_path: Path,
) -> None:
    lay(tmp_path, "seat-1/upcall.pcap")
    known = {"schema": 2, "host": "seat-1", "student": "2110", "mode": "watch", "claims": {}}
    (tmp_path / "seat-1" / "manifest.json").write_text(json.dumps(known))
    found = assess(tmp_path, DEFAULT, parse_roster(ROSTER.encode(), "roster.csv"))
    [one] = [one for one in found.submissions if one.file]
    assert [remark.code for remark in one.remarks] == ["manifest-names-another"]


def test_nobody_is_told_that_they_handed_in_nothing_while_a_file_is_nobodys(
    tmp_path: Path,
) -> None:
    lay(tmp_path, "seat-1/upcall.pcap", "guest/upcall.pcap")
    seats = parse_roster(ROSTER.encode(), "roster.csv")

    def told() -> set[str]:
        found = assess(tmp_path, DEFAULT, seats).submissions
        return {one.remarks[0].code for one in found if not one.file}

    assert told() == {"missing-or-nobodys"}
    (tmp_path / "guest" / "upcall.pcap").unlink()
    assert told() == {"missing"}


def test_the_playbooks_own_files_are_not_judged(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *("seat-1/upcall.pcap", "seat-1/manifest.json", "seat-1/server.log", "seat-1/client.log"),
        *("submissions/2110/upcall.pcap", "submissions/2110/earlier/1/upcall.pcap"),
        *("seat-2/incomplete/upcall.pcap", "run.json", "run.json.lock", "missing.csv"),
        *(".hidden", ".cache/upcall.pcap", "__MACOSX/._upcall.pcap"),
    )
    assert set(owners(tmp_path)) == {"seat-1/upcall.pcap", "submissions/2110/upcall.pcap"}


def test_beside_a_capture_screenshots_do_not_count(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *("211/upcall.pcap", "211/screen.png", "211/report.docx"),
        *("2110/screen.png", "2110001/upcall.txt", "2110001/b.png"),
        *("upcall.pcap", "screen.png"),
    )
    assert set(owners(tmp_path)) == {
        *("211/upcall.pcap", "2110/screen.png", "2110001/upcall.txt"),
        *("upcall.pcap", "screen.png"),
    }


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


WORD = zipped(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
ZSTANDARD = bytes.fromhex("28b52ffd 2400")


@pytest.mark.parametrize(
    ("capture", "beside", "judged"),
    [
        (packed(CAPTURE), WORD, "capture"),
        (zipped(upcall=CAPTURE), WORD, "capture"),
        (zipped(upcall=CAPTURE, report=b"%PDF"), b"%PDF", "capture"),
        (ZSTANDARD, WORD, "capture"),
        # What keeps it from being read is told, not passed over.
        (packed(CAPTURE)[:-9], WORD, "capture"),
        (zipped(one=CAPTURE, two=CAPTURE), WORD, "capture"),
        # What is surely a capture comes before what may hold one.
        (CAPTURE, ZSTANDARD, "capture"),
        (CAPTURE, packed(b"%PDF"), "capture"),
        (CAPTURE, packed(b""), "capture"),
        (CAPTURE, packed(packed(CAPTURE)), "capture"),
        (CAPTURE, zipped(upcall=CAPTURE)[:-20], "capture"),
        (CAPTURE, zipped(**{f"{n:03}": b"" for n in range(100)}, upcall=CAPTURE), "capture"),
        (CAPTURE, packed(CAPTURE), "both"),
        (b"%PDF", WORD, "both"),
    ],
)
def test_a_packed_capture_is_found_beside_other_files(
    capture: bytes, beside: bytes, judged: str, tmp_path: Path
) -> None:
    folder = tmp_path / "211"
    folder.mkdir()
    (folder / "capture").write_bytes(capture)
    (folder / "beside").write_bytes(beside)
    names = {"capture"} if judged == "capture" else {"capture", "beside"}
    assert {Path(one.file).name for one in find(tmp_path, None).files} == names


def test_all_captures_of_a_student_are_judged_and_logs_belong_to_one_alone(tmp_path: Path) -> None:
    lay(tmp_path, "211/upcall.pcap", "211/upcall 2.pcap", "2110/upcall.pcap", "2110/shot.png")
    found = find(tmp_path, None).files
    assert {one.file: one.sidecars for one in found} == {
        "211/upcall 2.pcap": False,
        "211/upcall.pcap": False,
        "2110/upcall.pcap": True,
    }


def test_who_has_no_file_is_missing_and_all_are_in_order(tmp_path: Path) -> None:
    lay(tmp_path, "seat-3/upcall.pcap", "2110/upcall.pcap", "guest/upcall.pcap")
    found = assess(tmp_path, DEFAULT, parse_roster(ROSTER.encode(), "roster.csv"))
    assert [(one.owner.student, str(one.verdict)) for one in found.submissions] == [
        ("211", "missing"),
        ("2110", "graded"),
        ("2110001", "graded"),
        ("2110002", "graded"),
        ("agus_w", "missing"),
        ("guest", "graded"),
        ("sari.dewi", "missing"),
        ("t1", "missing"),
        ("t2", "missing"),
    ]
    missing = found.submissions[0]
    assert (missing.file, missing.points, missing.owner.name) == ("", 0, "Sari Dewi")


@pytest.mark.parametrize(("roster", "student"), [(ROSTER, "211"), ("", "seat-1")])
def test_what_a_session_typed_is_no_work_of_a_student(
    roster: str, student: str, tmp_path: Path
) -> None:
    lay(tmp_path, "seat-1/upcall.pcap")
    manifest = {"schema": 1, "host": "seat-1", "mode": "exercise"}
    (tmp_path / "seat-1" / "manifest.json").write_text(json.dumps(manifest))
    seats = parse_roster(roster.encode(), "roster.csv") if roster else None

    def scripted() -> dict[str, tuple[bool, bool]]:
        """Return the files of scripted sessions: whether they are told, and wait for a person."""
        found = assess(tmp_path, DEFAULT, seats)
        tree = json.loads(b"".join(grades(found, "en")))["submissions"]
        rows = csv.DictReader(grades_table(found, Wording("en")).decode("utf-8-sig").splitlines())
        waits = {row["file"]: row["needs_person"] == "yes" for row in rows if row["file"]}
        told = {}
        for one in (one for one in tree if one["mode"] == "exercise"):
            if one["counts"]:
                assert one["needs_person"] == waits[one["file"]]
            codes = {remark["code"] for remark in one["remarks"]}
            told[one["file"]] = ("scripted" in codes, one["needs_person"])
        return told

    assert scripted() == {"seat-1/upcall.pcap": (True, True)}
    (tmp_path / "submissions" / student).mkdir(parents=True)
    own = tmp_path / "submissions" / student / "upcall.pcap"
    own.write_bytes(exchange(b"1", number=7))
    assert scripted() == {"seat-1/upcall.pcap": (False, False)}


def test_a_session_where_nobody_sits_is_nobodys_work(tmp_path: Path) -> None:
    lay(tmp_path, "seat-9/upcall.pcap")
    manifest = {"schema": 1, "host": "seat-9", "mode": "exercise"}
    (tmp_path / "seat-9" / "manifest.json").write_text(json.dumps(manifest))
    found = assess(tmp_path, DEFAULT, parse_roster(ROSTER.encode(), "roster.csv")).submissions
    [one] = [one for one in found if one.file]
    assert not one.owner.on_roster
    assert one.remarks == ()


@pytest.mark.parametrize("roster", [ROSTER, ""])
def test_what_was_scripted_after_a_student_typed_takes_no_grade_away(
    roster: str, tmp_path: Path
) -> None:
    scripted, watched = tmp_path / "seat-1" / "scripted", tmp_path / "seat-1"
    scripted.mkdir(parents=True)
    for folder, mode, number in ((scripted, "exercise", 1), (watched, "watch", 2)):
        (folder / "upcall.pcap").write_bytes(exchange(b"1", number=number))
        (folder / "manifest.json").write_text(json.dumps({"host": "seat-1", "mode": mode}))
    seats = parse_roster(roster.encode(), "roster.csv") if roster else None

    def told() -> dict[str, tuple[str, str, bool]]:
        found = assess(tmp_path, DEFAULT, seats)
        (counts,) = [one for one in counting(found) if one.file]
        assert counts.file == "seat-1/upcall.pcap"
        return {
            one.file: (one.owner.student, one.mode, awaits_person(one, copied(found)))
            for one in found.submissions
            if one.file
        }

    student = "211" if roster else "seat-1"
    assert told() == {
        "seat-1/upcall.pcap": (student, "watch", False),
        "seat-1/scripted/upcall.pcap": (student, "exercise", False),
    }
    # The script's packets are no student's own, wherever they lie.
    (watched / "upcall.pcap").write_bytes((scripted / "upcall.pcap").read_bytes())
    assert told()["seat-1/upcall.pcap"] == (student, "watch", True)


CLAIMS = {"mode": "exercise", "tcpdump": {"dropped": 9}, "network": {"subnets": ["0.0.0.0/0"]}}
"""What would change a grade, if it were believed."""


@pytest.mark.parametrize(
    ("file", "roster", "believed"),
    [
        # what a playbook wrote
        ("seat-1/upcall.pcap", ROSTER, True),
        ("SEAT-1/upcall.pcap", ROSTER, True),
        ("seat-5/upcall.pcap", ROSTER, True),
        ("seat-1/scripted/upcall.pcap", ROSTER, True),
        ("submissions/211/upcall.pcap", ROSTER, True),
        ("seat-1/upcall.pcap", "", True),
        ("seat-1/scripted/upcall.pcap", "", True),
        ("submissions/anybody/upcall.pcap", "", True),
        # what was handed in
        ("211/upcall.pcap", ROSTER, False),
        ("nobody/upcall.pcap", ROSTER, False),
        ("Sari Dewi_1_assignsubmission_file_/upcall.pcap", ROSTER, False),
        ("Sari Dewi_1_assignsubmission_file_/seat-1/upcall.pcap", ROSTER, False),
        ("seat-1/seat-1/upcall.pcap", ROSTER, False),
        ("submissions/211/inner/upcall.pcap", ROSTER, False),
        ("submissions/nobody/upcall.pcap", ROSTER, False),
        ("repositories/211/upcall.pcap", ROSTER, False),
        ("211/upcall.pcap", "", False),
        ("211/scripted/upcall.pcap", ROSTER, False),
        ("211/scripted/upcall.pcap", "", False),
        ("seat-1/scripted/scripted/upcall.pcap", ROSTER, False),
        ("seat-1/seat-1/upcall.pcap", "", False),
        ("upcall.pcap", "", False),
    ],
)
def test_only_a_playbooks_manifest_is_believed(
    file: str, roster: str, believed: bool, tmp_path: Path
) -> None:
    lay(tmp_path, file)
    manifest = {**CLAIMS, "host": "seat-1"}
    (tmp_path / file).with_name("manifest.json").write_text(json.dumps(manifest))
    rubric = parse_rubric("criteria:\n- {id: network, points: 1}\n", "rubric.yml")
    seats = parse_roster(roster.encode(), "roster.csv") if roster else None
    [found] = [one for one in assess(tmp_path, rubric, seats).submissions if one.file]
    assert found.file == file
    codes = {remark.code for remark in found.remarks}
    assert found.mode == ("exercise" if believed else "")
    assert ("dropped" in codes) is believed
    assert found.points == believed
    assert ("network-unknown" in codes) is not believed


def test_what_is_to_be_passed_over_is(tmp_path: Path) -> None:
    lay(
        tmp_path, "upcall.pcap", "out/report/upcall.pcap", "a/secret", "a/upcall.pcap", "rubric.yml"
    )
    (tmp_path / "roster.csv").symlink_to(tmp_path / "elsewhere.csv")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    without = [link / "out", link / "a" / "secret", link / "roster.csv", Path("none")]
    assert [one.file for one in find(tmp_path, None, without).files] == [
        *("link", "rubric.yml", "upcall.pcap", "a/upcall.pcap")
    ]
    assert [one.file for one in find(link, None, [tmp_path / "out", link]).files] == [
        *("roster.csv", "rubric.yml", "upcall.pcap", "a/upcall.pcap")
    ]


def test_what_is_passed_over_is_told_with_the_reason(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *("sari/upcall.pcap", "sari/report.docx", "sari/.upcall.pcap", "sari/server.log"),
        *("sari/earlier/1/upcall.pcap", "budi/upcall.pcap", "budi/client.log", ".git/upcall.pcap"),
        *("incomplete/upcall.pcap", "missing.csv", "roster.csv", "out/upcall.pcap"),
    )
    # A capture under the name of a log; an empty log and a text are logs.
    (tmp_path / "sari" / "server.log").write_bytes(CAPTURE)
    (tmp_path / "budi" / "client.log").write_bytes(b"")
    (tmp_path / "budi" / "server.log").write_bytes(b"Upcall server listening\n")
    (tmp_path / "budi" / "all.pcap").symlink_to("../sari/upcall.pcap")
    os.mkfifo(tmp_path / "budi" / "pipe")
    own = [tmp_path / "roster.csv", tmp_path / "out"]
    found = assess(tmp_path, DEFAULT, without=own)
    assert {one.file for one in found.submissions} == {"sari/upcall.pcap", "budi/upcall.pcap"}
    assert [(one.file, one.cause.code) for one in found.passed_over] == [
        (".git", "hidden"),
        ("budi/all.pcap", "link"),
        ("budi/pipe", "no-regular-file"),
        ("incomplete", "earlier-captures"),
        ("sari/.upcall.pcap", "hidden"),
        ("sari/earlier", "earlier-captures"),
        ("sari/report.docx", "beside-capture"),
        ("sari/server.log", "named-as-ours"),
    ]


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "captures"
    lay(outside, "upcall.pcap")
    folder.mkdir()
    (folder / "all").symlink_to(outside)
    (folder / "loop").symlink_to("loop")
    (folder / "up").symlink_to("..")
    found = assess(folder, DEFAULT)
    assert {one.file: str(one.verdict) for one in found.submissions} == dict.fromkeys(
        ("all", "loop", "up"), "unreadable"
    )


def test_a_folder_that_is_too_deep_is_told_and_not_passed_over(tmp_path: Path) -> None:
    deep = "/".join("abcdefgh")
    lay(tmp_path, f"{deep}/upcall.pcap", f"{deep}/i/upcall.pcap")
    found = assess(tmp_path, DEFAULT)
    assert {one.file: str(one.verdict) for one in found.submissions} == {
        f"{deep}/upcall.pcap": "graded",
        f"{deep}/i": "unreadable",
    }


def test_a_folder_in_it_that_cannot_be_read_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "good/upcall.pcap", "locked/upcall.pcap")
    scandir = os.scandir

    def refuse(path: Path) -> Iterator[os.DirEntry[str]]:
        # As for one who is not root: the mode alone would not stop root.
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = assess(tmp_path, DEFAULT)
    assert {one.file: str(one.verdict) for one in found.submissions} == {
        "good/upcall.pcap": "graded",
        "locked": "unreadable",
    }
    with pytest.raises(FolderError, match=r"cannot be read \(Permission denied\); ask its owner"):
        find(tmp_path / "locked", None)


@pytest.mark.parametrize(
    ("name", "words"), [("none", "does not exist"), ("file", "is not a folder")]
)
def test_a_folder_that_is_none(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match=f"{words}; name the folder with the captures"):
        find(tmp_path / name, None)


def test_strangers_are_told_apart(tmp_path: Path) -> None:
    lay(
        tmp_path,
        *("Moh. Ali_1_assignsubmission_file_upcall.pcap", "upcall.1.pcap", "upcall.2.pcap"),
        *("Moh. Budi_2_assignsubmission_file_upcall.pcap", "dewisari_LATE_1_2_upcall.pcap"),
        *("Moh. Cici_3_assignsubmission_file_/lab/upcall.pcap", "no ending", "a/b/upcall.pcap"),
    )
    assert sorted(student for told in owners(tmp_path, "").values() for student in told) == [
        *("Moh. Ali", "Moh. Budi", "Moh. Cici", "b", "dewisari", "no ending"),
        *("upcall.1", "upcall.2"),
    ]


def test_a_roster_of_the_example_is_understood(tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[3] / "inventory" / "roster.example.csv"
    roster = read_roster(example)
    first = roster.seats[0]
    lay(tmp_path, f"{first.host}/upcall.pcap")
    [*found] = find(tmp_path, roster).files
    assert [one.owner.student for one in found] == [one.student_id for one in first.students]
