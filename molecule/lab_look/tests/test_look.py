"""What the look tells of a host, held against what the host's own programs tell."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import name_of
from tests.support.lab_hosts import LAB, STATE, TOP, environment, run_playbook


@pytest.fixture(scope="module")
def seen(host: Host, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    """Return the role's result for this host."""
    folder = tmp_path_factory.mktemp("look")
    subprocess.run(
        [
            "ansible-playbook",
            f"--inventory={STATE / 'inventory.yml'}",
            f"--limit={name_of(host)}",
            f"--extra-vars=look_folder={folder}",
            str(Path(__file__).parent / "look.yml"),
        ],
        cwd=TOP,
        env=environment(),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    told = json.loads((folder / f"{name_of(host)}.json").read_text())
    return t.cast(dict[str, t.Any], told)


@pytest.fixture(scope="module")
def look(seen: dict[str, t.Any]) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], seen["look"])


def test_the_look_changes_nothing(seen: dict[str, t.Any]) -> None:
    assert seen["changed"] is False


def test_the_distribution(host: Host, look: dict[str, t.Any]) -> None:
    told = look["os"]
    assert told["id"] == host.system_info.distribution
    assert told["codename"] == host.system_info.codename
    assert told["systemd"] is True
    assert told["login"] == "instructor"


def test_engine_and_compose(host: Host, look: dict[str, t.Any]) -> None:
    with host.sudo():
        engine, compose = host.run("docker version"), host.run("docker compose version")
    assert look["engine"]["works"] == (engine.rc == 0)
    assert bool(look["engine"]["daemon"]) == host.exists("dockerd")
    assert look["engine"]["elsewhere"] == ""
    assert look["compose"]["works"] == (compose.rc == 0)
    assert bool(look["engine"]["error"]) != look["engine"]["works"]


def test_tcpdump(host: Host, look: dict[str, t.Any]) -> None:
    assert bool(look["tcpdump"]["path"]) == host.run("PATH=$PATH:/usr/sbin; type tcpdump").succeeded
    assert look["tcpdump"]["permitted"] is True
    assert look["tcpdump"]["running"] == []


def test_the_lab_files(host: Host, look: dict[str, t.Any]) -> None:
    for name, told in look["files"].items():
        file = host.file(str(Path(LAB, name)))
        assert bool(told) == file.exists
        if file.exists:
            assert (told["sha256"], told["owner"]) == (file.sha256sum, file.user)


def test_free_space_and_clock(host: Host, seen: dict[str, t.Any]) -> None:
    free = int(host.check_output("df --output=avail --block-size=1 /opt").split()[-1])
    assert abs(seen["look"]["disk"]["free"] - free) < 2**30
    # A container has its host's clock.
    assert abs(seen["clock_offset_seconds"]) <= 0.01 + seen["clock_delay_seconds"] / 2


def test_nothing_is_in_use(look: dict[str, t.Any]) -> None:
    assert (look["port"], look["session"], look["leftovers"]) == ({}, {}, [])


def test_doctor_tells_just_what_is_missing(host: Host, look: dict[str, t.Any]) -> None:
    run = run_playbook("doctor", name_of(host))
    for finding, missing in {
        "no-engine": not look["engine"]["works"],
        "no-compose": not look["compose"]["works"],
        "no-tcpdump": not look["tcpdump"]["path"],
        "port-taken": False,
    }.items():
        assert (f"(item={finding}: " in run.stdout) == missing, run.stdout


@pytest.mark.parametrize("playbook", ["prepare", "deploy", "capture"])
def test_check_mode_works_whatever_is_missing(host: Host, playbook: str) -> None:
    """In this scenario the host is blank: each step tells what it would do, and does nothing."""
    before = host.run("dpkg-query --show; ls /opt").stdout
    run = run_playbook(playbook, name_of(host), {}, "--check")
    assert run.returncode == 0, run.stdout
    assert host.run("dpkg-query --show; ls /opt").stdout == before
