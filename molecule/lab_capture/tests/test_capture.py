"""What a capture brings to the controller, read by a second tool, and what it leaves behind."""

from __future__ import annotations

import hashlib
import json

import pytest
from testinfra.host import Host

from tests.support.captures import (
    assert_complete,
    assert_nothing_is_left,
    folder,
    frames,
    manifest,
    name_of,
    on_one_host,
)
from tests.support.lab_hosts import COMPOSE, one_line, recap, run_playbook

MESSAGES = ["hello", "upcall"]  # lab_capture's default


@pytest.fixture(scope="module", autouse=True)
def _captured(host: Host) -> None:
    """Make a capture with the defaults, whatever happened on the host before."""
    run = run_playbook("capture", name_of(host))
    assert run.returncode == 0, run.stdout


def test_the_capture_is_complete(host: Host) -> None:
    assert_complete(folder(host) / "upcall.pcap", MESSAGES)


def test_the_manifest_tells_the_truth(host: Host) -> None:
    known = manifest(host)
    told = known["claims"]
    with host.sudo():
        network = json.loads(host.check_output("docker network inspect upcall-lab_upcall"))[0]
    pcap = (folder(host) / "upcall.pcap").read_bytes()
    assert (known["schema"], known["host"], known["mode"]) == (2, name_of(host), "exercise")
    assert known["student"] == ""
    assert (known["sha256"], known["size"]) == (hashlib.sha256(pcap).hexdigest(), len(pcap))
    assert abs(known["clock_offset_seconds"]) < 60
    assert (told["mode"], told["sha256"]) == (known["mode"], known["sha256"])
    assert told["complete"] is True
    assert told["interface"] == "br-" + network["Id"][:12]
    assert told["network"]["id"] == network["Id"]
    assert told["network"]["subnets"] == [entry["Subnet"] for entry in network["IPAM"]["Config"]]
    addresses = {
        container["Name"]: container["IPv4Address"].split("/")[0]
        for container in network["Containers"].values()
    }
    assert {c["name"]: c["address"] for c in told["containers"].values()} == addresses
    counted = told["tcpdump"]
    assert counted["captured"] == counted["received"] >= len(frames(folder(host) / "upcall.pcap"))
    assert counted["dropped"] == 0
    assert told["messages"] == MESSAGES
    assert told["started"] < told["stopped"]


def test_both_transcripts_came_along(host: Host) -> None:
    server, client = ((folder(host) / f"{side}.log").read_text() for side in ("server", "client"))
    for message in MESSAGES:
        assert f"Received from client: {message}\n" in server
        assert f"Received upcall from server: Upcall event: Processing {message}\n" in client


def test_only_the_instructor_may_read_the_captures(host: Host) -> None:
    assert folder(host).stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder(host).iterdir())


def test_nothing_is_left_on_the_host(host: Host) -> None:
    assert_nothing_is_left(host)


def test_another_capture_keeps_the_earlier_one(host: Host) -> None:
    before = (folder(host) / "upcall.pcap").read_bytes()
    messages = ["satu", "dua kata", "trois: é, 日本"]
    run = run_playbook("capture", name_of(host), {"lab_capture_messages": messages})
    assert run.returncode == 0, run.stdout
    assert_complete(folder(host) / "upcall.pcap", messages)
    kept = [path.read_bytes() for path in (folder(host) / "earlier").glob("*/upcall.pcap")]
    assert before in kept


def test_check_mode_captures_nothing(host: Host) -> None:
    on_one_host(host, 0)
    before = manifest(host)
    run = run_playbook("capture", name_of(host), {}, "--check")
    assert run.returncode == 0, run.stdout
    assert recap(run.stdout, name_of(host))["changed"] == 1
    assert manifest(host) == before


REFUSED = {
    "empty": ("", "it is empty"),
    "two lines": ("a\nb", "it is empty, or has a line break"),
    "bye": ("bye", "it ends the exchange"),
    "too long": ("é" * 513, "it has 1026 bytes of UTF-8, more than 1024"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_message_that_cannot_be_sent_is_refused(host: Host, kind: str) -> None:
    on_one_host(host, list(REFUSED).index(kind))
    message, reason = REFUSED[kind]
    run = run_playbook("capture", name_of(host), {"lab_capture_messages": ["1", message]})
    assert run.returncode != 0
    assert f"message 2 cannot be sent: {reason}" in one_line(run.stdout)


def test_the_longest_message_is_captured_whole(host: Host) -> None:
    on_one_host(host, 1)
    messages = ["é" * 512]
    run = run_playbook("capture", name_of(host), {"lab_capture_messages": messages})
    assert run.returncode == 0, run.stdout
    assert_complete(folder(host) / "upcall.pcap", messages)


def test_a_client_that_fails_gives_an_incomplete_capture(host: Host) -> None:
    on_one_host(host, 2)
    before = manifest(host)
    variables = {"lab_capture_client_command": ["python", "-c", "raise SystemExit('broken')"]}
    run = run_playbook("capture", name_of(host), variables)
    assert run.returncode != 0
    assert "run the client: it ended with status 1: broken" in one_line(run.stdout)
    newest = max((folder(host) / "incomplete").iterdir())
    told = json.loads((newest / "manifest.json").read_text())["claims"]
    assert told["complete"] is False
    assert told["incomplete"].startswith("run the client")
    assert "listening" in (newest / "server.log").read_text()
    assert manifest(host) == before
    assert_nothing_is_left(host)


def test_a_client_that_hangs_is_ended(host: Host) -> None:
    on_one_host(host, 3)
    variables = {
        "lab_capture_client_command": ["python", "-c", "import signal; signal.pause()"],
        "lab_capture_exchange_timeout": 2,
    }
    run = run_playbook("capture", name_of(host), variables)
    assert run.returncode != 0
    assert "run the client: it did not get there within 2 s" in one_line(run.stdout)
    assert_nothing_is_left(host)
    assert "signal.pause" in host.check_output("ps -eo args")  # the idle services, untouched


def test_a_students_server_is_left_running_and_named(host: Host) -> None:
    on_one_host(host, 4)
    with host.sudo():
        host.check_output(f"{COMPOSE} exec --detach upcall-server python servercall.py")
        try:
            run = run_playbook("capture", name_of(host))
            assert "servercall.py" in host.check_output("ps -eo args")
        finally:
            host.check_output(f"{COMPOSE} restart --timeout 1 upcall-server")
    assert run.returncode != 0
    assert "port 4141 is taken by process" in one_line(run.stdout)
    assert "python servercall.py" in one_line(run.stdout)
