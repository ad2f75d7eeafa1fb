"""Another lab of the course goes through deploy, capture and grade: only its facts are told."""

from __future__ import annotations

import json
from pathlib import Path

from testinfra.host import Host

from tests.support.captures import name_of, on_one_host
from tests.support.lab_hosts import COMPOSE, TOP, recap, run_playbook

LAB = TOP / "tests" / "second_lab"
FACTS = f"--extra-vars=@{LAB / 'lab.yml'}"
CONTAINERS = "docker ps --all --quiet --filter label=com.docker.compose.project=echo-lab"


def play(host: Host, step: str, folder: Path) -> dict[str, int]:
    """Run one step for the other lab, and return its counts."""
    places = {"lab_capture_directory": str(folder / "captures")}
    done = run_playbook(step, name_of(host), places, FACTS)
    assert done.returncode == 0, done.stdout
    return recap(done.stdout, name_of(host))


def test_another_lab_is_deployed_captured_and_graded(host: Host, tmp_path: Path) -> None:
    on_one_host(host, 1)
    try:
        assert play(host, "deploy", tmp_path)["changed"] > 0
        assert play(host, "deploy", tmp_path)["changed"] == 0
        play(host, "capture", tmp_path)
        play(host, "grade", tmp_path)
        [found] = json.loads((tmp_path / "grades" / "grades.json").read_text())["submissions"]
        assert (found["verdict"], found["points"]) == ("graded", 100)
        assert [(one["message"], one["upcall"]) for one in found["exchanges"]] == [
            ("hello", "Echo: hello"),
            ("upcall", "Echo: upcall"),
        ]
        # Server log and client transcript tell the same as the wire.
        assert [remark["code"] for remark in found["remarks"]] == ["scripted"]
    finally:
        play(host, "teardown", tmp_path)
    with host.sudo():
        assert not host.file("/opt/echo-lab").exists
        assert host.check_output(CONTAINERS) == ""
        # The upcall lab beside it was nobody's business.
        running = host.check_output(f"{COMPOSE} ps --services --status running").split()
    assert sorted(running) == ["upcall-client", "upcall-server"]
