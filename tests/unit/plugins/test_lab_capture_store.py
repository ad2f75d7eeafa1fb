"""Sessions as a run keeps them: what a host sent lies on the controller, under its own words."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from tests.support.loading import load
from tests.unit.plugins.conftest import Room, Rooms, Run

store = load("plugins/action/lab_capture_store.py")

PLAYBOOK = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - lab_capture_store:
        dest: "{{ captures }}/{{ inventory_hostname }}"
        mode: "{{ mode }}"
        student: "2110001"
        session: "{{ session }}"
        size_limit: 4096
        clock_offset_seconds: 0.25
      register: kept
    - ansible.builtin.debug:
        msg: "path={{ kept.path | basename }} stays={{ kept.stays }}"
"""


def session(pcap: bytes, **claims: object) -> dict[str, t.Any]:
    """Return what a lab host sends after a session."""
    encoded = {"pcap": pcap, "server_log": b"", "client_log": b""}
    manifest = {"mode": "exercise", "sha256": hashlib.sha256(pcap).hexdigest()} | claims
    sent: dict[str, t.Any] = {
        name: base64.b64encode(data).decode() for name, data in encoded.items()
    }
    return sent | {"complete": True, "manifest": manifest}


@pytest.fixture(scope="module")
def seat(room: Rooms) -> Room:
    """Make a room of one host, with a playbook that keeps a session of it."""
    made = room("seat-1")
    made.write(keep=PLAYBOOK)
    return made


def keep(seat: Room, captures: Path, mode: str, sent: dict[str, t.Any]) -> Run:
    given = {"captures": str(captures), "mode": mode, "session": sent}
    return seat.run("keep.yml", "-e", json.dumps(given))


def test_a_scripted_session_is_kept_beside_what_students_typed(seat: Room, tmp_path: Path) -> None:
    own = tmp_path / "seat-1"
    # Which of the two it was, the controller knows.
    watched = keep(seat, tmp_path, "watch", session(b"typed"))
    assert watched.status == 0, watched.output
    assert f"stays={own}" not in watched.output
    scripted = keep(seat, tmp_path, "exercise", session(b"scripted", mode="watch"))
    assert f"stays={own}/upcall.pcap" in scripted.output
    assert (own / "upcall.pcap").read_bytes() == b"typed"
    assert (own / "scripted" / "upcall.pcap").read_bytes() == b"scripted"
    told = [json.loads((place / "manifest.json").read_text()) for place in (own, own / "scripted")]
    assert [one["mode"] for one in told] == ["watch", "exercise"]


def test_the_controllers_words_in_a_manifest_are_the_controllers(
    seat: Room, tmp_path: Path
) -> None:
    lies = {
        "host": "seat-2",
        "student": "2110002",
        "mode": "watch",
        "schema": 9,
        "clock_offset_seconds": 9,
        "size": 0,
        "claims": {"mode": "watch"},
        "network": {"subnets": ["10.0.0.0/24"]},
    }
    ran = keep(seat, tmp_path, "exercise", session(b"packets", **lies))
    assert ran.status == 0, ran.output
    sha256 = hashlib.sha256(b"packets").hexdigest()
    assert json.loads((tmp_path / "seat-1" / "manifest.json").read_text()) == {
        "schema": 2,
        "host": "seat-1",
        "student": "2110001",
        "mode": "exercise",
        "clock_offset_seconds": 0.25,
        "sha256": sha256,
        "size": 7,
        "claims": lies | {"sha256": sha256},
    }


KNOWN = {"schema": 2, "host": "seat-1", "student": "", "mode": "exercise"}


def encoded(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pcap": encoded(4 << 20)}, "more than 4096 bytes of pcap; none of it was kept"),
        ({"pcap": encoded(4099)}, "none of it was kept"),
        ({"server_log": encoded((1 << 20) + 3)}, "more than 1048576 bytes of server_log"),
        ({"client_log": encoded(2 << 20)}, "bytes of client_log"),
        # Not even decoded: it is no Base64.
        ({"pcap": "*" * 10_000}, "bytes of pcap"),
        ({"pcap": "*"}, "did not return a session"),
        ({"pcap": 4}, "did not return a session"),
        ({"pcap": None}, "did not return a session"),
        ({"manifest": "text"}, "did not return a session"),
        ({"manifest": {"sha256": "0"}}, "arrived damaged"),
        (
            {"manifest": {"sha256": hashlib.sha256(bytes(9)).hexdigest(), "x": "y" * (1 << 18)}},
            "long",
        ),
    ],
)
def test_an_answer_that_no_session_gives_is_refused(changed: dict[str, t.Any], reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match="seat-1") as told:
        store.contents(session(bytes(9)) | changed, KNOWN, 4096)
    assert reason in str(told.value)
    assert "docs/troubles.md#unusable-answer" in str(told.value)


def test_a_capture_of_the_limit_is_kept() -> None:
    assert store.contents(session(bytes(4096)), KNOWN, 4096)["upcall.pcap"] == bytes(4096)


def test_nothing_is_written_of_an_answer_that_is_too_large(seat: Room, tmp_path: Path) -> None:
    ran = keep(seat, tmp_path, "exercise", session(bytes(5000)))
    assert ran.status != 0
    assert "run playbooks/capture.yml again" in ran.report["hosts"]["seat-1"]["failed"]["reason"]
    assert not (tmp_path / "seat-1").exists()
