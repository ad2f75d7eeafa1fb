"""One run of collect.yml, and what it brought."""

from __future__ import annotations

import csv
import json
import typing as t
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from testinfra.host import Host

from tests.support.lab_hosts import run_playbook


class Collected(t.NamedTuple):
    """Ansible's run, the folder of the captures, and the rows of the list by student."""

    run: CompletedProcess[str]
    captures: Path
    missing: dict[str, dict[str, str]]

    def manifest(self, student: str) -> dict[str, t.Any]:
        """Return the manifest of one submission."""
        text = (self.captures / "submissions" / student / "manifest.json").read_text()
        return t.cast(dict[str, t.Any], json.loads(text))

    def pcap(self, student: str) -> bytes:
        """Return the capture of one submission."""
        return (self.captures / "submissions" / student / "upcall.pcap").read_bytes()

    def students(self) -> set[str]:
        """Everybody of whom a file was collected."""
        return {path.parent.name for path in self.captures.glob("submissions/*/upcall.pcap")}


Collect = Callable[..., Collected]


@pytest.fixture(scope="module")
def collect(host: Host) -> Collect:
    """Return a way to run collect.yml on the host, with a roster for it and with variables."""
    name = str(host.backend.get_hostname())

    def run(
        captures: Path, *options: str, students: list[dict[str, str]] | None = None, **given: t.Any
    ) -> Collected:
        inventory = captures.with_name(f"{captures.name}.roster.json")
        roster = {"lab_roster_students": students} if students is not None else {}
        away = {"ansible_host": "127.0.0.1", "ansible_port": 1}
        hosts = {name: roster, "switched-off": away}
        inventory.write_text(json.dumps({"lab_hosts": {"hosts": hosts}}))
        ran = run_playbook(
            "collect",
            name,
            {"lab_capture_directory": str(captures)} | given,
            f"--inventory={inventory}",
            *options,
        )
        table = captures / "missing.csv"
        lines = table.read_text().splitlines() if table.exists() else []
        rows = csv.DictReader(lines)
        return Collected(ran, captures, {row["student"]: row for row in rows})

    return run
