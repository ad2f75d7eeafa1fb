"""Captures on the controller, read by a second tool, and what they left on their lab host."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

from testinfra.host import Host

from tests.support.lab_hosts import CAPTURES


def name_of(host: Host) -> str:
    return str(host.backend.get_hostname())


def folder(host: Host) -> Path:
    return CAPTURES / name_of(host)


def manifest(host: Host) -> dict[str, t.Any]:
    return t.cast(dict[str, t.Any], json.loads((folder(host) / "manifest.json").read_text()))


def frames(pcap: Path) -> list[tuple[str, str, bytes]]:
    """Flags, sender's port and payload of each of the lab's segments, as tshark reads them."""
    fields = ["-e", "tcp.flags.str", "-e", "tcp.srcport", "-e", "tcp.payload"]
    shown = subprocess.run(
        ["tshark", "-r", pcap, "-Y", "tcp.port == 4141", "-T", "fields", *fields],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split("\t") for line in shown.stdout.splitlines())
    return [
        (flags.replace("·", ""), port, bytes.fromhex(payload.replace(":", "")))
        for flags, port, payload in rows
    ]


def assert_complete(pcap: Path, messages: list[str]) -> None:
    seen = frames(pcap)
    flags = [flag for flag, _, _ in seen]
    assert flags[:3] == ["S", "AS", "A"]
    assert not any("R" in flag for flag in flags)
    assert {port == "4141" for flag, port, _ in seen if "F" in flag} == {True, False}
    assert flags[-1] == "A"
    payloads = [payload for _, _, payload in seen if payload]
    expected = [
        text.encode()
        for message in messages
        for text in (message, f"Upcall event: Processing {message}")
    ]
    assert payloads == expected


def assert_nothing_is_left(host: Host) -> None:
    # By the program's name first: the shells that run these tests' commands name them, too.
    processes = host.check_output("ps -eo comm=,args=").splitlines()
    started = [line for line in processes if line.startswith(("tcpdump", "python", "docker "))]
    programs = ("tcpdump", "servercall.py", "clientcall.py")
    assert [line for line in started if any(name in line for name in programs)] == []
