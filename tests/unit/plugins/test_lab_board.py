"""plugins/callback/lab_board.py: what a lecturer sees of a run, on real pseudo-terminals."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import sys
import threading
import time
import types
import typing as t

import pytest
from rich.console import Console

from tests.support.loading import load
from tests.support.terminal import CTRL_C
from tests.unit.plugins.conftest import Room, Rooms
from tests.unit.plugins.screen import Shown, at_terminal, cells, drawn, shown
from upcall_board.board import Board
from upcall_board.progress import Progress, Trouble
from upcall_board.screen import Screen

HOLD = """
    - name: Hold
      ansible.builtin.raw: "touch holding; until [ -e '{{ playbook_dir }}/go' ]; do sleep .05; done"
      changed_when: false
      when: inventory_hostname == 'seat-1'
"""

PREPARE = r"""
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - name: Log in
      ansible.builtin.raw: "true"
      changed_when: inventory_hostname == 'seat-2'
      ignore_unreachable: "{{ inventory_hostname == 'loose' }}"
    - name: The disk must have room
      ansible.builtin.fail: {msg: "no room\e[2J on the disk"}
      when: inventory_hostname == 'full'
    - name: Rescue it
      when: inventory_hostname == 'seat-2'
      block:
        - ansible.builtin.fail: {msg: it burns}
      rescue:
        - ansible.builtin.debug: {msg: "rescued \e[8m\u202e[bold]all[/bold]\nPLAY RECAP"}
"""
DEPLOY = """
- hosts: lab_hosts:!dark
  gather_facts: false
  tasks:
    - name: What is in the way
      ansible.builtin.assert: {that: item > 0, quiet: true}
      loop: [1, 2]
      loop_control: {label: "finding {{ item }}. Remedy: push"}
      when: inventory_hostname == 'seat-1'
    - name: Its items say nothing
      ansible.builtin.command: {argv: [echo, "{{ item }}"]}
      changed_when: false
      loop: [silent]
      loop_control: {label: a silent label}
      when: inventory_hostname == 'seat-1'
    - name: Write
      ansible.builtin.copy: {content: "new line\\n", dest: "{{ playbook_dir }}/file", mode: "0600"}
      when: inventory_hostname == 'seat-1'
    - name: Warn
      lab_warn:
      when: inventory_hostname == 'seat-2'
"""
WARN = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec={})
module.warn("the clock is off")
module.deprecate("the old way", version="9.9", collection_name="lab.lab")
module.exit_json()
"""
NOTHING = "- {hosts: lab_hosts, gather_facts: false, tasks: []}\n"
SITE = """
- import_playbook: prepare.yml
- import_playbook: deploy.yml
- import_playbook: capture.yml
"""


class Evening(t.NamedTuple):
    """What a terminal showed while a host was held, and after the run."""

    room: Room
    held: Shown
    after: Shown
    status: int


@pytest.fixture(scope="module")
def evening(room: Rooms) -> Evening:
    """Return a run in which every host has its own fate, held in its last step and then let go."""
    made = room("seat-1", "seat-2", "full", dark=["dark", "loose"])
    made.write(site=SITE, prepare=PREPARE, deploy=DEPLOY + HOLD, capture=NOTHING)
    (made.folder / "library").mkdir()
    (made.folder / "library" / "lab_warn.py").write_text(WARN)
    with at_terminal(made, "site.yml", "--diff") as terminal:
        terminal.expect("Hold")
        # Until the others have nothing more to do.
        deadline = time.monotonic() + 60
        while "\n".join((held := drawn(terminal)).board).count("at work") > 1:
            assert time.monotonic() < deadline, held.everything
        (made.folder / "go").touch()
        status = terminal.exit_status()
        return Evening(made, held, shown(terminal), status)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("seat-1", ["ok", "at work"]),
        ("seat-2", ["changed", "waits"]),
        ("full", ["failed", "not run", "not run"]),
        ("dark", ["unreachable", "-", "not run"]),
        ("loose", ["ok", "waits"]),
    ],
)
def test_each_host_has_a_line_that_fills_in(
    evening: Evening, host: str, expected: list[str]
) -> None:
    row = cells(evening.held.board, host)
    assert row[: len(expected)] == expected
    assert re.fullmatch(r"\d+:\d\d", row[len(expected)])


