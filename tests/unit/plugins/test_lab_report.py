"""plugins/callback/lab_report.py: what a run tells of its hosts, seen by real runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.loading import load
from tests.support.terminal import TOP
from tests.unit.plugins.conftest import Room, Rooms, Run
from upcall_board import reasons

SITE = """
- import_playbook: prepare.yml
- import_playbook: deploy.yml
- import_playbook: capture.yml
"""

PREPARE = r"""
- hosts: lab_hosts:!lectern:!loose
  gather_facts: false
  tasks:
    - name: Meet the host
      ansible.builtin.command: "true"
      changed_when: false
    - name: Install the engine
      ansible.builtin.fail:
        msg: "no room\n\e[2J\u202e{{ 'left ' * 200 }}"
      when: inventory_hostname == 'early'
- hosts: ended:seat-2
  gather_facts: false
  tasks:
    - ansible.builtin.meta: end_host
      when: inventory_hostname == 'ended'
    - ansible.builtin.fail:
      when: inventory_hostname == 'ended'
"""

DEPLOY = """
- hosts: lab_hosts:!lectern:!early:!ended:!cleared:!seat-10:!dark
  gather_facts: false
  strategy: free
  tasks:
    - ansible.builtin.include_tasks: "tasks/{{ inventory_hostname }}.yml"
- hosts: cleared:seat-2
  gather_facts: false
  tasks:
    - ansible.builtin.fail:
      when: inventory_hostname == 'cleared'
    - ansible.builtin.meta: clear_host_errors
"""

# What each host meets in the step deploy; `include` has no file.
TASKS = {
    "seat-2": """
        - ansible.builtin.command: "true"
        """,
    "rescued": """
        - block:
            - ansible.builtin.fail:
          rescue:
            - ansible.builtin.debug:
        """,
    "rescue-fails": """
        - block:
            - ansible.builtin.fail: {msg: the block}
          rescue:
            - ansible.builtin.fail: {msg: the rescue}
        """,
    "always-fails": """
        - block:
            - ansible.builtin.fail: {msg: the block}
          always:
            - ansible.builtin.fail: {msg: the always}
        """,
    "ignored": """
        - ansible.builtin.fail:
          ignore_errors: true
        """,
    "loose": """
        - ansible.builtin.command: "true"
          ignore_unreachable: true
        """,
    "command": """
        - ansible.builtin.command:
            argv: [sh, -c, "echo first >&2; echo the engine is gone >&2; exit 3"]
        """,
    "hidden": """
        - ansible.builtin.fail: {msg: "{{ token }}"}
          no_log: true
        """,
    "loop": """
        - ansible.builtin.assert:
            that: item < 2
            fail_msg: "{{ item }} is too many"
          loop: [1, 2, 3]
        """,
    "crash": """
        - lab_crash:
        """,
    "delegated": """
        - ansible.builtin.fail: {msg: said elsewhere}
          delegate_to: seat-2
        """,
}

CAPTURE = """
- hosts: lab_hosts:!loose
  gather_facts: false
  strategy: free
  tasks:
    - ansible.builtin.command: "true"
      async: 30
      poll: 1
      changed_when: false
"""

TROUBLED = {
    "early": "no room",
    "rescue-fails": "the rescue",
    "always-fails": "the block",
    "command": "exit status 3: the engine is gone",
    "hidden": "the output has been hidden due to the fact that 'no_log: true' was specified",
    "loop": "2 is too many",
    "crash": "the lab is on fire",
    "delegated": "said elsewhere",
    "include": "Could not find or access",
}
FINE = ("seat-2", "seat-10", "ended", "rescued", "ignored", "cleared", "lectern", "loose")
CRASH = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
AnsibleModule(argument_spec={})
raise OSError("the lab is on fire")
"""


@pytest.fixture(scope="module")
def classroom(room: Rooms) -> tuple[Room, Run]:
    """Run through three steps, in which every host has its own fate."""
    made = room(*FINE[:-1], *TROUBLED, dark=["dark", "loose"])
    made.write(site=SITE, prepare=PREPARE, deploy=DEPLOY, capture=CAPTURE)
    (made.folder / "library").mkdir()
    (made.folder / "library" / "lab_crash.py").write_text(CRASH)
    (made.folder / "tasks").mkdir()
    for host, text in TASKS.items():
        (made.folder / "tasks" / f"{host}.yml").write_text(textwrap.dedent(text))
    made.file.parent.mkdir()
    made.file.write_text('{"schema": 1, "run": "of yesterday", "hosts": {"gone": {}}}')
    log = str(made.folder / "log")
    words = ["site.yml", "-e", "token=hunter2", "-e", "typed=on-the-command-line", "--limit=all"]
    return made, made.run(*words, ANSIBLE_LOG_PATH=log)


