"""site.yml over a room in which one machine is off: nobody is left behind, nothing is sent twice.

The tests of this file stand in the order of an evening; each begins where the one before ended.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.support.captures import assert_complete
from tests.support.rooms import Room

MESSAGES = ["hello", "upcall"]  # lab_capture's default
LAB = "/opt/upcall-lab"
MB = 1_000_000


def repeat_line(output: str) -> str:
    """Return the command line that the report offers for the rest."""
    lines = [line.strip() for line in output.splitlines() if " --limit " in line]
    assert len(lines) == 1, output
    return lines[0]


def row(output: str, host: str) -> list[str]:
    """Return the cells of a host in the printed table."""
    table = output.rpartition("REPORT")[2]
    return next(line.split() for line in table.splitlines() if line.split()[:1] == [host])[1:]


@pytest.fixture(scope="module")
def room(three_seats: Room) -> Room:
    return three_seats


@pytest.fixture(scope="module")
def off(room: Room) -> str:
    """Switch a machine off, and forget its address as if it had been off for long."""
    host = room.hosts[2]
    address = room.on(host, "hostname --all-ip-addresses")
    subprocess.run(["docker", "stop", "--time", "2", host], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ip", "neighbour", "flush", "to", address], check=True)
    return host


@pytest.fixture(scope="module")
def first(room: Room, off: str) -> subprocess.CompletedProcess[str]:
    """Do the first run of the evening, over hosts that have nothing yet."""
    assert off
    return room.play("site.yml")


def test_the_others_come_through(
    room: Room, off: str, first: subprocess.CompletedProcess[str]
) -> None:
    for host in room.hosts:
        if host != off:
            assert (room.captures / host / "upcall.pcap").is_file(), first.stdout
            assert_complete(room.captures / host / "upcall.pcap", MESSAGES)
            assert row(first.stdout, host)[:3] == ["changed", "changed", "changed"]
    grades = json.loads((room.state / "grades" / "grades.json").read_text())
    assert {
        submission["student"]: submission["points"] for submission in grades["submissions"]
    } == {host: 100 for host in room.hosts if host != off}


def test_the_one_that_is_off_is_named(
    room: Room, off: str, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode != 0
    assert row(first.stdout, off)[0] == "unreachable"
    told = room.report()
    assert set(told["hosts"]) == set(room.hosts)
    assert [name for name, host in told["hosts"].items() if host["unreachable"]] == [off]
    assert told["hosts"][off]["failed"]["reason"]
    assert [name for name, host in told["hosts"].items() if host["failed"]] == [off]
    assert told["limit"] == [off]


@pytest.mark.usefixtures("first")
def test_one_host_made_the_image_for_all(room: Room, off: str) -> None:
    asked = "dpkg-query --show --showformat '${Status}' mmdebstrap 2>/dev/null || true"
    made = [host for host in room.hosts if host != off and "ok inst" in room.on(host, asked)]
    assert len(made) == 1
    identity = "docker image inspect --format '{{.RootFS.Layers}}' upcall-lab:1"
    assert len({room.on(host, identity) for host in room.hosts if host != off}) == 1
    assert 5 * MB < room.archive.stat().st_size < 7 * MB


def test_the_line_for_the_rest_repairs_just_the_rest(
    room: Room, off: str, first: subprocess.CompletedProcess[str]
) -> None:
    kept = {
        host: (room.captures / host / "manifest.json").stat().st_mtime_ns
        for host in room.hosts
        if host != off
    }
    back = room.up()
    assert back.returncode == 0, back.stdout
    assert "removed" not in back.stdout  # it was started, not made anew
    run = room.run(repeat_line(first.stdout))
    assert run.returncode == 0, run.stdout
    assert_complete(room.captures / off / "upcall.pcap", MESSAGES)
    assert row(run.stdout, off) == ["changed"] * 4
    assert set(room.report()["hosts"]) == {off}
    assert kept == {
        host: (room.captures / host / "manifest.json").stat().st_mtime_ns for host in kept
    }


def test_the_image_travels_once(room: Room) -> None:
    """Counted by the hosts' own interfaces, Ansible's modules and TCP's headers included."""
    hosts = room.hosts[:2]
    down = f"docker compose -f {LAB}/compose/upcall.yml down --timeout 1"

    def received(before: str) -> dict[str, int]:
        for host in hosts:
            room.on(host, before)
        counted = {host: room.received(host) for host in hosts}
        run = room.play(f"--limit={','.join(hosts)}", "playbooks/deploy.yml")
        assert run.returncode == 0, run.stdout
        return {host: room.received(host) - counted[host] for host in hosts}

    with_image = received(f"{down}; docker image rm --force upcall-lab:1")
    without_image = received(down)
    nothing = received("true")
    size = room.archive.stat().st_size
    assert size < 7 * MB
    for host in hosts:
        assert size < with_image[host] - without_image[host] < size + 1.5 * MB
        assert without_image[host] < MB
        assert nothing[host] < MB / 2


def test_a_host_that_fails_stops_nobody(room: Room) -> None:
    broken, well = room.hosts[0], room.hosts[1]
    room.on(broken, f"mv {LAB} {LAB}.aside; echo in the way > {LAB}")
    try:
        run = room.play(f"--limit={broken},{well}", "site.yml")
    finally:
        room.on(broken, f"rm {LAB}; mv {LAB}.aside {LAB}")
    assert run.returncode != 0
    assert row(run.stdout, broken)[:2] == ["ok", "failed"]
    assert row(run.stdout, well)[2:] == ["changed", "changed"]
    told = room.report()["hosts"]
    assert told[broken]["failed"]["step"] == "deploy"
    assert LAB in told[broken]["failed"]["reason"]
    assert told[broken]["failed"]["reason"] in run.stdout
    assert (told[well]["failed"], told[broken]["unreachable"]) == (None, False)


def test_a_room_is_completed(four_seats: Room) -> None:
    """Seats that have died or were taken away are back, and the others are the ones they were."""
    room = four_seats
    identity = ["docker", "container", "inspect", "--format", "{{.Id}}"]

    def containers() -> list[str]:
        done = subprocess.run(
            [*identity, *room.hosts], stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.split()

    before = containers()
    subprocess.run(["docker", "rm", "--force", "--volumes", room.hosts[-1]], check=True)
    assert room.up().returncode == 0
    after = containers()
    assert (after[:-1], after[-1] != before[-1]) == (before[:-1], True)
    login = ["ssh", "-F", str(room.state / "ssh_config"), room.hosts[-1], "true"]
    assert room.run(login).returncode == 0
    again = room.up()
    assert (again.returncode, again.stdout) == (0, "")
