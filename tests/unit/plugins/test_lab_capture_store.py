"""Sessions as a run keeps them: what a host sent lies on the controller, under its own words."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from pathlib import Path

import pytest

from tests.unit.plugins.conftest import Room, Rooms, Run

PLAYBOOK = """
- hosts: lab_hosts
  gather_facts: false
  tasks:
    - lab_capture_store:
        dest: "{{ captures }}/{{ inventory_hostname }}"
        mode: "{{ mode }}"
        session: "{{ session }}"
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
