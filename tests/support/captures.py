"""Captures on the controller, read by a second tool, and what they left on their lab host."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml
from testinfra.host import Host

from tests.support.lab_hosts import (
    CAPTURES,
    COMPOSE,
    STATE,
    TOP,
    environment,
    one_line,
    playbook_command,
    run_playbook,
)

# Several sessions may be under way on the machine that the lab hosts share.
PATIENT: dict[str, object] = {
    "lab_capture_start_timeout": 60,
    "lab_capture_exchange_timeout": 120,
    "lab_capture_close_timeout": 60,
}
# The project's own arguments, but for a silence that is noticed sooner.
SSH = "ControlMaster=auto ControlPersist=60s ServerAliveInterval=2 ServerAliveCountMax=2"

# A client in the middle of its exchange: connected, answered, and silent from then on.
SILENT_CLIENT = (
    "import socket, signal; s = socket.create_connection(('upcall-server', 4141));"
    " s.sendall(b'1'); s.recv(64); signal.pause()"
)
EXERCISE: dict[str, object] = {"lab_capture_client_command": ["python", "-c", SILENT_CLIENT]}
WATCH: dict[str, object] = {"lab_capture_mode": "watch", "lab_capture_watch_timeout": 600}
CONNECTED = (  # to port 4141 (102D), state ESTABLISHED (01): see proc(5)
    "grep --quiet ':102D 01' /proc/$(pgrep --newest --full '^python -c import socket')/net/tcp"
)
ATTENDED = (  # a shared lock on the window's file: see proc(5), /proc/locks
    'grep --quiet "FLOCK *ADVISORY *READ .*:$(stat --format=%i /run/upcall-lab/window-*) "'
    " /proc/locks"
)
MODES = {"exercise": (EXERCISE, CONNECTED), "watch": (WATCH, ATTENDED)}


def name_of(host: Host) -> str:
    return str(host.backend.get_hostname())


def folder(host: Host) -> Path:
    return CAPTURES / name_of(host)


@contextmanager
def forgotten(host: Host) -> Iterator[None]:
    """Have none of the host's captures afterwards: a student's would keep the place of the next."""
    try:
        yield
    finally:
        if folder(host).exists():
            shutil.rmtree(folder(host))


def assert_a_scripted_session_leaves(host: Host, messages: list[str]) -> None:
    """Check that a student's capture stays when the lab is tried once more."""
    run = run_playbook("capture", name_of(host), PATIENT)
    assert run.returncode == 0, run.stdout
    assert "is not a scripted session, and stays" in one_line(run.stdout)
    assert_complete(folder(host) / "upcall.pcap", messages)
    assert_complete(folder(host) / "scripted" / "upcall.pcap", ["hello", "upcall"])


def manifest(host: Host) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], json.loads((folder(host) / "manifest.json").read_text()))


def on_one_host(host: Host, number: int) -> None:
    """Skip a case on all lab hosts but one: the cases with their numbers are spread over them."""
    inventory = yaml.safe_load((STATE / "inventory.yml").read_text(encoding="utf-8"))
    names = sorted(inventory["lab_hosts"]["hosts"])
    if names[number % len(names)] != name_of(host):
        pytest.skip("this case has its turn on another lab host")


