"""The capture in a container: `run --rm ip a` and `run --rm tcpdump`, at a pseudo-terminal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import (
    CAPTURE_IMAGE,
    CLIENT,
    IMAGE,
    SERVER,
    TOP,
    await_true,
    compose,
    inspect,
    run,
    succeed,
)
from tests.lab.wire import bridge
from tests.support.terminal import CTRL_C, Terminal

BASE = "upcall-lab-test-capture-base:1"
RUNNING = ("docker", "ps", "-q", "--filter", "label=upcall-lab.capture")
MEGABYTE = 1_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield the lab's files in a folder of the student's own; no capture runs after the test."""
    for part in ("Upcall", "compose"):
        shutil.copytree(TOP / part, tmp_path / part)
    yield tmp_path
    for capture in succeed(*RUNNING).split():
        succeed("docker", "rm", "--force", capture)


def in_container(folder: Path, *words: str) -> tuple[str, ...]:
    """Return the handout's ``run --rm`` for one of the two services."""
    return ("docker", "compose", "-f", f"{folder}/compose/upcall.yml", "run", "--rm", *words)


def tcpdump(folder: Path, network: str) -> Terminal:
    """Start the capture as the handout says, and wait until it listens."""
    words = ("tcpdump", "-nvi", bridge(network), "-w", "upcall.pcap")
    terminal = Terminal(in_container(folder, *words))
    terminal.expect("listening on")
    return terminal


def exchange() -> None:
    """Let server and client exchange two messages, each at its terminal."""
    with Terminal(SERVER) as server:
        server.expect("listening on")
        with Terminal(CLIENT) as client:
            for message in ("1", "hello", "bye"):
                client.expect("message: ")
                client.say(message)
            assert (client.exit_status(), server.exit_status()) == (0, 0)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Return what the grader says of the capture; status 0 when it meets every criterion."""
    program = Path(sys.executable).with_name("upcall-show")
    capture = folder / "upcall.pcap"
    return subprocess.run(
        [program, "--check", capture], capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("capture_image")
def test_a_capture_stopped_at_once_is_complete(idle: str, folder: Path) -> None:
    with Terminal(in_container(folder, "ip", "a")) as listed:
        assert listed.exit_status() == 0
    assert f" {bridge(idle)}: <BROADCAST,MULTICAST,UP,LOWER_UP>" in listed.text
    with tcpdump(folder, idle) as capturing:
        exchange()
        capturing.type(CTRL_C)
        assert capturing.exit_status() == 0
    assert "\n0 packets dropped by kernel" in capturing.text
    seen = check(folder)
    assert seen.returncode == 0, seen.stdout
    assert succeed(*RUNNING) == ""


@pytest.mark.usefixtures("capture_image")
def test_a_student_s_own_file_stays_theirs(idle: str, folder: Path) -> None:
    capture = folder / "upcall.pcap"
    capture.touch()
    os.chown(capture, 65534, 65534)
    capture.chmod(0o600)
    with tcpdump(folder, idle) as capturing:
        capturing.type(CTRL_C)
        assert capturing.exit_status() == 0
    assert (capture.stat().st_uid, capture.stat().st_size >= 24) == (65534, True)


@pytest.mark.usefixtures("capture_image")
def test_a_second_capture_is_refused_and_the_first_stays_whole(idle: str, folder: Path) -> None:
    with tcpdump(folder, idle) as first:
        words = ("tcpdump", "-nvi", bridge(idle), "-w", "upcall.pcap")
        with Terminal(in_container(folder, *words)) as second:
            assert second.exit_status() == 1
        assert second.text.startswith("Another capture is still running.")
        exchange()
        first.type(CTRL_C)
        first.exit_status()
    assert check(folder).returncode == 0


@pytest.mark.usefixtures("capture_image")
def test_a_capture_without_its_terminal_is_ended_as_the_refusal_says(
    idle: str, folder: Path
) -> None:
    with tcpdump(folder, idle) as lost:
        exchange()
        lost.vanish()
    assert succeed(*RUNNING) != ""
    words = ("tcpdump", "-nvi", bridge(idle), "-w", "upcall.pcap")
    with Terminal(in_container(folder, *words)) as refused:
        assert refused.exit_status() == 1
    remedy = re.search(r"^docker stop .*$", refused.text, re.MULTILINE)
    assert remedy is not None
    succeed("sh", "-c", remedy[0])
    await_true(lambda: succeed(*RUNNING, "-a") == "", 5, "the container's removal")
    seen = check(folder)
    assert seen.returncode == 0, seen.stdout


@pytest.mark.usefixtures("capture_image", "lab")
def test_up_and_ps_leave_a_capture_alone_and_down_ends_it(idle: str, folder: Path) -> None:
    with tcpdump(folder, idle) as lost:
        lost.vanish()
    running = succeed(*RUNNING)
    compose("up", "-d", "--remove-orphans")
    assert succeed(*RUNNING) == running != ""
    assert compose("ps", "--services").split() == ["upcall-client", "upcall-server"]
    assert compose("config", "--services").split() == ["upcall-client", "upcall-server"]
    try:
        compose("down")
        await_true(lambda: succeed(*RUNNING, "-a") == "", 5, "the capture's end")
    finally:
        compose("up", "-d", "--wait")


@pytest.mark.usefixtures("capture_image")
def test_the_capture_s_rights_and_the_sizes_of_both_images(idle: str, folder: Path) -> None:
    with tcpdump(folder, idle) as capturing:
        told = inspect(succeed(*RUNNING).strip())["HostConfig"]
        capturing.type(CTRL_C)
        capturing.exit_status()
    assert (told["CapDrop"], told["CapAdd"]) == (["ALL"], ["NET_RAW", "DAC_OVERRIDE"])
    assert (told["Privileged"], told["AutoRemove"]) == (False, True)
    assert inspect(CAPTURE_IMAGE)["Size"] < 36 * MEGABYTE


@pytest.fixture
def offline(folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield ``run --rm ip a`` where no image is there and builds reach no network."""
    override = folder / "offline.yml"
    override.write_text("services: {ip: {build: {network: none, no_cache: true}}}\n")
    files = ("-f", f"{folder}/compose/upcall.yml", "-f", str(override))
    succeed("docker", "tag", CAPTURE_IMAGE, BASE)
    succeed("docker", "rmi", CAPTURE_IMAGE)
    yield ("docker", "compose", *files, "run", "--rm", "ip", "a")
    built = (
        run("docker", "image", "inspect", "-f", "{{.Id}}", CAPTURE_IMAGE).stdout.decode().strip()
    )
    succeed("docker", "tag", BASE, CAPTURE_IMAGE)
    succeed("docker", "rmi", BASE)
    if built not in ("", inspect(CAPTURE_IMAGE)["Id"]):
        succeed("docker", "rmi", built)


@pytest.mark.usefixtures("capture_image")
def test_without_the_image_run_builds_it_on_a_local_base(
    idle: str, offline: tuple[str, ...]
) -> None:
    done = run(*offline, env={**os.environ, "UPCALL_CAPTURE_BASE": BASE})
    assert done.returncode == 0, done.stderr.decode()
    assert bridge(idle) in done.stdout.decode()


@pytest.mark.usefixtures("capture_image", "idle")
def test_without_image_and_network_run_says_what_to_do(offline: tuple[str, ...]) -> None:
    done = run(*offline, env={**os.environ, "UPCALL_CAPTURE_BASE": IMAGE})
    assert done.returncode != 0
    said = done.stderr.decode() + done.stdout.decode()
    assert "tcpdump cannot be installed in a container here. Type: sudo tcpdump" in said
