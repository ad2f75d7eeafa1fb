"""The lab goes away under a session: the capture is marked incomplete, and the remedy is named."""

from __future__ import annotations

import json

import pytest
from testinfra.host import Host

from tests.support.captures import (
    LAB_IS_FREE,
    MODES,
    NOTHING_RUNS,
    PATIENT,
    assert_complete,
    folder,
    inside,
    name_of,
    on_one_host,
    under_way,
)
from tests.support.lab_hosts import one_line, run_playbook

FAULTS = {
    ("exercise", "systemctl restart docker"): "the container of upcall-",
    ("watch", "systemctl restart docker"): "the container of upcall-",
    ("watch", "docker stop --time 1 upcall-lab-upcall-client-1"): "the container of upcall-client",
}


@pytest.mark.parametrize(("mode", "fault"), FAULTS)
def test_a_session_whose_containers_stop_says_so(host: Host, mode: str, fault: str) -> None:
    on_one_host(host, list(FAULTS).index((mode, fault)))
    with under_way(host, *MODES[mode]) as run:
        inside(host, fault)
        status, output = run.result()
    assert status != 0
    assert f"{FAULTS[mode, fault]}" in output
    assert "was stopped in the middle of the session. Run playbooks/deploy.yml, then" in output
    inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}")
    newest = max((folder(host) / "incomplete").iterdir())
    told = json.loads((newest / "manifest.json").read_text())
    assert told["claims"]["complete"] is False
    assert told["mode"] == mode

    capture = run_playbook("capture", name_of(host), PATIENT)
    assert capture.returncode != 0
    assert "Run playbooks/deploy.yml first" in one_line(capture.stdout)
    repair = run_playbook("../site", name_of(host), PATIENT)
    assert repair.returncode == 0, repair.stdout
    assert_complete(folder(host) / "upcall.pcap", ["hello", "upcall"])


def test_a_window_that_loses_its_tcpdump_says_so(host: Host) -> None:
    on_one_host(host, len(FAULTS))
    with under_way(host, *MODES["watch"]) as run:
        inside(host, "pkill --signal KILL --exact tcpdump")
        status, output = run.result()
    assert status != 0
    assert "capture: tcpdump on br-" in output
    newest = max((folder(host) / "incomplete").iterdir())
    assert json.loads((newest / "manifest.json").read_text())["claims"]["complete"] is False
    inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}")
