"""The image, the lab and its wire, for tests that use real containers of compose/upcall.yml."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import (
    CAPTURE_IMAGE,
    IMAGE,
    NETWORK,
    PROJECT,
    TOP,
    await_health,
    compose,
    leftovers,
    listening,
    run,
    succeed,
)
from tests.lab.wire import Wire

SERVICES = ("upcall-server", "upcall-client")
MAKE_IMAGE_ROOT = TOP / "roles" / "lab_upcall" / "files" / "make-image-root"


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """Say at once, and once, what is missing on this machine."""
    assert os.geteuid() == 0, "tests/lab listens on the lab's bridge: run it as root"
    done = run("docker", "compose", "version")
    assert done.returncode == 0, "no `docker compose` here: make engine"
    done = run("docker", "info")
    assert done.returncode == 0, f"no engine answers: make engine\n{done.stderr.decode()}"
    # A lab that `make lab` left up, idle, makes way for the tests, and comes back after them.
    standing = config_of_a_standing_lab()
    if leftovers():
        assert not any(listening(service) for service in SERVICES), (
            "an exchange is under way in the lab on this machine: end it, then run the tests again"
        )
        succeed("docker", "compose", "--project-name", PROJECT, "down", "--remove-orphans")
    yield
    if standing:
        succeed("docker", "compose", "--file", standing, "up", "--detach")


def config_of_a_standing_lab() -> str:
    """Return the compose file of a lab that is up on this machine; empty if none is."""
    listed = json.loads(succeed("docker", "compose", "ls", "--format", "json"))
    return next((str(lab["ConfigFiles"]) for lab in listed if lab["Name"] == PROJECT), "")


@pytest.fixture(scope="session")
def mirror() -> str:
    """Return the Debian mirror that this machine's own apt sources name."""
    command = ("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages")
    sites = succeed(*command, "Component: main").split()
    assert sites, "apt-get knows no package lists: apt-get update"
    return sites[0]


@pytest.fixture(scope="session", autouse=True)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Provide the lab's image: the one that is here, or else one made of Debian packages."""
    request.getfixturevalue("engine")
    if run("docker", "image", "inspect", IMAGE).returncode != 0:
        archive = tmp_path_factory.mktemp("image") / "upcall-lab.tar"
        mirror = request.getfixturevalue("mirror")
        succeed(str(MAKE_IMAGE_ROOT), "--mirror", mirror, "--output", str(archive))
        succeed("docker", "import", str(archive), IMAGE)


@pytest.fixture(scope="session")
def capture_image(mirror: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the name of the image for captures in a container, made of Debian packages."""
    before = run("docker", "image", "ls", "--no-trunc", "--quiet", CAPTURE_IMAGE).stdout
    archive = tmp_path_factory.mktemp("capture") / "upcall-capture.tar"
    succeed(str(MAKE_IMAGE_ROOT), "--capture", "--mirror", mirror, "--output", str(archive))
    made = succeed("docker", "import", str(archive), CAPTURE_IMAGE).strip()
    yield CAPTURE_IMAGE
    succeed("docker", "rmi", made)
    if before:
        succeed("docker", "tag", before.decode().strip(), CAPTURE_IMAGE)


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[str, str]]:
    """Yield the names of the two services, up and healthy; down after the last test of a file."""
    try:
        compose("up", "-d")
        for service in SERVICES:
            await_health(service, "healthy")
        yield SERVICES
    finally:
        compose("down")


@pytest.fixture
def idle(lab: tuple[str, str]) -> str:
    """Clear the lab of servers that earlier tests left, and return its network's name."""
    if any(listening(service) for service in lab):
        compose("restart", "-t", "0")
    return NETWORK


@pytest.fixture
def wire(idle: str, tmp_path: Path) -> Iterator[Wire]:
    """Yield the lab's bridge, listened to since before the test."""
    with Wire(tmp_path, idle) as opened:
        yield opened
