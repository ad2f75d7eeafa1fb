"""compose/upcall.yml: what ``up``, the health checks and ``down`` do on a real engine."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import (
    CLIENT_PIPED,
    COMPOSE,
    IMAGE,
    NETWORK,
    SERVER,
    TOP,
    await_health,
    compose,
    container,
    inspect,
    leftovers,
    run,
    succeed,
)
from tests.support.terminal import Terminal

SERVICES = ("upcall-server", "upcall-client")
BASE = "upcall-lab-test-base:1"


@pytest.fixture
def down() -> Iterator[None]:
    """Yield a machine without the lab; without it again afterwards."""
    compose("down")
    yield
    compose("down")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """Yield the lab's files in another directory, with the lab down before and after."""
    compose("down")
    for folder in ("Upcall", "compose"):
        shutil.copytree(TOP / folder, tmp_path / folder)
    yield tmp_path
    compose("down", cwd=tmp_path)


@pytest.fixture
def base() -> Iterator[str]:
    """Yield a local image to build upon, while the lab's own name is free; that is put back."""
    before = inspect(IMAGE)["Id"]
    succeed("docker", "tag", before, BASE)
    succeed("docker", "rmi", IMAGE)
    yield BASE
    compose("down")
    built = run("docker", "image", "inspect", "-f", "{{.Id}}", IMAGE).stdout.decode().strip()
    succeed("docker", "tag", before, IMAGE)
    succeed("docker", "rmi", BASE)
    if built not in ("", before):
        succeed("docker", "rmi", built)


def dangling() -> set[str]:
    """Return ids of the images without a name."""
    return set(succeed("docker", "image", "ls", "-q", "--filter", "dangling=true").split())


@pytest.mark.usefixtures("down")
def test_up_builds_a_missing_image_once(base: str) -> None:
    before = dangling()
    env = {**os.environ, "UPCALL_BASE": base}
    first = run(*COMPOSE, "up", "-d", env=env)
    assert first.returncode == 0, first.stderr.decode()
    assert b"Pulling" not in first.stderr
    built = inspect(IMAGE)["Id"]
    assert dangling() == before
    # Nothing to build upon can be found now: an `up` that builds again would fail.
    second = run(*COMPOSE, "up", "-d", env={**os.environ, "UPCALL_BASE": "no-such-image.invalid/x"})
    assert second.returncode == 0, second.stderr.decode()
    assert inspect(IMAGE)["Id"] == built
    assert len(compose("ps", "-q").split()) == 2


def test_dockerfile_and_compose_file_name_one_base() -> None:
    default = re.search(r"^ARG BASE=(\S+)$", (TOP / "Upcall/Dockerfile").read_text(), re.MULTILINE)
    assert default is not None
    assert default[1].rpartition(":")[2] not in ("", "latest")
    env = {name: value for name, value in os.environ.items() if name != "UPCALL_BASE"}
    assert f"BASE: {default[1]}\n" in compose("config", env=env)


@pytest.mark.usefixtures("down")
def test_down_removes_containers_and_network() -> None:
    compose("up", "-d")
    assert len(leftovers().split()) == 3
    with Terminal(SERVER) as server:
        server.expect("listening on")
        compose("down")
        server.exit_status()
    assert leftovers() == ""


def test_edited_file_is_seen_at_once_in_a_lab_directory(copy: Path) -> None:
    compose("up", "-d", cwd=copy)
    program = copy / "Upcall" / "clientcall.py"
    command = ("exec", "-T", "upcall-client", "python", "clientcall.py")
    assert "Connection refused" in run(*COMPOSE, *command, cwd=copy).stderr.decode()
    program.write_text("print('edited in place')\n")
    assert compose(*command, cwd=copy) == "edited in place\n"
    # Many editors write a new file and rename it over the old one.
    other = program.with_suffix(".new")
    other.write_text("print('edited by rename')\n")
    other.rename(program)
    assert compose(*command, cwd=copy) == "edited by rename\n"


def test_health_fails_outside_the_network_and_without_the_program(copy: Path) -> None:
    (copy / "Upcall" / "servercall.py").chmod(0)
    compose("up", "-d", cwd=copy)
    succeed("docker", "network", "disconnect", NETWORK, container("upcall-client")["Id"])
    client = run(*CLIENT_PIPED, cwd=copy)
    assert client.returncode == 1
    assert client.stderr.decode().startswith("Name not resolved: ")
    assert f"{' '.join(COMPOSE)} up -d" in client.stderr.decode()
    assert "Traceback" not in client.stderr.decode()
    for service in SERVICES:
        await_health(service, "unhealthy", 40)


@pytest.mark.usefixtures("down")
def test_idle_containers_stop_at_once() -> None:
    compose("up", "-d")
    ids = [container(service)["Id"] for service in SERVICES]
    compose("stop")
    # 143 = 128 + SIGTERM; 137 would be the engine's SIGKILL after the grace period.
    assert [inspect(name)["State"]["ExitCode"] for name in ids] == [143, 143]
