"""The two containers while the lab is up: their health checks, their rights, their init."""

from __future__ import annotations

from functools import partial

import pytest

from tests.lab.compose import (
    NETWORK,
    SERVER,
    await_true,
    container,
    listening,
    press_ctrl_c,
    python_in,
)
from tests.lab.wire import Wire
from tests.support.terminal import Terminal

SERVICES = ("upcall-server", "upcall-client")


def last_check(service: str) -> str:
    """Return when the newest health check of a service began, as the engine writes it."""
    return str(container(service)["State"]["Health"]["Log"][-1]["Start"])


def checked_since(service: str, before: str) -> bool:
    """Return whether a service was asked for its health after a check, and was well."""
    newest = container(service)["State"]["Health"]["Log"][-1]
    return bool(newest["Start"] != before and newest["ExitCode"] == 0)


def test_health_is_asked_without_a_packet_to_the_lab_port(wire: Wire) -> None:
    for service in SERVICES:
        assert listening(service) == []
    with Terminal(SERVER) as server:
        server.expect("listening on")
        before = {service: last_check(service) for service in SERVICES}
        for service in SERVICES:
            await_true(partial(checked_since, service, before[service]), 15, f"check of {service}")
        assert wire.segments() == []
        press_ctrl_c(server, "upcall-server")
        assert server.exit_status() == 130
    assert "Connection from" not in server.text


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("service", SERVICES)
def test_containers_are_unprivileged(service: str) -> None:
    for process in ("self", "1"):
        status = dict(
            line.split(":\t", 1)
            for line in python_in(service, f"print(open('/proc/{process}/status').read())").split(
                "\n"
            )
            if ":\t" in line
        )
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert "0" not in status["Uid"].split() + status["Gid"].split()
    for folder in ("/", "/upcall"):
        with pytest.raises(AssertionError, match="Read-only file system"):
            python_in(service, f"import os; os.mkdir('{folder}/x')")
    settings = container(service)
    assert settings["HostConfig"]["PortBindings"] == {}
    assert list(settings["NetworkSettings"]["Networks"]) == [NETWORK]


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("service", SERVICES)
def test_orphans_are_reaped(service: str) -> None:
    orphan = python_in(
        service,
        "import os, time\n"
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        while os.getppid() != 1: time.sleep(0.01)\n"
        "        os.write(write, b'.')\n"
        "    else:\n"
        "        print(child, flush=True)\n"
        "    os._exit(0)\n"
        "os.wait(); os.read(read, 1)\n",
    ).strip()
    gone = f"import os; print(os.path.exists('/proc/{int(orphan)}'))"
    await_true(lambda: python_in(service, gone) == "False\n", 5, "the orphan's end")
