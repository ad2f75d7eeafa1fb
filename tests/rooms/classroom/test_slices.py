"""One room, two jobs at the same time, as AWX slices an inventory: ansible-runner runs each slice.

AWX gives each slice an inventory in which only the slice's hosts are, taken in turn, and starts an
ansible-runner for each. See docs/larger-rooms.md, whose settings these are.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import typing as t
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.captures import assert_complete
from tests.support.lab_hosts import TOP
from tests.support.rooms import Room

SLICES = 2
MESSAGES = ["satu", "dua kata"]
# What differs between two captures of one host: times, the client's port and so the bytes.
OF_ITS_TIME = {
    "started",
    "stopped",
    "clock_offset_seconds",
    "sha256",
    "size",
    "tcpdump",
    "connections",
}


def ansible_runner(folder: Path, playbook: Path) -> list[str]:
    return ["ansible-runner", "run", str(folder), "--project-dir", str(TOP), "-p", str(playbook)]


def private_folder(folder: Path, settings: dict[str, t.Any]) -> Path:
    """Make a folder as ansible-runner wants it: env/envvars, env/extravars, inventory/..."""
    for name, content in settings.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    return folder


def from_survey(room: Room) -> dict[str, t.Any]:
    """Return the survey's answers as extra variables, a text of several lines among them."""
    return room.variables | {"survey_messages": "".join(f"{line}\n" for line in MESSAGES)}


def slice_of(room: Room, number: int, run: str) -> dict[str, t.Any]:
    """Return the inventory and settings of one slice."""
    group = yaml.safe_load(room.inventory.read_text())["lab_hosts"]
    group["hosts"] = dict.fromkeys(room.hosts[number::SLICES])
    group["vars"] |= {
        "ansible_host_key_checking": True,  # ansible-runner switches it off
        "lab_capture_messages": "{{ survey_messages.splitlines() | map('trim') | select | list }}",
    }
    return {
        "inventory/hosts.json": {"lab_hosts": group},
        "env/extravars": from_survey(room),
        "env/envvars": {
            "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
            "ANSIBLE_CALLBACK_PLUGINS": str(TOP / "plugins" / "callback"),
            "UPCALL_LAB_RUN": run,
            "UPCALL_LAB_RUN_FILE": str(room.state / "run.json"),
        },
    }


@pytest.fixture(scope="module")
def room(four_seats: Room) -> Room:
    return four_seats


@pytest.fixture(scope="module")
def whole(room: Room) -> dict[str, dict[str, t.Any]]:
    """Return the manifests of one run over the whole room."""
    extra = json.dumps({"lab_capture_messages": MESSAGES})
    run = room.play("site.yml", f"--extra-vars={extra}")
    assert run.returncode == 0, run.stdout
    return manifests(room)


@pytest.fixture(scope="module")
def outputs(room: Room, whole: dict[str, dict[str, t.Any]]) -> Iterator[list[str]]:
    """Yield the outputs of the two slices of one run, which run side by side."""
    assert whole
    shutil.rmtree(room.captures)
    run = uuid.uuid4().hex
    folders = [
        private_folder(room.state / "slices" / str(number), slice_of(room, number, run))
        for number in range(SLICES)
    ]
    jobs = [
        subprocess.Popen(
            ansible_runner(folder, Path("site.yml")),
            env=room.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for folder in folders
    ]
    try:
        said = [job.communicate(timeout=600)[0] for job in jobs]
        assert [job.returncode for job in jobs] == [0] * SLICES, "\n".join(said)
        yield said
    finally:
        for job in jobs:
            job.kill()
            job.wait()


def manifests(room: Room) -> dict[str, dict[str, t.Any]]:
    return {
        folder.name: json.loads((folder / "manifest.json").read_text())
        for folder in room.captures.iterdir()
    }


@pytest.mark.usefixtures("outputs")
def test_slices_bring_the_captures_that_one_run_brings(
    room: Room, whole: dict[str, dict[str, t.Any]]
) -> None:
    def lasting(all_of_them: dict[str, dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
        return {
            host: {
                key: value
                for key, value in (told | told["claims"]).items()
                if key not in OF_ITS_TIME | {"claims"}
            }
            for host, told in all_of_them.items()
        }

    assert set(whole) == set(room.hosts)
    assert lasting(manifests(room)) == lasting(whole)
    for host in room.hosts:
        assert_complete(room.captures / host / "upcall.pcap", MESSAGES)


def test_the_slices_give_one_table(room: Room, outputs: list[str]) -> None:
    told = room.report()
    assert list(told["hosts"]) == room.hosts
    assert {cell for host in told["hosts"].values() for cell in host["steps"].values()} <= {
        "ok",
        "changed",
    }
    assert (told["finished"], told["limit"]) == (True, [])
    # The slice that ended last shows all of it.
    assert any(f"{len(room.hosts)} hosts: {len(room.hosts)} ok" in said for said in outputs)


@pytest.mark.usefixtures("outputs")
def test_the_report_is_an_artefact_of_the_job_after_them(room: Room) -> None:
    """AWX keeps as a job's artefacts what ansible-runner tells in its last event."""
    folder = private_folder(
        room.state / "slices" / "report",
        {
            "inventory/hosts.json": {},
            "env/extravars": {"lab_run_file": str(room.state / "run.json")},
            "env/envvars": {"UPCALL_LAB_RUN_FILE": str(room.state / "slices" / "run.json")},
        },
    )
    done = room.run(ansible_runner(folder, TOP / "docs" / "awx-report.yml"))
    assert done.returncode == 0, done.stdout
    events = (json.loads(file.read_text()) for file in folder.glob("artifacts/*/job_events/*.json"))
    data = next(e["event_data"] for e in events if e["event"] == "playbook_on_stats")
    assert data["artifact_data"] == {"upcall_lab_run": room.report()}


def test_a_slice_checks_host_keys(room: Room, tmp_path: Path) -> None:
    settings = slice_of(room, 0, uuid.uuid4().hex)
    known = "-o UserKnownHostsFile=/dev/null"
    settings["inventory/hosts.json"]["lab_hosts"]["vars"]["ansible_ssh_extra_args"] = known
    # As in AWX, connections that are open already are another job's.
    settings["env/envvars"]["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(tmp_path)
    folder = private_folder(room.state / "slices" / "stranger", settings)
    done = room.run(
        [*ansible_runner(folder, Path("playbooks/doctor.yml")), "--limit", room.hosts[0]]
    )
    assert done.returncode != 0
    assert "Host key verification failed" in done.stdout
