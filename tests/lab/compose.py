"""The commands of the handout, letter for letter, and what the engine says of their effect."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.terminal import CTRL_C, Terminal

TOP = Path(__file__).resolve().parents[2]
PROJECT = "upcall-lab"
NETWORK = "upcall-lab_upcall"
IMAGE = "upcall-lab:1"
CAPTURE_IMAGE = "upcall-capture:1"
COMPOSE = ("docker", "compose", "-f", "compose/upcall.yml")
SERVER = (*COMPOSE, "exec", "upcall-server", "python", "servercall.py")
CLIENT = (*COMPOSE, "exec", "upcall-client", "python", "clientcall.py")
SERVER_PIPED = (*COMPOSE, "exec", "-T", "upcall-server", "python", "servercall.py")
CLIENT_PIPED = (*COMPOSE, "exec", "-T", "upcall-client", "python", "clientcall.py")


def run(
    *command: str, stdin: bytes = b"", cwd: Path = TOP, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, at most a minute, and return what it said."""
    return subprocess.run(
        command, input=stdin, capture_output=True, cwd=cwd, env=env, timeout=60, check=False
    )


def succeed(*command: str, cwd: Path = TOP, env: dict[str, str] | None = None) -> str:
    """Run a command that has to end with exit status 0, and return what it wrote to stdout."""
    done = run(*command, cwd=cwd, env=env)
    assert done.returncode == 0, (command, done.stderr.decode(errors="replace"))
    return done.stdout.decode()


def compose(*arguments: str, cwd: Path = TOP, env: dict[str, str] | None = None) -> str:
    """Run ``docker compose -f compose/upcall.yml`` with arguments and return its stdout."""
    return succeed(*COMPOSE, *arguments, cwd=cwd, env=env)


def python_in(service: str, code: str) -> str:
    """Run Python code in a service's container and return what it printed."""
    return compose("exec", "-T", service, "python", "-c", code)


def inspect(*names: str) -> Any:
    """Return what the engine knows of a thing, as ``docker inspect`` gives it."""
    return json.loads(succeed("docker", "inspect", *names))[0]


def container(service: str) -> Any:
    """Return what the engine knows of a service's container."""
    return inspect(compose("ps", "-aq", service).strip())


def leftovers() -> str:
    """Return ids of the project's containers and networks: nothing when there are none."""
    label = f"label=com.docker.compose.project={PROJECT}"
    containers = succeed("docker", "ps", "-aq", "--filter", label)
    return containers + succeed("docker", "network", "ls", "-q", "--filter", label)


def sleeps(service: str, program: str) -> bool:
    """Return whether a program in a service's container waits in a system call."""
    return "S" in python_in(
        service,
        "import pathlib\n"
        "for line in pathlib.Path('/proc').glob('[0-9]*/cmdline'):\n"
        f"    if b'{program}' in line.read_bytes().split(b'\\0')[1:2]:\n"
        "        print(line.with_name('stat').read_text().rpartition(')')[2].split()[0])\n",
    )


def press_ctrl_c(terminal: Terminal, service: str) -> None:
    """Press Ctrl-C at a terminal that has the lab's program of a service.

    Between its prompt and its reading, Python keeps a signal until the next key.
    """
    program = {"upcall-server": "servercall.py", "upcall-client": "clientcall.py"}[service]
    await_true(lambda: sleeps(service, program), 20, f"{program} waits")
    terminal.type(CTRL_C)


def sockets(service: str, state: str) -> list[int]:
    """Return local ports of the TCP sockets in a state (hexadecimal, as /proc/net/tcp has it)."""
    table = python_in(service, "print(open('/proc/net/tcp').read())")
    rows = [line.split() for line in table.splitlines()[1:] if line.strip()]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == state]


def listening(service: str) -> list[int]:
    """Return the ports that a service listens on, without those of the engine's resolver."""
    table = python_in(service, "print(open('/proc/net/tcp').read())")
    rows = [line.split() for line in table.splitlines()[1:] if line.strip()]
    resolver = "0B00007F"  # 127.0.0.11
    listening = [row[1].split(":") for row in rows if row[3] == "0A"]
    return [int(port, 16) for address, port in listening if address != resolver]


def await_true(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Ask again until a condition holds; after so many seconds fail with what was awaited."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not seen within {seconds} s: {what}"
        time.sleep(0.05)


def await_health(service: str, state: str, seconds: float = 30) -> None:
    """Wait until the engine calls a service ``healthy`` or ``unhealthy``."""
    await_true(
        lambda: container(service)["State"]["Health"]["Status"] == state,
        seconds,
        f"{service} {state}",
    )