@pytest.fixture(scope="module")
def whole(classroom: tuple[Room, Run]) -> Run:
    """Return that run."""
    return classroom[1]


def cells(run: Run, host: str) -> list[str]:
    """Return a host's cells of the report, which the table has as well."""
    report = run.report
    row = [report["hosts"][host]["steps"][step] for step in report["steps"]]
    assert run.row(host) == [cell.replace(" ", "_") for cell in row]
    return row


def test_the_steps_are_the_playbook_files(whole: Run) -> None:
    assert whole.report["steps"] == ["prepare", "deploy", "capture"]
    assert next(line for line in whole.lines if line).split() == ["prepare", "deploy", "capture"]
    assert whole.status != 0


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("seat-2", ["ok", "changed", "ok"]),
        ("seat-10", ["ok", "-", "ok"]),
        ("lectern", ["-", "-", "ok"]),
        ("early", ["failed", "-", "not run"]),
        ("dark", ["unreachable", "-", "not run"]),
        ("rescued", ["ok", "ok", "ok"]),
        ("ignored", ["ok", "ok", "ok"]),
        ("loose", ["-", "ok", "-"]),
        ("ended", ["ok", "-", "ok"]),
        ("rescue-fails", ["ok", "failed", "not run"]),
        ("cleared", ["ok", "ok", "ok"]),
        ("include", ["ok", "failed", "not run"]),
        ("delegated", ["ok", "failed", "not run"]),
        ("always-fails", ["ok", "failed", "not run"]),
    ],
)
def test_how_far_a_host_came(whole: Run, host: str, expected: list[str]) -> None:
    assert cells(whole, host) == expected


@pytest.mark.parametrize(("host", "reason"), TROUBLED.items())
def test_the_reason_of_a_failure(whole: Run, host: str, reason: str) -> None:
    failed = whole.report["hosts"][host]["failed"]
    assert failed["reason"].startswith(reason)
    assert f'{host}: {failed["step"]}, task "{failed["task"]}": {failed["reason"]}' in whole.lines


def test_only_what_failed_in_the_end_has_a_reason(whole: Run) -> None:
    hosts = whole.report["hosts"]
    assert {name for name, host in hosts.items() if host["failed"]} == {*TROUBLED, "dark"}
    assert {name for name, host in hosts.items() if host["unreachable"]} == {"dark"}


def test_what_a_host_says_cannot_harm_the_terminal(whole: Run) -> None:
    reason = whole.report["hosts"]["early"]["failed"]["reason"]
    assert reason.startswith(r"no room \x1b[2J\u202eleft left")
    assert len(reason) == 300
    assert not re.search("[\x00-\x1f\u202e]", "".join(whole.lines))


def test_an_unreachable_host_comes_with_a_remedy(whole: Run) -> None:
    reason = whole.report["hosts"]["dark"]["failed"]["reason"]
    # ssh's own words, or Ansible's where ssh ended before it was told anything.
    assert reason.startswith(
        (
            "connect to host 127.0.0.1 port 1: Connection refused;",
            "Data could not be sent to remote host '127.0.0.1'.",
        )
    )
    remedy = "no SSH server answers there: start it, or check ansible_port"
    assert reason.endswith(f"; {remedy} (docs/troubles.md#host-off)")


def test_the_counts(whole: Run) -> None:
    count = f"{len(FINE) + len(TROUBLED) + 1} hosts: {len(FINE)} ok, {len(TROUBLED)} failed"
    pattern = rf"{count}, 1 unreachable, \d+\.\d s"
    assert [line for line in whole.lines if re.fullmatch(pattern, line)]


def test_the_command_line_repeats_the_rest(whole: Run) -> None:
    rest = ",".join(whole.report["limit"])
    assert set(whole.report["limit"]) == {*TROUBLED, "dark"}
    words = "ansible-playbook -i inventory.json site.yml -e token=hunter2 -e"
    assert whole.lines[-1] == f"{words} typed=on-the-command-line --limit {rest}"


def test_what_the_user_typed_stays_on_the_terminal(classroom: tuple[Room, Run]) -> None:
    made, run = classroom
    log = (made.folder / "log").read_text()
    assert "REPORT" in log
    assert "on-the-command-line" not in log + run.file.read_text()