def test_the_board_tells_what_is_under_way_and_why_not(evening: Evening) -> None:
    board = evening.held.board
    head = r"\d+:\d\d  5 hosts, 1 failed, 1 unreachable, 3 under way"
    assert re.fullmatch(head, board[0])
    assert board[1].split() == ["prepare", "deploy", "capture", "time"]
    assert cells(board, "seat-1")[-1] == "Hold"
    assert cells(board, "full")[-1].startswith(r"no room\x1b[2J on")
    assert cells(board, "dark")[-1].startswith(("connect to host", "Data could not"))
    # The last line is the cursor's, so that a killed run leaves the prompt on a line of its own.
    assert board[-1] == ""
    assert evening.held.cursor


@pytest.mark.parametrize(
    "told",
    [
        # By debug, its lines kept from passing for Ansible's own.
        "seat-2: rescued \\x1b[8m\\u202e[bold]all[/bold]\n  PLAY RECAP",
        "seat-1: finding 1. Remedy: push\nseat-1: finding 2. Remedy: push",
        "[WARNING]: the clock is off",
        "[DEPRECATION WARNING]: the old way",
        "+new line",
        "loose: connect to host 127.0.0.1 port 1: Connection refused;",
    ],
)
def test_what_must_be_seen_is_told_above_the_board(evening: Evening, told: str) -> None:
    above, _, _ = evening.held.everything.rpartition(evening.held.board[0])
    # Long lines are the terminal's to fold.
    assert told in above
    assert told in evening.after.everything


def test_the_board_goes_and_the_report_stays(evening: Evening) -> None:
    text = evening.after.everything
    assert evening.status != 0
    assert text.count("REPORT ***") == 1
    # Which of them it was is the machine's doing.
    host = r"(seat-1|seat-2|full|dark|loose) \d+:\d\d"
    assert re.search(rf"^Longest at work: {host}, {host}, {host}$", text, re.MULTILINE)
    for gone in ("under way", "at work  ", "PLAY RECAP ***", "TASK [Log in]", "silent", "fatal:"):
        assert gone not in text
    # Told once, by the report.
    assert text.count("on the disk") == text.count('task "The disk must have room"') == 1
    assert evening.after.cursor


def test_what_ansible_itself_ends_with_a_return_stays_so(room: Rooms) -> None:
    made = room("seat-1")
    task = "ansible.builtin.pause: {seconds: 1}"
    made.write(prepare=f"- hosts: lab_hosts\n  gather_facts: false\n  tasks:\n    - {task}\n")
    with at_terminal(made, "prepare.yml") as terminal:
        assert terminal.exit_status() == 0
    assert "'A' = abort)" in terminal.text
    assert "\\r" not in terminal.text


def test_a_run_that_is_ended_gives_the_cursor_back(room: Rooms) -> None:
    made = room("seat-1")
    made.write(prepare="- hosts: lab_hosts\n  gather_facts: false\n  tasks:" + HOLD)
    with at_terminal(made, "prepare.yml") as terminal:
        terminal.expect("Hold")
        terminal.send(signal.SIGTERM)
        (made.folder / "go").touch()
        assert terminal.exit_status() != 0
    assert "?25l" in terminal.text
    assert shown(terminal).cursor


TOO_OLD = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.meta: end_host
      when: inventory_hostname is not in ['seat-1', 'seat-7']
    - ansible.builtin.fail: {msg: too old}
      when: inventory_hostname == 'seat-7'
"""


def test_sixty_hosts_fit_a_small_terminal(room: Rooms) -> None:
    made = room(*(f"seat-{number}" for number in range(1, 61)))
    made.write(site=SITE, prepare=NOTHING, deploy=TOO_OLD + HOLD, capture=NOTHING)
    with at_terminal(made, "site.yml") as terminal:
        terminal.expect("Now, on 1: Hold")
        terminal.expect("seat-7: deploy: too old")
        screen = drawn(terminal)
        times = re.findall(r"\bseat-\d+ \S+ +\d+:\d\d", "\n".join(screen.board))
        assert len(times) == 60
        assert "seat-1 ✓▸·" in "\n".join(screen.board)
        assert "seat-7 ✓✗○" in "\n".join(screen.board)
        assert len(screen.board) < 24
        # Nothing of an earlier board is left above.
        assert screen.everything.count("60 hosts") == 1
        # With Ctrl-C the terminal drops what it has not shown yet: not in the midst of a board.
        terminal.expect("too old")
        terminal.type(CTRL_C)
        assert terminal.exit_status() != 0
    after = shown(terminal)
    assert after.cursor
    assert "under way" not in after.everything
    assert after.everything.count("User interrupted execution") == 1
    assert after.everything.count("REPORT ***") == 1
    assert "60 hosts: 1 failed, 59 unfinished, interrupted," in after.everything


RESIZE = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: before}
      run_once: true
    - name: Make the terminal smaller
      ansible.builtin.raw: stty -F "$BOARD_TTY" cols 62 rows 20
      when: inventory_hostname == 'seat-1'
"""


