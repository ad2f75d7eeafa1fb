"""The pages as files: complete, safe whatever stands in a capture, the same for the same input."""

import base64
import hashlib
import re
import time
import unicodedata
from pathlib import Path

import pytest

from tests.unit.report import room
from tests.unit.report.conftest import Room
from tests.unit.report.reading import SVG, Page, read
from upcall_grader.cause import Cause
from upcall_grader.judge.results import Judgement, Remark, Status, Verdict
from upcall_grader.report.ladder import FIRST_STEPS, LAST_STEPS
from upcall_grader.report.pages import write_report


def pages(report: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(report)): path.read_bytes()
        for path in report.rglob("*")
        if path.is_file()
    }


def test_each_submission_has_its_page_and_the_class_leads_to_it(classroom: Room) -> None:
    index = read(classroom.report / "index.html")
    names = {f"{owner.owner.student}.html" for owner in classroom.assessment.submissions}
    written = {path.name for path in (classroom.report / "students").iterdir()}
    assert written == names
    assert {
        element.attributes["href"]
        for element in index.all("a")
        if "/" in element.attributes["href"]
    } == {f"students/{name}" for name in names}
    ids = {element.attributes.get("id") for element in index.elements}
    for link in index.all("a"):
        if link.attributes["href"].startswith("#"):
            assert link.attributes["href"][1:] in ids


def test_a_line_of_the_class_tells_result_points_and_each_criterion(classroom: Room) -> None:
    index = read(classroom.report / "index.html")
    table = index.source[index.source.index('<table class="sortable') :]
    early = re.sub(r"<[^>]+>", " ", table[table.index("early.html") :].split("</tr>")[0])
    met = "✓ met, 10 ✓ met, 25 ✓ met, 15 ✓ met, 25"
    told = f"early Capture again 80 {met} ? cannot be seen, 0 ✓ met, 5"
    assert " ".join(early.split()).endswith(told)
    values = re.findall(r'<td class="figure" data-value="([^"]+)"', table)
    assert len(values) == len(classroom.assessment.submissions)
    assert [float(value) for value in values][:2] == [100.0, 80.0]


def test_the_class_page_counts_names_copies_and_who_is_missing(classroom: Room) -> None:
    text = " ".join(read(classroom.report / "index.html").text.split())
    verdicts = [submission.verdict for submission in classroom.assessment.submissions]
    assert f"{len(verdicts)} submissions" in text
    assert f"{verdicts.count(Verdict.RECAPTURE)} Capture again" in text
    copies = text[text.index("Copies The files") :]
    assert "first-copy first-copy/upcall.pcap" in copies
    assert "second-copy second-copy/upcall.pcap" in copies
    missing = copies[copies.index("Who is missing") : copies.index("What failed most")]
    assert "s0999 Siti Nurhaliza B" in missing
    look = text[text.index("What you need to look at The grader") :]
    assert "text Unreadable It cannot be read: it is what tcpdump prints, not a capture" in look
    assert "early Capture again Orderly close from both sides: The capture ends" in look


def test_what_failed_most_comes_first_with_its_figures(classroom: Room) -> None:
    index = read(classroom.report / "index.html")
    titles = [bar.text for bar in index.all("title") if "not met" in bar.text]
    figures = [re.findall(r"(\d+) (?:not met|cannot)", title) for title in titles]
    totals = [sum(int(figure) for figure in pair) for pair in figures]
    assert len(titles) == len(classroom.assessment.rubric.criteria)
    assert totals == sorted(totals, reverse=True)
    assert totals[0] > 0


