"""The window that students type in, and what becomes of a session that is killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from testinfra.host import Host

from tests.support.captures import (
    assert_a_scripted_session_leaves,
    assert_complete,
    assert_nothing_is_left,
    folder,
    forgotten,
    manifest,
    name_of,
    on_one_host,
    type_as_student,
    under_way,
    wait_for,
)
from tests.support.lab_hosts import (
    COMPOSE,
    one_line,
    run_playbook,
)

SESSION = "pgrep --full AnsiballZ_lab_capture"


@contextmanager
def open_window(host: Host, **variables: object) -> Iterator[Callable[[], tuple[int, str]]]:
    """Open a window and yield a function that waits until it is closed."""
    given = {"lab_capture_mode": "watch", "lab_capture_watch_timeout": 60} | variables
    with under_way(host, given, "ls /run/upcall-lab/window-*") as run:
        yield run.result


def test_what_a_student_types_in_the_window_is_captured(host: Host) -> None:
    with forgotten(host):
        with open_window(host) as closed:
            type_as_student(host, "halo", "dunia", "bye")
            status, output = closed()
        assert status == 0, output
        assert "start the server, then the client" in one_line(output)
        assert_complete(folder(host) / "upcall.pcap", ["halo", "dunia"])
        assert manifest(host)["mode"] == "watch"
        assert_nothing_is_left(host)
        assert_a_scripted_session_leaves(host, ["halo", "dunia"])


def test_no_window_opens_where_there_is_no_fork_for_each(host: Host) -> None:
    on_one_host(host, 0)
    watch: dict[str, object] = {"lab_capture_mode": "watch", "lab_capture_watch_timeout": 2}
    run = run_playbook("capture", "lab_hosts", watch, "--forks=1")
    assert run.returncode != 0
    assert "Run it again with --forks 2." in one_line(run.stdout)
    assert "Open the window" not in run.stdout


def test_a_window_in_which_nobody_types_says_so(host: Host) -> None:
    on_one_host(host, 0)
    with open_window(host, lab_capture_watch_timeout=2) as closed:
        status, output = closed()
    assert status != 0
    assert "1 exchanges from handshake to close were not captured within 2 s" in one_line(output)
    newest = max((folder(host) / "incomplete").iterdir())
    assert json.loads((newest / "manifest.json").read_text())["claims"]["complete"] is False
    assert_nothing_is_left(host)


def test_nothing_is_left_of_a_session_that_is_killed(host: Host) -> None:
    on_one_host(host, 1)
    with open_window(host), host.sudo():
        pids = host.check_output(SESSION).split()
        host.run(f"kill -KILL {' '.join(pids)}")
        wait_for(host, "! pgrep tcpdump")
    assert_nothing_is_left(host)
    run = run_playbook("capture", name_of(host))
    assert run.returncode == 0, run.stdout


def test_a_server_left_by_a_killed_session_is_ended(host: Host) -> None:
    on_one_host(host, 2)
    mark = "UPCALL_LAB_SESSION=cut-off"
    with host.sudo():
        host.check_output(
            f"{COMPOSE} exec --detach --env {mark} upcall-server python servercall.py"
        )
        wait_for(host, "pgrep --full servercall.py")
    run = run_playbook("capture", name_of(host))
    assert run.returncode == 0, run.stdout
    assert_nothing_is_left(host)
