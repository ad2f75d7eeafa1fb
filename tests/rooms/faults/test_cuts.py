"""A session that is cut off: nothing of it stays, nothing short is kept, and the next one works."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from testinfra.host import Host

from tests.support.captures import (
    CONNECTED,
    EXERCISE,
    LAB_IS_FREE,
    MODES,
    NOTHING_RUNS,
    PATIENT,
    Run,
    assert_complete,
    folder,
    forgotten,
    inside,
    name_of,
    on_one_host,
    type_as_student,
    under_way,
)
from tests.support.lab_hosts import LAB, one_line, run_playbook

SERVER = "upcall-lab-upcall-server-1"
MESSAGES = ["hello", "upcall"]  # lab_capture's default


def cut_connection_on_the_host(host: Host) -> None:
    inside(host, "pkill --signal KILL --full '^sshd(-session)?: instructor@notty'")


CUTS: dict[str, Callable[[Host, Run], None]] = {
    "Ctrl-C": lambda _, run: run.signal(signal.SIGINT),
    "workers-signalled": lambda _, run: run.end_workers(),
    "controller-killed": lambda _, run: run.kill(),
    "ssh-killed": lambda _, run: run.kill_ssh(),
    "sshd-killed": lambda host, _: cut_connection_on_the_host(host),
}


@pytest.fixture
def kept(host: Host) -> bytes:
    """Return a complete capture from before; what the fault left must not take its place."""
    pcap = folder(host) / "upcall.pcap"
    if not pcap.exists():
        run = run_playbook("capture", name_of(host), PATIENT)
        assert run.returncode == 0, run.stdout
    return pcap.read_bytes()


def assert_the_next_capture_works(host: Host, kept: bytes) -> None:
    """Check that no partial capture replaced the complete one, and that a new one is complete."""
    pcap = folder(host) / "upcall.pcap"
    assert pcap.read_bytes() == kept
    run = run_playbook("capture", name_of(host), PATIENT)
    assert run.returncode == 0, run.stdout
    assert_complete(pcap, MESSAGES)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_left_of_a_session_that_is_cut_off(
    host: Host, kept: bytes, mode: str, cut: str
) -> None:
    on_one_host(host, list(MODES).index(mode) + list(CUTS).index(cut))
    with under_way(host, *MODES[mode]) as run:
        CUTS[cut](host, run)
        inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}", timeout=10)
        status, _ = run.result()
    assert status != 0
    assert_the_next_capture_works(host, kept)


def test_the_next_run_waits_for_a_window_that_closes(host: Host, kept: bytes) -> None:
    with under_way(host, *MODES["watch"]) as run:
        run.signal(signal.SIGINT)
        run.result()
        assert_the_next_capture_works(host, kept)


def test_ones_next_run_closes_a_window_to_which_nobody_came(host: Host, kept: bytes) -> None:
    on_one_host(host, 0)
    connection = "--full '^sshd(-session)?: instructor@notty'"
    opened = f"until test -e /run/upcall-lab/window-*; do :; done; pkill --signal STOP {connection}"
    with under_way(host, MODES["watch"][0], opened) as run:
        run.signal(signal.SIGINT)
        run.result()
    inside(host, f"pkill --signal KILL {connection}")
    another: dict[str, object] = {"__lab_capture_who": "another@elsewhere"}
    refused = run_playbook("capture", name_of(host), PATIENT | another)
    assert refused.returncode != 0
    assert " has held it since " in one_line(refused.stdout)
    inside(host, "test -e /run/upcall-lab/window-*", timeout=1)
    assert_the_next_capture_works(host, kept)


def test_nothing_is_left_when_the_network_was_silent(host: Host, kept: bytes) -> None:
    drop = "INPUT --protocol tcp --dport 22 --jump DROP"
    with under_way(host, EXERCISE, CONNECTED) as run:
        inside(host, f"iptables --insert {drop}")
        try:
            status, output = run.result()
        finally:
            inside(host, f"iptables --delete {drop}")
        inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}")
    assert status != 0
    assert "unreachable=1" in output
    assert_the_next_capture_works(host, kept)


def test_a_connection_that_comes_back_costs_no_exercise(host: Host) -> None:
    hold = f"{LAB}/Upcall/hold"
    waits_once = (
        "import os, signal; os.path.exists('hold') and signal.pause();"
        " exec(open('clientcall.py').read())"
    )
    waiting = "pgrep --full '^python -c import os, signal'"
    inside(host, f"touch {hold}")
    try:
        variables: dict[str, object] = {"lab_capture_client_command": ["python", "-c", waits_once]}
        with under_way(host, variables, waiting, retries=2) as run:
            inside(host, f"rm {hold}")
            cut_connection_on_the_host(host)
            status, output = run.result()
    finally:
        inside(host, f"rm --force {hold}")
    assert status == 0, output
    assert_complete(folder(host) / "upcall.pcap", MESSAGES)


def test_a_connection_that_comes_back_costs_no_window(host: Host) -> None:
    with forgotten(host):
        with under_way(host, *MODES["watch"], retries=2) as run:
            cut_connection_on_the_host(host)
            type_as_student(host, "halo", "bye")
            status, output = run.result()
        assert status == 0, output
        assert_complete(folder(host) / "upcall.pcap", ["halo"])


def test_nothing_is_left_of_what_a_slow_engine_starts_behind_the_cut(host: Host) -> None:
    # Held up from the moment in which the session asks it to start a program in a container.
    hold_up = "until pgrep tcpdump; do :; done; pkill --signal STOP --exact containerd"
    try:
        with under_way(host, {}, hold_up) as run:
            inside(host, "pgrep --full '^[^ ]*docker exec .*-e UPCALL_LAB_SESSION'")
            run.signal(signal.SIGINT)
            run.result()
            inside(host, "! pgrep tcpdump")
    finally:
        inside(host, "pkill --signal CONT --exact containerd")
    inside(host, f"docker exec {SERVER} python -c pass")  # behind the one that was held up
    inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}", timeout=10)