def test_pages_need_nothing_and_run_nothing_else(classroom: Room) -> None:
    for path in classroom.report.rglob("*.html"):
        page = read(path)
        (policy,) = [
            element.attributes["content"]
            for element in page.all("meta")
            if element.attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for tag, source in (("style", "style-src"), ("script", "script-src")):
            (inlined,) = re.findall(f"<{tag}>(.*?)</{tag}>", page.source, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(inlined.encode()).digest()).decode()
            assert f"{source} 'sha256-{digest}'" in policy
        assert not re.search(
            r"https?:|\bsrc=|@import|\son[a-z]+=|\sstyle=|javascript:", page.source
        )
        assert page.all("html")[0].attributes["lang"] == "en"


def test_a_students_page_tells_what_was_seen_where_and_what_to_do(classroom: Room) -> None:
    page = classroom.student("early")
    text = " ".join(page.text.split())
    assert "80 of 100 points" in text
    assert "please capture again" in text
    assert "Your instructor will look at this" in text
    todo = text[text.index("How to get the rest") :]
    assert "Type bye in the client" in todo
    assert "Orderly close from both sides (+20 points)" in todo
    assert "frame.number in {1..3}" in [element.text for element in page.all("code")]
    assert '"apa kabar"' in text
    assert page.frames == list(range(1, 10))
    assert page.said("label")[:4] == [
        "Handshake 1 of 3",
        "Handshake 2 of 3",
        "Handshake 3 of 3",
        "Message 1",
    ]


@pytest.mark.parametrize(
    ("student", "caption"),
    [
        ("late", "Before the capture began"),
        ("early", "After the capture"),
        ("ani", None),
        ("reset", None),
    ],
)
def test_packets_that_the_capture_misses_are_drawn(
    classroom: Room, student: str, caption: str | None
) -> None:
    page = classroom.student(student)
    missing = [panel for panel in page.panels if "missing" in panel.attrib["class"]]
    assert [panel.findtext(f"{SVG}title") for panel in missing] == ([caption] if caption else [])
    assert ("Not in the capture" in page.text) == bool(caption)


def test_points_that_the_instructor_has_to_confirm_are_preliminary(classroom: Room) -> None:
    assert "80 of 100 points (preliminary)" in " ".join(classroom.student("early").text.split())
    assert "(preliminary)" not in classroom.student("ani").text


def test_a_missing_student_is_told_what_to_do(classroom: Room) -> None:
    text = " ".join(classroom.student("s0999").text.split())
    assert "You have not handed in a file." in text
    assert "How to get the rest Capture an exchange as the handout describes" in text
    assert "About your file" not in text


@pytest.mark.parametrize(
    ("student", "sentence"),
    [
        ("ani", "Your capture holds everything that was asked for."),
        ("reset", "it does not meet every criterion yet"),
        ("empty", "Your file holds no packet"),
        ("web", "it holds no packets of the upcall lab (TCP port 4141)"),
        ("text", "Your file could not be read as a capture."),
        ("s0999", "You have not handed in a file."),
    ],
)
def test_the_verdict_is_a_sentence(classroom: Room, student: str, sentence: str) -> None:
    page = classroom.student(student)
    assert sentence in page.text
    drawn = student in ("ani", "reset")
    assert bool(page.panels) == drawn
    assert "cannot be drawn" not in page.text


def test_kinds_of_arrows_differ_in_words_too(classroom: Room) -> None:
    labels = classroom.student("reset").said("label")
    assert labels[-1] == "Reset by the client"
    assert "Upcall 1" in labels


def test_a_long_connection_says_how_much_it_leaves_out(classroom: Room) -> None:
    page = classroom.student("long")
    count = 3 + 300 * 3 + 3
    assert page.frames[:FIRST_STEPS] == list(range(1, FIRST_STEPS + 1))
    assert page.frames[FIRST_STEPS:] == list(range(count - LAST_STEPS + 1, count + 1))
    assert f"{count - FIRST_STEPS - LAST_STEPS} packets are left out here" in page.text
    assert "260 more exchanges are not listed." in page.text


def test_a_page_of_a_copy_tells_nothing_of_the_other(classroom: Room) -> None:
    for mine, other in (("first-copy", "second-copy"), ("second-copy", "first-copy")):
        page = classroom.student(mine)
        assert "Another submission holds the same capture as yours." in page.text
        assert other not in page.source


def test_no_students_page_holds_anything_of_another_one(classroom: Room) -> None:
    students = [submission.owner.student for submission in classroom.assessment.submissions]
    distinct = [name for name in students if "-" in name or name.startswith("s0")]
    assert len(distinct) == 3
    for student in students:
        source = classroom.student(student).source
        assert [name for name in distinct if name in source and name != student] == []


def unreadable(text: str) -> Remark:
    return Remark("unreadable", {"cause": Cause("not-opened", {"error": text})}, (1,), True)


def _check_harmless(page: Page) -> None:
    for character in page.source:
        odd = unicodedata.category(character)[0] in ("C", "Z") and character not in " \n"
        assert not odd, f"U+{ord(character):04X}"
    assert page.source.count("<script") == 1
    assert page.source.count("<!--") == 0
    assert not re.search("\u0301{3}", page.source)


def test_hostile_messages_show_as_text(classroom: Room) -> None:
    page = classroom.student("hostile")
    _check_harmless(page)
    assert len(page.panels) > 8
    assert '"<script>alert(1)</script>' in page.text
    assert any("<script>alert(1)" in text for text in page.said("said"))
    assert "\\u202eevil\\u2066" in page.text
    assert "\\x1b[31m" in page.text


@pytest.mark.parametrize("language", ["en", "id"])
def test_hostile_names_show_as_text(classroom: Room, tmp_path: Path, language: str) -> None:
    hostile = room.of_owners(classroom.assessment, room.HOSTILE)
    hostile = hostile._replace(
        submissions=tuple(
            submission._replace(
                file=f"{index}{submission.owner.student[:99]}",
                remarks=(unreadable(text),),
            )
            for index, (submission, text) in enumerate(
                zip(hostile.submissions, room.HOSTILE, strict=False)
            )
        ),
    )
    write_report(hostile, classroom.folder, tmp_path, language)
    written = list((tmp_path / "report").rglob("*.html"))
    assert len(written) == 1 + len(room.HOSTILE)
    for path in written:
        _check_harmless(read(path))
        assert path.stat().st_size < 300_000
    index = read(tmp_path / "report" / "index.html")
    assert "<script>alert(1)</script>" in index.text
    assert index.all("html")[0].attributes["lang"] == language


def test_the_same_input_gives_the_same_bytes(classroom: Room, tmp_path: Path) -> None:
    write_report(classroom.assessment, classroom.folder, tmp_path, "en")
    assert pages(tmp_path / "report") == pages(classroom.report)
    write_report(classroom.assessment, classroom.folder, tmp_path / "other", "id")
    assert pages(tmp_path / "other" / "report") != pages(classroom.report)


def test_a_capture_that_changed_costs_the_drawing_alone(classroom: Room, tmp_path: Path) -> None:
    write_report(classroom.assessment, tmp_path / "gone", tmp_path, "en")
    page = read(tmp_path / "report" / "students" / "ani.html")
    assert not page.panels
    assert "The connection cannot be drawn" in page.text
    assert "100 of 100 points" in " ".join(page.text.split())


def test_points_have_no_needless_decimals(classroom: Room, tmp_path: Path) -> None:
    first = classroom.assessment.submissions[0]
    criterion = first.judgements[0].criterion
    half = Judgement(criterion, Status.NOT_MET, 2.5, Remark("traffic-none", {"port": 4141}))
    changed = first._replace(judgements=(half, *first.judgements[1:]))
    changed_room = classroom.assessment._replace(submissions=(changed,), copies=())
    write_report(changed_room, classroom.folder, tmp_path, "id")
    page = read(tmp_path / "report" / "students" / "ani.html")
    text = " ".join(page.text.split())
    assert "92,5 dari 100 poin" in text
    assert "2,5 / 10" in text
    assert "(+7,5 poin)" in text


def test_a_class_of_300_is_written_at_once(classroom: Room, tmp_path: Path) -> None:
    """The bound is many times what it takes; it fails where work grows with the square."""
    first = classroom.assessment.submissions[0]
    many = tuple(
        first._replace(owner=first.owner._replace(student=f"s{number:04}")) for number in range(300)
    )
    began = time.process_time()
    write_report(classroom.assessment._replace(submissions=many), classroom.folder, tmp_path, "en")
    assert time.process_time() - began < 6
    assert len(list((tmp_path / "report" / "students").iterdir())) == 300