def test_what_no_log_hides_stays_hidden(whole: Run) -> None:
    assert "hunter2" not in whole.file.read_text() + "".join(whole.lines[:-1])


def test_the_report_comes_after_ansibles_own_counts(whole: Run) -> None:
    assert whole.output.count("REPORT ***") == 1
    assert whole.output.index("PLAY RECAP ***") < whole.output.index("REPORT ***")


def test_the_file(whole: Run) -> None:
    report = whole.report
    assert list(report) == [
        *("schema", "run", "started", "ended", "seconds"),
        *("playbooks", "finished", "steps", "hosts", "limit"),
    ]
    assert (report["schema"], report["finished"], report["playbooks"]) == (1, True, ["site.yml"])
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(f"{stamp} {stamp}", f"{report['started']} {report['ended']}")
    assert report["seconds"] > 0
    names = list(report["hosts"])
    assert names.index("seat-2") + 1 == names.index("seat-10")
    assert "gone" not in names
    assert whole.file.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in whole.file.parent.iterdir()} == {"run.json", "run.json.lock"}


SLOW = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
    - ansible.builtin.command:
        argv: [sh, -c, "cp report/run.json before.json; exec sleep 60"]
        chdir: "{{ playbook_dir }}"
      when: inventory_hostname == 'seat-1'
"""
FINE_STEP = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.command: "true"
      changed_when: false
"""


def test_an_interrupted_run_tells_what_is_known(room: Rooms) -> None:
    made = room("seat-1", "seat-2")
    made.write(site=SITE, prepare=FINE_STEP, deploy=SLOW, capture=FINE_STEP)
    before = made.folder / "before.json"
    run = made.interrupt(made.start("site.yml"), before)
    assert "User interrupted execution" in run.output
    assert run.output.count("REPORT ***") == 1
    for host in ("seat-1", "seat-2"):
        assert cells(run, host) == ["ok", "not run", "not run"]
    assert run.report["finished"] is False
    assert run.report["limit"] == ["seat-1", "seat-2"]
    assert any(line.startswith("2 hosts: 2 unfinished, interrupted, ") for line in run.lines)
    # What stands there while the run is under way, and stays if it is killed.
    killed = Run(0, "", before).report
    assert (killed["run"], killed["finished"]) == (run.report["run"], False)
    assert killed["hosts"]["seat-2"]["steps"] == {"prepare": "ok", "deploy": "not run"}


def test_slices_of_one_run_share_a_report(room: Rooms) -> None:
    made = room("seat-1", "seat-2", "seat-3", dark=["seat-4"])
    made.write(prepare=FINE_STEP)
    # A third slice is under way, and has not begun any step that it has written.
    begun: dict[str, t.Any] = {"steps": {}, "failed": None, "unreachable": False, "finished": False}
    times = dict.fromkeys(("started", "ended"), "2026-01-01T18:00:00.000Z")
    third = {"schema": 1, "run": "evening", **times, "playbooks": [], "steps": []}
    made.file.parent.mkdir()
    made.file.write_text(json.dumps(third | {"hosts": {"seat-9": begun}}))
    slices = [
        made.start("prepare.yml", "-l", limit, UPCALL_LAB_RUN="evening")
        for limit in ("seat-1,seat-2", "seat-3,seat-4")
    ]
    runs = [made.end(process) for process in slices]
    report = runs[0].report
    assert (report["run"], report["finished"]) == ("evening", False)
    assert report["started"] == times["started"]
    assert list(report["hosts"]) == ["seat-1", "seat-2", "seat-3", "seat-4", "seat-9"]
    assert report["limit"] == ["seat-4", "seat-9"]
    # The one that ended last knew all of them.
    count = "5 hosts: 3 ok, 1 unreachable, 1 unfinished, "
    last = next(run for run in runs if any(line.startswith(count) for line in run.lines))
    assert last.row("seat-3") == ["ok"]
    assert last.row("seat-9") == ["not_run"]
    alone = made.run("prepare.yml", "--limit=seat-3")
    assert list(alone.report["hosts"]) == ["seat-3"]
    assert alone.report["run"] != "evening"
    assert any(line.startswith("1 host: 1 ok, ") for line in alone.lines)
    assert "Repeat" not in alone.output


