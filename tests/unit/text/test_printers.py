"""Every printer of this project, given the same hostile strings: nothing of them comes out raw."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.loading import load
from tests.unit.export import building
from tests.unit.grader import building as b
from tests.unit.plugins.conftest import Room
from tests.unit.text.hostile import HOSTILE, raw
from upcall_board.board import Board
from upcall_board.plain import harmless
from upcall_board.progress import Play, Progress
from upcall_board.reasons import why_failed, why_unreachable
from upcall_board.screen import Screen
from upcall_grader.capture.packets import Other
from upcall_grader.cause import Cause
from upcall_grader.export.canvas import canvas_table
from upcall_grader.export.grades_json import grades
from upcall_grader.export.moodle import moodle_table
from upcall_grader.export.tables import grades_table
from upcall_grader.grade import command as grade
from upcall_grader.judge.results import Assessment, Owner, PassedOver, Remark
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.pages import write_report
from upcall_grader.selfcheck import command as selfcheck
from upcall_grader.show import command as show
from upcall_grader.show.rows import Row
from upcall_grader.show.table import Table
from upcall_grader.terminal import Glyphs, Painter
from upcall_grader.texts.wording import Wording
from upcall_roster import RosterError, parse_roster

TEXTS = tuple(HOSTILE.values())
SIGN = r"\x1b[2J"
"""The first of them, escaped: a printer that shows it has been given all."""
Capsys = pytest.CaptureFixture[str]
Main = Callable[[list[str]], int]


def check(output: str, *, sign: bool = True) -> None:
    assert raw(output) == []
    assert (SIGN in output) is sign


def legal(text: str) -> bool:
    """Return whether a file may have that name."""
    try:
        return not set(os.fsencode(text)) & set(b"\0/")
    except UnicodeEncodeError:
        return False


def said_by(main: Main, words: list[str], capsys: Capsys) -> str:
    """Return what a program writes to both of its streams."""
    with contextlib.suppress(SystemExit):
        main(words)
    out, err = capsys.readouterr()
    return out + err


def bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def assessment() -> Assessment:
    """Return a class in which each string is everybody's name, file, group and message.

    Each is passed over once, too.
    """
    submissions = []
    for number, text in enumerate(TEXTS):
        owner = Owner(f"{number}{text}", text, f"{text}@example.org", text, text, on_roster=True)
        one = building.graded(owner, f"{text}/{number}.pcap", upcalls=0)
        exchange = building.exchange(bytes_of(text), bytes_of(text))
        judgements = tuple(
            judgement._replace(filter=text, remark=Remark("upcalls-wrong", {"message": text}))
            for judgement in one.judgements
        )
        unreadable = Remark("unreadable", {"cause": Cause("not-opened", {"error": text})})
        submissions.append(
            one._replace(
                exchanges=(exchange,),
                judgements=judgements,
                remarks=(unreadable, Remark("copy", {"files": text})),
                mode=text,
            )
        )
    passed_over = tuple(PassedOver(text, Cause("hidden")) for text in TEXTS)
    return building.assessment(*submissions)._replace(passed_over=passed_over)


# -- upcall-show and upcall-grade


def test_packets_and_judgement(tmp_path: Path, capsys: Capsys) -> None:
    messages = [bytes_of(text) for text in TEXTS]
    path = tmp_path / f"{SIGN[0]}\x1b[2J.pcap"
    path.write_bytes(b.pcap(b.frames(b.lab(*messages))))
    (tmp_path / "server.log").write_bytes(b"\n".join(messages))
    for color in ("never", "always"):
        words = ["--color", color, str(path)]
        output = said_by(show.main, words, capsys)
        if color == "always":
            assert "\x1b[32m" in output  # the program's own
        else:
            check(output)


def test_packets_of_something_else() -> None:
    others = [Other(n, 0, text, text, text, text) for n, text in enumerate(TEXTS, 1)]
    rows = [Row(other.frame, other.time_ns, None, other) for other in others]
    check("\n".join(Table(rows, 140, Painter(False), Glyphs(), b"").lines()))


MAINS: dict[str, Main] = {
    "show": show.main,
    "grade": grade.main,
    "grade rubric": lambda words: grade.main(["rubric", *words]),
    "grade tokens": lambda words: grade.main(["tokens", "--roster=/", "--secret=/", *words]),
    "check": selfcheck.main,
}


@pytest.mark.parametrize("main", MAINS.values(), ids=MAINS)
@pytest.mark.parametrize("option", [[], ["--rubric"], ["--unheard-of"], ["--lang"], ["--port"]])
def test_what_a_command_line_names(
    main: Main, option: list[str], tmp_path: Path, capsys: Capsys
) -> None:
    outputs = []
    for text in TEXTS:
        words = [f"{option[0]}={tmp_path}/{text}", str(tmp_path)] if option else [text]
        outputs.append(said_by(main, words, capsys))
    check("\n".join(outputs))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_class_on_a_terminal(language: str, tmp_path: Path, capsys: Capsys) -> None:
    for number, text in enumerate(filter(legal, TEXTS)):
        folder = tmp_path / "captures" / text
        folder.mkdir(parents=True)
        talk = b.Talk(client_seq=1000 * number, server_seq=7919 * number + 1)
        packets = talk.open().say(bytes_of(text), b"x").packets
        (folder / f"{text}.pcap").write_bytes(b.pcap(b.frames(packets)))
        (folder / "server.log").write_bytes(bytes_of(text))
        (folder / f".{text}").touch()
    out = tmp_path / "out\x1b[2J"
    words = ["--lang", language, "--passed-over", "--out", str(out), "--assignment", TEXTS[0]]
    check(said_by(grade.main, [*words, str(tmp_path / "captures")], capsys))
    for file in [*out.glob("*.csv"), *out.glob("*.json"), *out.glob("report/**/*.html")]:
        assert raw(file.read_text("utf-8")) == []


# -- what is written for others


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(language: str, tmp_path: Path) -> None:
    write_report(assessment(), tmp_path, tmp_path / "out", language)
    index, *students = sorted((tmp_path / "out" / "report").rglob("*.html"))
    assert len(students) == len(TEXTS)
    check(index.read_text("utf-8"))
    for page in students:
        assert raw(page.read_text("utf-8")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_exports(language: str) -> None:
    wording = Wording(language)
    for data in (
        grades_table(assessment(), wording),
        moodle_table(assessment(), wording, TEXTS[0]),
        canvas_table(assessment(), TEXTS[0]),
    ):
        check(data.decode("utf-8"))
    written = b"".join(grades(assessment(), language))
    assert written.isascii()
    assert raw(written.decode()) == []


# -- a run of the playbooks


def run() -> Board:
    """Return a board on which each string is a host, a task and a reason."""
    progress = Progress()
    progress.start_play(Play(f"playbooks/{TEXTS[0]}.yml:1", TEXTS, TEXTS))
    board = Board(progress, TEXTS[0])
    for number, text in enumerate(TEXTS):
        board.seat(text).begin(text)
        if number % 2:
            progress.stop(text, text, text, unreachable=False)
    return board


@pytest.mark.parametrize("size", [(200, 100), (200, 20), (60, 10)])
def test_the_board(size: tuple[int, int]) -> None:
    out = io.StringIO()
    console = Console(file=out, width=size[0], color_system=None, force_terminal=True)
    console.print(run().frame(*size))
    check(out.getvalue())
    assert raw(run().longest()) == []


def test_what_is_printed_above_the_board() -> None:
    text = "\n".join(TEXTS)
    check(harmless(text))
    screen = Screen(run(), lambda _error: None, ["0;32"])
    drawn = screen._drawn_text(text)
    check(drawn.plain)


class Display:
    """Keeps what a callback plugin prints."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def display(self, text: str, **_: t.Any) -> None:
        """Keep a text."""
        self.said.append(text)

    banner = display


