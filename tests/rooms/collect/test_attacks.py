"""What a student who is root may lay in the way of collect.yml, each for real on a lab host."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.lab_hosts import one_line

Collect = Callable[..., t.Any]  # both are told in conftest.py
Collected = t.Any

LIMIT = 1 << 20
TOP = "/srv/submitted"
PATTERNS = [f"{TOP}/{{student}}/upcall.pcap", f"{TOP}/{{student}}/*/upcall.pcap"]
STRANGE = r"$'\e[31mred\n=1+1\xe2\x80\xae\xff'"

# Student → what is done in that student's folder. Whose file it is, the name tells.
ATTACKS = {
    "link": "ln -s /etc/shadow upcall.pcap",
    "matched-link": f"ln -s {TOP}/elsewhere linked",
    "fifo": "mkfifo upcall.pcap",
    "device": "mknod upcall.pcap c 1 5",
    "socket": "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"upcall.pcap\")'",
    "hard-link": "ln /etc/shadow upcall.pcap",
    "folder": "mkdir upcall.pcap",
    "sparse": "truncate --size 1T upcall.pcap",
    "one-too-many": f"head --bytes {LIMIT + 1} /dev/urandom > upcall.pcap",
    "empty": "touch upcall.pcap",
    "endless": "touch upcall.pcap && mount --bind /proc/kmsg upcall.pcap",
    "lying": "touch upcall.pcap && mount --bind /sys/kernel/uevent_seqnum upcall.pcap",
    "strange-fifo": f"mkdir {STRANGE} && mkfifo {STRANGE}/upcall.pcap",
    # And some that are none.
    "honest": "echo honest > upcall.pcap",
    "strange-name": f"mkdir {STRANGE} && echo strange > {STRANGE}/upcall.pcap",
    "longest": f"head --bytes {LIMIT} /dev/urandom > upcall.pcap",
}
# Grows by a byte at a time until it is above the limit; before all other processes, so it grows
# in each moment.
GROWING = """
with open("upcall.pcap", "wb", buffering=0) as file:
    file.write(bytes(1 << 25))
    for _ in range(1 << 26):
        file.write(b"x")