def frames(pcap: Path) -> list[tuple[str, str, bytes]]:
    """Return flags, sender's port and payload of each lab segment, as tshark reads them."""
    fields = ["-e", "tcp.flags.str", "-e", "tcp.srcport", "-e", "tcp.payload"]
    shown = subprocess.run(
        ["tshark", "-r", pcap, "-Y", "tcp.port == 4141", "-T", "fields", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split("\t") for line in shown.stdout.splitlines())
    return [
        (flags.replace("·", ""), port, bytes.fromhex(payload.replace(":", "")))
        for flags, port, payload in rows
    ]


def assert_complete(pcap: Path, messages: list[str]) -> None:
    seen = frames(pcap)
    flags = [flag for flag, _, _ in seen]
    assert flags[:3] == ["S", "AS", "A"]
    assert not any("R" in flag for flag in flags)
    assert {port == "4141" for flag, port, _ in seen if "F" in flag} == {True, False}
    assert flags[-1] == "A"
    payloads = [payload for _, _, payload in seen if payload]
    expected = [
        text.encode()
        for message in messages
        for text in (message, f"Upcall event: Processing {message}")
    ]
    assert payloads == expected


def assert_nothing_is_left(host: Host) -> None:
    # By the program's name first: the shells that run these tests' commands name them, too.
    processes = host.check_output("ps -eo comm=,args=").splitlines()
    started = [line for line in processes if line.startswith(("tcpdump", "python", "docker "))]
    # With "python" before them: the services' own health check names the files as well.
    programs = ("tcpdump", "python servercall.py", "python clientcall.py")
    assert [line for line in started if any(name in line for name in programs)] == []


def type_as_student(host: Host, *messages: str) -> None:
    """Start the server, then the client, and type, as the handout says."""
    typed = "".join(f"{message}\\n" for message in messages)
    with host.sudo():
        host.check_output(f"{COMPOSE} exec --detach upcall-server python servercall.py")
        wait_for(host, f"{COMPOSE} top upcall-server | grep -q servercall")
        wait_for(
            host,
            f"printf '{typed}' | {COMPOSE} exec -T upcall-client python clientcall.py 2>/dev/null",
        )


def wait_for(host: Host, command: str) -> str:
    """Return what a command says as soon as it succeeds on the host, within 30 s."""
    with host.sudo():
        waiting = f"until {command}; do sleep 0.1; done"
        return str(host.check_output("timeout 30 bash -c %s", waiting))


NOTHING_RUNS = (
    "! pgrep tcpdump && ! pgrep --full '^python (servercall|clientcall|-c import socket)'"
    " && ! pgrep --full '^[^ ]*docker exec'"
)
LAB_IS_FREE = (
    "flock --nonblock /run/upcall-lab/session.lock true && ! test -e /run/upcall-lab/window-*"
)


def inside(host: Host, command: str, timeout: float = 30) -> str:
    """Repeat a command on the lab host, past SSH, until it succeeds, and return its output."""
    said = _repeated(host, command, timeout)
    assert said.returncode == 0, f"within {timeout} s never true on {name_of(host)}: {command}"
    return said.stdout


def _repeated(host: Host, command: str, timeout: float) -> subprocess.CompletedProcess[str]:
    # Ten times a second, it would take an eighth of a processor from the session that it waits for.
    script = f"until {command}; do sleep 0.3; done"
    return subprocess.run(
        ["docker", "exec", name_of(host), "timeout", str(timeout), "bash", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class Run:
    """An ansible-playbook that runs, with SSH connections of its own."""

    def __init__(
        self, host: Host, variables: dict[str, object], retries: int, sockets: str
    ) -> None:
        self._sockets = sockets
        self._process = subprocess.Popen(
            playbook_command("capture", name_of(host), PATIENT | variables),
            cwd=TOP,
            env=environment()
            | {
                "ANSIBLE_SSH_ARGS": " ".join(f"-o {option}" for option in SSH.split()),
                "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
                "ANSIBLE_SSH_RETRIES": str(retries),
                "ANSIBLE_TIMEOUT": "3",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # a process group of its own, as a shell gives it
        )

    @property
    def is_running(self) -> bool:
        """Whether ansible-playbook has not ended yet."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process group, as a terminal does."""
        os.killpg(self._process.pid, number)

    def kill_ssh(self) -> None:
        """Kill every ssh of this run; the connections that it keeps bear its folder's name."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = entry.read_bytes()
                if words.startswith(b"ssh") and self._sockets.encode() in words:
                    os.kill(int(entry.parent.name), signal.SIGKILL)

    def _workers(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def kill(self) -> None:
        """Kill ansible-playbook, and with it the workers, which have sessions of their own."""
        for pid in [self._process.pid, *self._workers()]:
            with suppress(ProcessLookupError):
                os.killpg(os.getpgid(pid), signal.SIGKILL)

    def end_workers(self) -> None:
        """Signal the workers until they are gone, each time while they handle what came before.

        An ansible-playbook that is interrupted sends SIGINT, then SIGTERM twice, at times within a
        millisecond.
        """
        for pid in self._workers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
                while True:
                    os.kill(pid, signal.SIGTERM)
                    go_on = time.perf_counter() + 2e-5  # shorter than any sleep
                    while time.perf_counter() < go_on:
                        continue

    def result(self) -> tuple[int, str]:
        """Exit status and output, as soon as it has ended."""
        output, _ = self._process.communicate(timeout=120)
        return self._process.returncode, one_line(output)

    def end(self) -> None:
        """Leave nothing of it on this machine."""
        if self.is_running:
            self.kill()
            self._process.communicate()
        self.kill_ssh()


@contextmanager
def under_way(
    host: Host, variables: dict[str, object], condition: str, retries: int = 0
) -> Iterator[Run]:
    """Yield a session that is in its middle, as a condition on the lab host tells."""
    with tempfile.TemporaryDirectory(prefix="cut-") as sockets:
        run = Run(host, variables, retries, sockets)
        try:
            deadline = time.monotonic() + 240
            while _repeated(host, condition, timeout=10).returncode != 0:
                assert run.is_running, run.result()
                assert time.monotonic() < deadline, f"never true on {name_of(host)}: {condition}"
            yield run
        finally:
            run.end()
