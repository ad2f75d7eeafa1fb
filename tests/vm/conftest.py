"""One virtual machine for all tests, and the runs of site.yml on it, each when first asked for."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab_hosts import TOP, environment, recap
from tests.vm.disk import STATE, Disk, disk
from tests.vm.machine import NAME, Machine, started

CAPTURES = STATE / "captures"
PCAP = CAPTURES / NAME / "upcall.pcap"
IMAGE_ARCHIVE = STATE / "upcall-lab.tar.gz"

VARIABLES = {
    "lab_capture_directory": str(CAPTURES),
    "lab_upcall_image_archive": str(IMAGE_ARCHIVE),
    # Emulated, and where other work is done as well, a program in a container starts slowly.
    "lab_capture_start_timeout": 60,
}

# Installing the engine and making the image, emulated and on a machine that has more to do.
RUN_TIMEOUT = 1500


@dataclasses.dataclass(frozen=True)
class Run:
    """A playbook's run on the virtual machine: what it said, and which capture was there then."""

    status: int
    output: str
    sha256: str

    @property
    def counts(self) -> dict[str, int]:
        """Ansible's counts for the virtual machine."""
        return recap(self.output, NAME)

    @property
    def changed(self) -> set[str]:
        """The names of the tasks that changed something."""
        task, names = "", set()
        for line in self.output.splitlines():
            if heading := re.match(r"TASK \[(.*)\] \**$", line):
                task = heading[1]
            elif line.startswith((f"changed: [{NAME}]", f"changed: [{NAME} -> ")):
                names.add(task)
        return names


def run_playbook(vm: Machine, name: str) -> Run:
    """Run one of the project's playbooks as its user would."""
    done = subprocess.run(
        [
            "ansible-playbook",
            f"--inventory={vm.inventory}",
            f"--extra-vars={json.dumps(VARIABLES)}",
            name,
        ],
        cwd=TOP,
        env={**environment(), "UPCALL_LAB_RUN_FILE": str(STATE / "run.json")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    return Run(done.returncode, done.stdout, digest(PCAP))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file; empty if there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


@pytest.fixture(scope="session")
def vm_disk() -> Disk:
    return disk()


@pytest.fixture(scope="session")
def vm(vm_disk: Disk) -> Iterator[Machine]:
    """Yield the virtual machine, booted."""
    with started(vm_disk, STATE) as machine:
        machine.await_boot()
        yield machine


@pytest.fixture(scope="session")
def bare(vm: Machine) -> dict[str, str]:
    """Return what the virtual machine is and has before the project touches it."""
    questions = {
        "first process": "cat /proc/1/comm",
        "control groups": "stat --file-system --format=%T /sys/fs/cgroup",
        "AppArmor": "cat /sys/module/apparmor/parameters/enabled",
        "container": "systemd-detect-virt --container || true",
        "engine": "command -v docker dockerd || true",
        "programs": "command -v tcpdump apparmor_parser mmdebstrap || true",
    }
    return {name: vm.say(question) for name, question in questions.items()}


@pytest.fixture(scope="session")
def first(vm: Machine, bare: dict[str, str]) -> Run:
    """Return the first run of site.yml, by a controller that has nothing yet either."""
    assert bare["engine"] == ""
    shutil.rmtree(CAPTURES, ignore_errors=True)
    IMAGE_ARCHIVE.unlink(missing_ok=True)
    return run_playbook(vm, "site.yml")


@pytest.fixture(scope="session")
def second(vm: Machine, first: Run) -> Run:
    """Return the same again."""
    assert first.status == 0, "there is no second run without a first"
    return run_playbook(vm, "site.yml")


@pytest.fixture(scope="session")
def after_reboot(vm: Machine, second: Run) -> Run:
    """Return the same again, the virtual machine having been restarted as its user would."""
    assert second.status == 0, "what did not work before a reboot says nothing after it"
    boot = vm.say("cat /proc/sys/kernel/random/boot_id")
    vm.ssh("sudo systemctl reboot")
    vm.await_boot(unlike=boot)
    return run_playbook(vm, "site.yml")