"""
# A file system (FUSE) whose server never answers.
HUNG = """
import ctypes, os, signal, stat
os.mknod("fuse", stat.S_IFCHR | 0o600, os.makedev(10, 229))
fd = os.open("fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
assert not ctypes.CDLL(None).mount(b"hung", b"mounted", b"fuse", 0, options)
signal.pause()
"""
REFUSED = {
    "link": f"{TOP}/link/upcall.pcap is a symbolic link",
    "linked-folder": f"{TOP}/linked-folder is a symbolic link",
    "matched-link": f"{TOP}/matched-link/linked is a symbolic link",
    "fifo": "is a FIFO",
    "device": "is a character device",
    "socket": "is a socket",
    "hard-link": "has 2 names (hard links)",
    "folder": f"{TOP}/folder/upcall.pcap is a directory",
    "sparse": "is larger than 1 MiB",
    "one-too-many": "is larger than 1 MiB",
    "empty": "is empty",
    "endless": "is empty",
    "lying": "changes while it is read",
    "strange-fifo": r"/\x1b[31mred\n=1+1\u202e\xff/upcall.pcap is a FIFO",
}
TAKEN = {"honest", "strange-name", "longest"}


@pytest.fixture(scope="module", autouse=True)
def _attacks(host: Host) -> Iterator[None]:
    """Put all of the attacks in place on the host."""
    folders = [
        f"mkdir {TOP} && cd {TOP} && mkdir elsewhere && echo x > elsewhere/upcall.pcap",
        f"ln -s {TOP}/elsewhere linked-folder",
        *(f"mkdir {name} && (cd {name} && {attack})" for name, attack in ATTACKS.items()),
    ]
    with host.sudo():
        try:
            host.check_output("bash -c %s", " && ".join(folders))
            yield
        finally:
            host.run(f"umount {TOP}/endless/upcall.pcap {TOP}/lying/upcall.pcap")
            host.check_output(f"rm -rf --one-file-system {TOP}")


@contextmanager
def running(host: Host, name: str, program: str, sign: str) -> Iterator[None]:
    """Run a program in a student's folder on the host, from the moment the sign is there."""
    with host.sudo():
        host.check_output(f"mkdir -p {TOP}/{name}")
        started = f"systemd-run --nice=-20 --unit=attack-{name} --working-directory={TOP}/{name}"
        host.check_output(f"{started} /usr/bin/python3 -c %s", program)
        try:
            host.check_output("timeout 20 bash -c %s", f"cd {TOP}/{name}; until {sign}; do :; done")
            yield
        finally:
            host.run(f"systemctl stop attack-{name}")


@pytest.fixture(scope="module")
def collected(collect: Collect, tmp_path_factory: pytest.TempPathFactory) -> Collected:
    """Collect from all of them in one run, each a student of this host."""
    return collect(
        tmp_path_factory.mktemp("collected") / "captures",
        students=[{"student_id": name} for name in [*REFUSED, *TAKEN]],
        lab_capture_submission_patterns=PATTERNS,
        lab_capture_submission_size_limit=LIMIT,
    )


def test_every_attack_is_tested() -> None:
    assert set(ATTACKS) | {"linked-folder"} == set(REFUSED) | TAKEN


@pytest.mark.parametrize("student", REFUSED)
def test_it_is_refused_and_the_reason_told(collected: Collected, student: str) -> None:
    why = collected.missing[student]["why"]
    assert why.startswith(f"{TOP}/{student}")
    assert REFUSED[student] in why
    assert why in one_line(collected.run.stdout).replace("''", "'")


def test_nothing_else_is_refused_and_nothing_of_it_kept(collected: Collected) -> None:
    assert collected.run.returncode == 0, collected.run.stdout
    assert collected.students() == TAKEN
    assert {path.name for path in (collected.captures / "submissions").iterdir()} == TAKEN
    assert set(collected.missing) >= set(REFUSED)
    assert not set(collected.missing) & TAKEN


def test_a_file_of_just_the_limit_comes_whole(host: Host, collected: Collected) -> None:
    pcap = collected.pcap("longest")
    with host.sudo():
        digest = host.file(f"{TOP}/longest/upcall.pcap").sha256sum
    assert len(pcap) == LIMIT
    assert hashlib.sha256(pcap).hexdigest() == digest == collected.manifest("longest")["sha256"]


def test_a_strange_name_becomes_neither_a_path_nor_a_command_to_the_terminal(
    collected: Collected,
) -> None:
    named = collected.manifest("strange-name")["path"]
    assert named == TOP + r"/strange-name/\x1b[31mred\n=1+1\u202e\xff/upcall.pcap"
    assert collected.pcap("strange-name") == b"strange\n"
    assert not set("\x1b\u202e\udcff") & set(collected.run.stdout)
    table = (collected.captures / "missing.csv").read_text()
    assert not set("\x1b\u202e\udcff") & set(table)
    assert len(table.splitlines()) == len(collected.missing) + 1


def test_a_file_that_is_being_written_is_refused(
    host: Host, collect: Collect, tmp_path: Path
) -> None:
    with running(host, "growing", GROWING, "test -s upcall.pcap"):
        done = collect(
            tmp_path / "captures",
            students=[{"student_id": "growing"}],
            lab_capture_submission_patterns=PATTERNS,
        )
    changes, larger = "changes while it is read; is tcpdump still running?", "is larger than 64 MiB"
    assert done.missing["growing"]["why"] in {
        f"{TOP}/growing/upcall.pcap {reason}"
        for reason in (changes, larger)  # the latter on a machine that is slow to ask
    }, done.run.stdout
    assert not done.students()


def test_a_file_system_that_hangs_ends_in_time_and_costs_the_others_nothing(
    host: Host, collect: Collect, tmp_path: Path
) -> None:
    with host.sudo():
        host.check_output(f"mkdir -p {TOP}/hung/mounted")
    try:
        with running(host, "hung", HUNG, "grep -q ^hung /proc/mounts"):
            done = collect(
                tmp_path / "captures",
                students=[{"student_id": "hung"}, {"student_id": "honest"}],
                lab_capture_submission_patterns=PATTERNS,
                lab_capture_submission_timeout=3,
            )
    finally:
        with host.sudo():
            host.run(f"umount {TOP}/hung/mounted")
    assert done.run.returncode != 0
    assert "nothing was found and read within 3 s" in done.missing["hung"]["why"]
    assert done.students() == {"honest"}


def test_a_link_on_the_controller_is_not_followed(collect: Collect, tmp_path: Path) -> None:
    submissions, elsewhere = tmp_path / "captures" / "submissions", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("mine")
    (submissions / "longest").mkdir(parents=True)
    (submissions / "strange-name").symlink_to(elsewhere)
    (submissions / "longest" / "upcall.pcap").symlink_to(elsewhere / "file")
    (tmp_path / "captures" / "missing.csv").symlink_to(elsewhere / "file")
    done = collect(
        tmp_path / "captures",
        students=[{"student_id": name} for name in TAKEN],
        lab_capture_submission_patterns=PATTERNS,
    )
    assert done.run.returncode != 0
    assert "strange-name is a symbolic link, or no folder" in done.missing["strange-name"]["why"]
    assert "upcall.pcap is a symbolic link; remove it" in done.missing["longest"]["why"]
    assert done.students() - {"longest"} == {"honest"}
    assert [path.name for path in elsewhere.iterdir()] == ["file"]
    assert (elsewhere / "file").read_text() == "mine"


def test_a_pattern_that_leads_up_is_refused(collect: Collect, tmp_path: Path) -> None:
    pattern = f"{TOP}/../../etc/shadow"
    done = collect(tmp_path / "captures", lab_capture_submission_patterns=[pattern])
    assert done.run.returncode != 0
    said = f"{pattern} is not an absolute path, or has '.', '..' or an empty part"
    assert said in one_line(done.run.stdout).replace("''", "'")
