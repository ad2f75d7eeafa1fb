"""The lab hosts themselves: what every other scenario takes for granted."""

from __future__ import annotations

from testinfra.host import Host


def test_the_login_is_the_instructors_own(host: Host) -> None:
    assert host.user().name == "instructor"


def test_the_instructor_becomes_root_without_a_password(host: Host) -> None:
    with host.sudo():
        assert host.check_output("id -u") == "0"


def test_systemd_is_the_first_process_and_all_its_units_are_well(host: Host) -> None:
    assert host.file("/proc/1/comm").content_string.strip() == "systemd"
    assert host.check_output("systemctl is-system-running") == "running"