def test_the_report_of_a_run() -> None:
    plugin = load("plugins/callback/lab_report.py")
    callback, display = plugin.CallbackModule(), Display()
    callback._display = display
    failed = [{"step": text, "task": text, "reason": text} for text in TEXTS]
    hosts = {
        text: {"steps": {"x": "failed"}, "failed": why, "unreachable": False, "finished": True}
        for text, why in zip(TEXTS, failed, strict=True)
    }
    callback._print({"steps": ["x", TEXTS[0]], "hosts": hosts, "limit": [], "seconds": 1.0})
    check("\n".join(display.said))


def test_reasons() -> None:
    for tell in (why_failed, why_unreachable):
        results: list[dict[str, t.Any]] = [{"msg": text} for text in TEXTS]
        results += [{"msg": "MODULE FAILURE", "stderr": text} for text in TEXTS]
        results += [{"censored": text} for text in TEXTS]
        check("\n".join(map(tell, results)))


# Ansible refuses a module's answer that is no UTF-8.
UNICODE = [text for text in TEXTS if text == text.encode("utf-8", "ignore").decode()]
HOST = f"""#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={{"fails": {{"type": "bool", "default": False}}}})
texts = {UNICODE!a}
for text in texts:
    module.warn(text)
running = [{{"pid": 7, "interface": text, "command": text}} for text in texts]
if module.params["fails"]:
    module.fail_json(msg="\\n".join(texts), running=running)
module.exit_json(running=running)
"""
PLAY = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - name: Look
      lab_hostile:
      register: looked
    - name: List
      ansible.builtin.assert: {that: item.pid == 7, quiet: true}
      loop: "{{ looked.running }}"
      loop_control: {label: "{{ item.interface }}"}
    - name: Tell
      ansible.builtin.debug: {var: looked}
    - name: Break
      lab_hostile: {fails: true}