def test_a_failure_that_stops_everybody(room: Rooms) -> None:
    made = room("seat-1", "seat-2", "seat-3")
    made.write(
        prepare="""
        - hosts: lab_hosts
          gather_facts: false
          tasks:
            - ansible.builtin.fail: {msg: no archive}
              run_once: true
        """,
        deploy=FINE_STEP,
    )
    run = made.run("prepare.yml", "deploy.yml")
    assert cells(run, "seat-1") == ["failed"]
    assert cells(run, "seat-2") == ["not run"]
    assert run.report["limit"] == ["seat-1", "seat-2", "seat-3"]
    assert any(line.startswith("3 hosts: 1 failed, 2 unfinished, ") for line in run.lines)
    # deploy.yml was left out, which is no interruption.
    assert run.report["finished"] is True


RESCUED_ONCE = """
- hosts: seat-1:seat-2
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.fail:
          run_once: true
      rescue:
        - ansible.builtin.debug:
"""
# Here seat-3 goes on after the failure of seat-1, and is rescued from one of its own.
RESCUED_TWICE = """
- hosts: seat-1:seat-3
  gather_facts: false
  tasks:
    - block:
        - block:
            - ansible.builtin.fail:
              run_once: true
          rescue:
            - ansible.builtin.debug:
      rescue:
        - ansible.builtin.debug:
    - block:
        - ansible.builtin.fail:
          when: inventory_hostname == 'seat-3'
      rescue:
        - ansible.builtin.debug:
"""


def test_a_rescued_failure_that_stops_others(room: Rooms) -> None:
    made = room("seat-1", "seat-2", "seat-3")
    made.write(site=SITE, prepare=RESCUED_ONCE, deploy=RESCUED_TWICE, capture=FINE_STEP)
    run = made.run("site.yml", "--check")
    # Ansible drops seat-2 without a word, and its own counts do not name it.
    assert cells(run, "seat-1") == ["ok", "ok", "ok"]
    assert cells(run, "seat-2") == ["not run", "-", "not run"]
    assert "seat-2" in run.report["limit"]
    assert run.report["hosts"]["seat-3"]["failed"] is None


def test_a_batch_that_never_came(room: Rooms) -> None:
    made = room("seat-1", "seat-2")
    batch = "- hosts: lab_hosts\n  gather_facts: false\n  serial: 1\n  tasks:\n"
    made.write(
        site=SITE,
        prepare=f"{batch}    - ansible.builtin.fail:\n",
        deploy=FINE_STEP,
        capture=FINE_STEP.replace("tasks:", "vars_files: broken.yml\n  tasks:"),
        broken="{",
    )
    run = made.run("site.yml")
    assert cells(run, "seat-1") == ["failed", "not run", "not run"]
    assert cells(run, "seat-2") == ["not run", "not run", "not run"]


ENDED = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - ansible.builtin.fail:
      run_once: true
      ignore_errors: true
    - ansible.builtin.meta: end_host