def test_the_board_follows_the_size_of_the_terminal(room: Rooms) -> None:
    made = room("seat-1", "seat-2")
    wide = "a-task-that-takes-all-of-a-line-" * 4
    made.write(prepare=(RESIZE + HOLD).replace("Hold", wide))
    with at_terminal(made, "prepare.yml", columns=100) as terminal:
        terminal.expect("a-task")
        now = drawn(terminal, columns=62)
    assert max(map(len, now.board)) <= 61
    assert "seat-1: before" in now.everything


def simple(room: Rooms) -> Room:
    """Return a room with one host, and a play that fails there after it told something."""
    made = room("seat-1")
    made.write(
        prepare="""
        - hosts: lab_hosts
          gather_facts: false
          tasks:
            - name: Say
              ansible.builtin.debug: {msg: said}
            - name: Break
              ansible.builtin.fail: {msg: broken}
        """
    )
    return made


def without_figures(text: str) -> str:
    """Return an output without what differs from run to run."""
    return re.sub(r"\d+\.\d s", "", text)


def test_a_pipe_gets_what_the_default_callback_prints(room: Rooms) -> None:
    made = simple(room)
    ours, usual = (
        made.run("prepare.yml"),
        made.run("prepare.yml", ANSIBLE_STDOUT_CALLBACK="default"),
    )
    assert "TASK [Say] ***" in ours.output
    assert without_figures(ours.output) == without_figures(usual.output)


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["-v"], {}),
        ([], {"TERM": "dumb"}),
        ([], {"ANSIBLE_STDOUT_CALLBACK": "default"}),
        ([], {"PYTHONPATH": "norich"}),
    ],
    ids=["-v", "dumb", "default", "no rich"],
)
def test_at_a_terminal_the_usual_lines_come_back(
    room: Rooms, words: list[str], environment: dict[str, str]
) -> None:
    made = simple(room)
    (made.folder / "norich").mkdir()
    (made.folder / "norich" / "rich.py").touch()
    with at_terminal(made, "prepare.yml", *words, environment=environment) as terminal:
        assert terminal.exit_status() == 2
    text = shown(terminal).everything
    assert "?25" not in terminal.text
    for line in ("PLAY [lab_hosts] ***", "TASK [Say] ***", "ok: [seat-1] =>", "PLAY RECAP ***"):
        assert line in text
    folded = text.replace("\n", " ")
    assert folded.count("Plain lines instead of the board: No module named 'rich.") == (
        "PYTHONPATH" in environment
    )


BARE = {"ANSIBLE_CALLBACKS_ENABLED": "default", "NO_COLOR": "1"}


def test_without_the_report_the_board_tells_failures_itself(room: Rooms) -> None:
    with at_terminal(simple(room), "prepare.yml", environment=BARE) as term:
        assert term.exit_status() == 2
    text = shown(term).everything
    assert "?25h" in term.text
    assert "seat-1: said" in text
    assert "fatal: [seat-1]: FAILED! =>" in text
    assert "PLAY RECAP ***" in text
    assert "REPORT ***" not in text
    # Bold and dim are no colours.
    assert not re.search(r"\x1b\[[\d;]*[39]\d", term.text)


ASKING = """
- hosts: lab_hosts
  gather_facts: false
  vars_prompt:
    - {name: colour, prompt: Which colour, private: false}
  tasks:
"""
ASKED = """
    - name: Compare
      ansible.builtin.pause: {prompt: Are they right}
      register: answer
    - ansible.builtin.debug: {msg: "{{ answer.user_input }}, {{ colour }}"}
"""


def test_questions_have_the_terminal_for_themselves(room: Rooms) -> None:
    made = room("seat-1")
    (made.folder / "prepare.yml").write_text(ASKING + HOLD + ASKED)
    with at_terminal(made, "prepare.yml") as terminal:
        terminal.expect("Which colour: ")
        terminal.say("blue")
        terminal.expect("Hold")
        (made.folder / "go").touch()
        terminal.expect("Are they right:")
        terminal.await_polling()
        asked = shown(terminal)
        assert "\n[Compare]\nAre they right:\n" in asked.everything
        assert "under way" not in asked.everything
        assert asked.cursor
        terminal.say("yes")
        assert terminal.exit_status() == 0
        # Ansible clears the answer with a sequence that no terminal knows.
        assert "seat-1: yes, blue" in terminal.text