"""


@pytest.mark.parametrize(
    ("form", "words"), [("json", []), ("json", ["-v"]), ("yaml", ["-v"]), ("json", ["-vvv"])]
)
def test_the_usual_lines_of_a_run(form: str, words: list[str], tmp_path: Path) -> None:
    room = Room(tmp_path, ["seat-1"])
    room.write(prepare=PLAY)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "lab_hostile.py").write_text(HOST)
    run = room.run("prepare.yml", *words, ANSIBLE_CALLBACK_RESULT_FORMAT=form, TERM="dumb")
    assert run.status == 2
    assert "TASK [Break] ***" in run.output
    check(run.output)


# -- rosters, and what hosts say


def test_a_roster_s_messages() -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["host", "student_id", "name", "email", "address", "user", "port"])
    writer.writerows([value] * 7 for value in TEXTS)
    data = text.getvalue().encode("utf-8", "replace")
    with pytest.raises(RosterError) as caught:
        parse_roster(data, TEXTS[0])
    check(str(caught.value))


def test_findings() -> None:
    findings = load("plugins/filter/lab_look_findings.py")
    said = []
    for text in TEXTS:
        service = {"running": True, "health": text, "networks": [text]}
        engine = {"works": True, "client": text, "daemon": "", "elsewhere": "", "error": text}
        look = {
            "os": {"systemd": True},
            "engine": engine,
            "compose": {"works": False, "error": text},
            "services": {text: service, "client": {**service, "networks": ["other"]}},
            "network": {"name": text, "interface": text, "error": "", "exists": False, "up": True},
            "port": {"pid": 7, "since": text, "command": text},
            "tcpdump": {
                "path": "/t",
                "permitted": True,
                "running": [{"pid": 7, "interface": text + "x", "command": text}],
            },
            "disk": {"free": 0, "path": text},
            "leftovers": [{"kind": text, "id": text, "command": text}],
            "session": {"who": text, "since": text, "pid": 7},
        }
        listed = findings.lab_look_findings(look, text, 4141, text, 9.0, 0.0, 1, 2)
        for other in ({"works": False}, {"works": False, "daemon": text}, {"elsewhere": text}):
            look |= {"engine": engine | other, "session": {}}
            listed += findings.lab_look_findings(look, text, 4141, text, 9.0, 0.0, 1, 2)
        said += [f"{finding['what']}: {finding['remedy']}" for finding in listed]
    check("\n".join(said))


def test_what_was_collected() -> None:
    seats = load("plugins/filter/lab_collect_seats.py")
    names = ("student", "name", "host", "why", "collected_before")
    rows = [dict.fromkeys(names, text) for text in TEXTS]
    check("\n".join(seats.lab_collect_lines(rows)))
    check(seats.lab_collect_csv(rows))
    action = load("plugins/action/lab_collect_submission.py")
    check("\n".join(map(action.shown, TEXTS)))
    module = load("plugins/modules/lab_collect_submission_info.py")
    check("\n".join(module.shown((text,)) for text in TEXTS))
