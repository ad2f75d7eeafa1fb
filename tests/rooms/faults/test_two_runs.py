"""Two runs at once on one host: the second is told who holds the lab, and how to take over."""

from __future__ import annotations

import getpass
import json
import os
import re

from testinfra.host import Host

from tests.support.captures import (
    ATTENDED,
    LAB_IS_FREE,
    MODES,
    NOTHING_RUNS,
    PATIENT,
    inside,
    name_of,
    under_way,
)
from tests.support.lab_hosts import one_line, recap, run_playbook


def test_the_second_run_is_told_who_holds_the_lab_and_how_to_take_over(host: Host) -> None:
    who = f"{getpass.getuser()}@{os.uname().nodename}"
    with under_way(host, *MODES["watch"]) as first:
        since = json.loads(inside(host, "cat /run/upcall-lab/session.lock"))["since"]
        remedies = set()
        for playbook in ("capture", "deploy", "reset"):
            second = run_playbook(playbook, name_of(host), PATIENT)
            said = one_line(second.stdout)
            assert second.returncode != 0
            assert recap(second.stdout, name_of(host))["changed"] == 0
            assert f"{who} has held " in said
            assert f" since {since}" in said
            remedies |= set(re.findall(r"take over: (sudo kill \d+)", said))
        inside(host, ATTENDED)
        (remedy,) = remedies
        host.check_output(remedy)
        status, _ = first.result()
    assert status != 0
    inside(host, f"{NOTHING_RUNS} && {LAB_IS_FREE}")
    run = run_playbook("capture", name_of(host), PATIENT)
    assert run.returncode == 0, run.stdout