@pytest.fixture(scope="module")
def plugin() -> t.Any:
    """Return the plugin, beside lab_report."""
    return load("plugins/callback/lab_board.py")


def board_of(hosts: list[str], lost: int = 0) -> Board:
    """Return a board whose hosts wait in the one step that has begun; the last ones failed."""
    board = Board(Progress())
    for step in ("prepare", "deploy"):
        board.progress.members[step] = set(hosts)
        board.progress._waiting[step] = set(hosts)
    for host in hosts:
        board.seat(host).begin("Hold")
    for host in hosts[len(hosts) - lost :]:
        board.progress.lost[host] = 1
        board.progress.trouble[host] = Trouble("prepare", "Hold", "why " * 99, False)
    return board


@pytest.mark.parametrize("columns", [20, 41, 59, 60, 80, 132])
@pytest.mark.parametrize("lines", [5, 8, 24, 50])
@pytest.mark.parametrize(("hosts", "lost"), [(1, 0), (1, 1), (7, 2), (60, 0), (60, 60), (400, 9)])
def test_a_board_of_any_size_fits(hosts: int, lost: int, lines: int, columns: int) -> None:
    board = board_of([f"seat-{i}" for i in range(hosts)], lost)
    screen = Screen(board, print)
    screen._console = Console(file=io.StringIO(), force_terminal=True)
    screen._fit((columns, lines))
    screen._frame(columns, lines)
    assert len(screen._drawn) < lines
    assert max(screen._drawn) < columns
    assert screen._drawn[-1] == 0


@pytest.fixture
def tty() -> t.Iterator[tuple[t.TextIO, int]]:
    """Yield a stream to a pseudo-terminal, and the descriptor at which that is read."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", buffering=1) as stream:
        yield stream, ours
    os.close(ours)


def test_a_board_that_cannot_be_drawn_gives_way_to_plain_lines(
    tty: tuple[t.TextIO, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    board, told = board_of(["seat-1"]), threading.Event()
    stream, shown_at = tty
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(board, "frame", lambda *_size: 1 / 0)
    screen = Screen(board, lambda _error: told.set())
    screen.show()
    assert sys.stdout is not stream
    assert told.wait(10)
    assert sys.stdout is stream
    screen.hide()
    print("plain", flush=True)
    shown = b""
    while not shown.endswith(b"plain\r\n"):
        assert select.select([shown_at], [], [], 5)[0], shown
        shown += os.read(shown_at, 4096)


@pytest.mark.parametrize("spoiler", [None, "step", "DEFAULT_LOG_PATH", "ENABLE_TASK_DEBUGGER"])
def test_no_board_where_it_would_hide_or_spoil_something(
    plugin: types.ModuleType,
    tty: tuple[t.TextIO, int],
    spoiler: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", tty[0])
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(plugin.context, "CLIARGS", {"step": spoiler == "step"})
    for name in ("DEFAULT_LOG_PATH", "ENABLE_TASK_DEBUGGER"):
        monkeypatch.setattr(plugin.constants, name, spoiler == name)
    assert plugin.CallbackModule()._wanted() is (spoiler is None)


@pytest.mark.parametrize(
    ("action", "debugger", "asks"),
    [
        ("ansible.builtin.pause", None, True),
        ("pause", None, True),
        ("ansible.builtin.raw", None, False),
        ("ansible.builtin.raw", "never", False),
        ("ansible.builtin.raw", "on_failed", True),
    ],
)
def test_what_may_ask(
    plugin: types.ModuleType, action: str, debugger: str | None, asks: bool
) -> None:
    assert plugin.asks(types.SimpleNamespace(action=action, debugger=debugger)) is asks


@pytest.mark.parametrize(("columns", "lines"), [(100, 0), (62, 2), (33, 5)])
def test_lines_that_a_narrower_terminal_has_folded_are_erased_too(columns: int, lines: int) -> None:
    screen = Screen(board_of(["seat-1"]), print)
    out = io.StringIO()
    screen._console = Console(file=out, force_terminal=True, _environ={"TERM": "xterm"})
    screen._drawn, screen._size = [99, 61, 62, 63, 0], (100, 24)
    screen._fit((columns, 24))
    assert out.getvalue() == "\x1b[1A\x1b[2K" * lines