"""


def test_several_playbooks_have_one_report(room: Rooms) -> None:
    made = room("seat-1")
    made.write(prepare=FINE_STEP, deploy=ENDED)
    # A copy of the project's configuration: the report goes beside it.
    shutil.copy(TOP / "ansible.cfg", made.folder)
    (made.folder / "plugins").symlink_to(TOP / "plugins")
    configuration = str(made.folder / "ansible.cfg")
    words = ["prepare.yml", "deploy.yml", "--check"]
    run = made.run(*words, ANSIBLE_CONFIG=configuration, UPCALL_LAB_RUN_FILE="")
    run.file = made.folder / "captures" / "run.json"
    assert run.status == 0
    assert run.output.count("REPORT ***") == 1
    assert cells(run, "seat-1") == ["ok", "ok"]
    assert run.report["playbooks"] == ["prepare.yml", "deploy.yml"]
    assert run.file.parent.stat().st_mode & 0o777 == 0o700


def test_a_report_that_cannot_be_written_is_a_warning(room: Rooms) -> None:
    made = room("seat-1")
    made.write(prepare=FINE_STEP)
    made.file.parent.write_text("no folder")
    run = made.run("prepare.yml")
    assert run.status == 0
    warning = " ".join(run.output.split())
    assert f"was not written to {made.file}: " in warning
    assert "UPCALL_LAB_RUN_FILE" in warning
    assert any(line.startswith("1 host: 1 ok, ") for line in run.lines)


@pytest.fixture(scope="module")
def plugin() -> t.Any:
    """Return the plugin as a module."""
    return load("plugins/callback/lab_report.py")


@pytest.mark.parametrize(
    "typed",
    [
        "site.yml -k",
        "site.yml --limit=x -k",
        "site.yml --limit x -k",
        "--limi x site.yml -k",
        "site.yml -l x -k",
        "-lx site.yml -k",
        "site.yml -kl x",
        "site.yml -klx",
        "-l x site.yml --lim=y -k",
    ],
)
def test_an_earlier_limit_gives_way(plugin: t.Any, typed: str) -> None:
    words = ["ansible-playbook", *typed.split()]
    repeated = plugin.repeating(words, ["seat-03", "seat-07"])
    assert repeated == "ansible-playbook site.yml -k --limit seat-03,seat-07"


def test_other_options_stay_as_they_were_typed(plugin: t.Any) -> None:
    words = ["/opt/bin/ansible-playbook", "-il", "--list-tags", "-e", "a b", "-vvv", "l.yml"]
    repeated = plugin.repeating(words, ["s"])
    assert repeated == "/opt/bin/ansible-playbook -il --list-tags -e 'a b' -vvv l.yml --limit s"


def test_of_another_programs_command_line_only_the_limit_is_told(plugin: t.Any) -> None:
    assert plugin.repeating(["/usr/bin/room-runner", "site.yml"], ["a", "b"]) == "--limit a,b"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "Task failed: Failed to connect to the host via ssh: @@@@@\n@ WARNING: REMOTE HOST"
            " IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "Host key verification failed; compare and record its host key with"
            " playbooks/enroll.yml (docs/troubles.md#host-key-unknown)",
        ),
        (
            "Failed to connect to the host via ssh: me@seat: Permission denied (publickey).",
            "me@seat: Permission denied (publickey); check ansible_user, and install your key"
            " with playbooks/enroll.yml (docs/troubles.md#login-refused)",
        ),
        (
            "ssh: connect to host 198.18.41.9 port 22: No route to host",
            "connect to host 198.18.41.9 port 22: No route to host; is it switched on and on"
            " this network? (docs/troubles.md#host-off)",
        ),
        ("Something new", "Something new (docs/troubles.md#connection-broke)"),
    ],
)
def test_the_remedy_of_a_connection(message: str, reason: str) -> None:
    assert reasons.why_unreachable({"msg": message}) == reason


def test_of_a_long_message_the_remedy_stays() -> None:
    remedy = "Run playbooks/reset.yml, then the capture again (docs/troubles.md#no-close)"
    told = reasons.why_failed({"msg": f"see the close: {'x' * 100_000}. {remedy}"})
    assert told.startswith("see the close: xxx")
    assert told.endswith(f" ... {'x' * (reasons.END - len(remedy) - 2)}. {remedy}")
    assert len(told) == reasons.LONGEST


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"msg": "", "failed_when_result": True}, "its result is not one that the task accepts"),
        ({"msg": ["one", "two"]}, "one; two"),
        ({"msg": "non-zero return code", "rc": 1, "stderr": " \n"}, "exit status 1: nothing on"),
        (
            {
                "msg": "Module result deserialization failed: No start of json char found",
                "module_stderr": "Traceback:\nOSError: disk is full\n",
            },
            "OSError: disk is full",
        ),
    ],
)
def test_the_reason_in_a_result(result: dict[str, t.Any], reason: str) -> None:
    assert reasons.why_failed(result).startswith(reason)


def test_writers_wait_for_each_other(plugin: t.Any, tmp_path: Path) -> None:
    file = tmp_path / "captures" / "run.json"
    host = {"steps": {"prepare": "ok"}, "failed": None, "unreachable": False, "finished": True}
    times = dict.fromkeys(("started", "ended"), "2026-11-28T07:30:00.000Z")
    run = {"run": "evening", **times, "playbooks": ["site.yml"], "steps": ["prepare"]}
    names = [f"seat-{number}" for number in range(1, 41)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: plugin.write(file, run | {"hosts": {name: host}}), names))
    assert list(json.loads(file.read_text())["hosts"]) == names


def test_a_worker_process_does_not_report(plugin: t.Any) -> None:
    report = plugin.CallbackModule()
    report._at_exit(os.getpid() + 1)
    assert not report._reported


def test_a_localhost_that_no_inventory_names_comes_through(room: Rooms) -> None:
    quiet = room("seat-1")
    quiet.write(
        site="""
        - hosts: lab_hosts:localhost
          gather_facts: false
          tasks:
            - ansible.builtin.debug:
        """
    )
    run = quiet.run("site.yml")
    assert run.row("localhost") == run.row("seat-1") == ["ok"]
    assert run.report["limit"] == []
