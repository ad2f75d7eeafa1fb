"""site.yml on a machine with a kernel of its own: what lab hosts that share one cannot show."""

from __future__ import annotations

from pathlib import Path

from tests.support.captures import assert_complete
from tests.vm.conftest import PCAP, Run, run_playbook
from tests.vm.machine import Machine

MESSAGES = ["hello", "upcall"]
CAPTURE = {
    "lab_capture : Capture one exchange, from before its handshake until after its close",
    "lab_capture : Keep the capture on the controller",
    "lab_grade : Grade the captures",
}
START = "lab_upcall : Start the services and wait until they are healthy"


def test_it_is_a_machine_of_its_own_with_nothing_of_the_lab(
    vm: Machine, bare: dict[str, str]
) -> None:
    assert bare == {
        "first process": "systemd",
        "control groups": "cgroup2fs",
        "AppArmor": "Y",
        "container": "none",
        "engine": "",
        "programs": "",
    }
    # Another kernel than the controller's: each has drawn an id of its own at its start.
    own = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert vm.say("cat /proc/sys/kernel/random/boot_id") != own


def test_the_first_run_ends_with_a_complete_capture(first: Run) -> None:
    assert first.status == 0, first.output
    assert first.changed > CAPTURE
    assert_complete(PCAP, MESSAGES)


def test_the_containers_are_confined_by_apparmor(first: Run, vm: Machine) -> None:
    assert first.status == 0
    ids = vm.say("sudo docker container ls --quiet --filter label=com.docker.compose.service")
    pids = vm.say(f"sudo docker inspect --format '{{{{.State.Pid}}}}' {' '.join(ids.split())}")
    # The kernel's word for it, not the engine's.
    confined = [vm.say(f"sudo cat /proc/{pid}/attr/current") for pid in pids.split()]
    assert confined == ["docker-default (enforce)"] * 2


def test_the_second_run_changes_nothing_but_the_capture(first: Run, second: Run) -> None:
    assert second.status == 0, second.output
    assert second.changed == CAPTURE
    assert second.counts["changed"] == len(CAPTURE)
    assert second.sha256 != first.sha256
    assert_complete(PCAP, MESSAGES)


def test_nothing_stands_in_the_way_then(vm: Machine, second: Run) -> None:
    assert second.status == 0
    doctor = run_playbook(vm, "playbooks/doctor.yml")
    assert doctor.status == 0, doctor.output
    assert doctor.changed == set()


def test_after_a_reboot_a_run_starts_the_services_and_no_more(
    second: Run, after_reboot: Run
) -> None:
    assert after_reboot.status == 0, after_reboot.output
    assert after_reboot.changed == {START} | CAPTURE
    assert after_reboot.sha256 != second.sha256
    assert_complete(PCAP, MESSAGES)
