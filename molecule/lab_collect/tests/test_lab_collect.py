"""The role alone, on the lab hosts: what converge listed, and a capture in a place of one's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import name_of
from tests.support.lab_hosts import CAPTURES, run_playbook

FILE = "/srv/hand-ins/upcall.pcap"


@pytest.fixture
def _handed_in(host: Host) -> Iterator[None]:
    """Put a capture where the role looks only when asked."""
    with host.sudo():
        host.check_output(f"install -d -m 700 {Path(FILE).parent} && echo capture > {FILE}")
    yield
    with host.sudo():
        host.check_output(f"rm -rf {Path(FILE).parent}")


def missing(captures: Path) -> dict[str, str]:
    """Return why nothing was collected, by student."""
    with (captures / "missing.csv").open(encoding="utf-8", newline="") as table:
        return {row["student"]: row["why"] for row in csv.DictReader(table)}


def test_a_host_without_a_capture_is_listed(host: Host) -> None:
    assert missing(CAPTURES)[name_of(host)] == "no file"


@pytest.mark.usefixtures("_handed_in")
def test_a_capture_is_collected_from_where_it_is_told_to_lie(host: Host, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    given = {"lab_collect_directory": str(captures), "lab_collect_patterns": ["/srv/*/upcall.pcap"]}
    done = run_playbook("collect", name_of(host), given)
    assert done.returncode == 0, done.stdout
    collected = captures / "submissions" / name_of(host) / "upcall.pcap"
    assert collected.read_bytes() == b"capture\n"
    assert name_of(host) not in missing(captures)
