"""What collect.yml brings from a lab host, and whom it lists."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.lab_hosts import recap

Collect = Callable[..., t.Any]  # told in conftest.py
FILE = "/home/sari/upcall-lab/upcall.pcap"


@pytest.fixture
def _homes(host: Host) -> Iterator[None]:
    """Students' home directories, closed to others, with captures of several days."""
    made = [
        "install -d -m 700 /home/sari /home/sari/upcall-lab /home/budi",
        f"echo first > {FILE} && chown 1:1 {FILE}",
        "echo older > /home/sari/upcall.pcap && touch -d '2 days ago' /home/sari/upcall.pcap",
        "echo budi > /home/budi/upcall.pcap && touch -d '3 days ago' /home/budi/upcall.pcap",
    ]
    with host.sudo():
        host.check_output("bash -c %s", " && ".join(made))
        try:
            yield
        finally:
            host.check_output("rm -rf /home/sari /home/budi")


def changed(done: t.Any, host: Host) -> int:
    assert done.run.returncode == 0, done.run.stdout
    return recap(done.run.stdout, str(host.backend.get_hostname()))["changed"]


@pytest.mark.usefixtures("_homes")
def test_a_capture_comes_with_its_manifest_and_the_same_again_changes_nothing(
    host: Host, collect: Collect, tmp_path: Path
) -> None:
    student, captures = str(host.backend.get_hostname()), tmp_path / "captures"

    # Nothing is written in check mode.
    assert changed(collect(captures, "--check"), host) == 1
    assert not captures.exists()

    done = collect(captures)
    assert changed(done, host) > 0
    assert done.pcap(student) == b"first\n"
    told = done.manifest(student)
    with host.sudo():
        file = host.file(FILE)
        assert told["modified"] == file.mtime.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told["collected"] >= told["modified"]
    assert (told["schema"], told["mode"], told["host"]) == (1, "submission", student)
    assert (told["student"], told["path"], told["owner"]) == (student, FILE, "daemon")
    assert (told["size"], told["sha256"]) == (6, hashlib.sha256(b"first\n").hexdigest())
    assert told["passed_over"] == [
        {"path": f"/home/{name}/upcall.pcap", "why": "is older than the one that was taken"}
        for name in ("budi", "sari")
    ]
    files = [captures, *captures.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in files if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in files if path.is_file()} == {0o600}

    before = {path: path.stat().st_mtime_ns for path in files}
    assert changed(collect(captures), host) == 0
    assert {path: path.stat().st_mtime_ns for path in [captures, *captures.rglob("*")]} == before

    with host.sudo():
        host.check_output(f"echo second > {FILE}")
    done = collect(captures)
    assert changed(done, host) == 1
    assert done.pcap(student) == b"second\n"
    (earlier,) = (captures / "submissions" / student / "earlier").iterdir()
    assert (earlier / "upcall.pcap").read_bytes() == b"first\n"
    assert told["sha256"] in (earlier / "manifest.json").read_text()


@pytest.mark.usefixtures("_homes")
def test_students_who_share_a_host_get_what_bears_their_name(
    collect: Collect, tmp_path: Path
) -> None:
    students = [
        {"student_id": "sari", "name": "Sari"},
        {"student_id": "budi", "name": "Budi"},
        {"student_id": "citra", "name": "=HYPERLINK(1)"},
    ]
    done = collect(tmp_path / "captures", students=students)
    assert done.run.returncode == 0, done.run.stdout
    assert done.students() == {"sari", "budi"}
    assert (done.pcap("sari"), done.pcap("budi")) == (b"first\n", b"budi\n")
    assert done.missing["citra"]["why"] == "no file"
    assert done.missing["citra"]["name"] == "'=HYPERLINK(1)"


def test_students_of_hosts_that_cannot_be_reached_are_listed(
    host: Host, collect: Collect, tmp_path: Path
) -> None:
    done = collect(tmp_path / "captures", "--limit=switched-off,localhost")
    assert done.run.returncode == 4, done.run.stdout  # Ansible's own status for unreachable hosts
    assert done.missing["switched-off"]["why"] == "the host is unreachable"
    other = done.missing[str(host.backend.get_hostname())]
    assert other["why"] == "not asked: this run left out the host"
    assert "switched-off: the host is unreachable" in done.run.stdout


@pytest.mark.usefixtures("_homes")
def test_an_id_that_is_no_folder_name_stops_before_any_host_is_asked(
    collect: Collect, tmp_path: Path
) -> None:
    done = collect(tmp_path / "captures", students=[{"student_id": "../../sari"}])
    assert done.run.returncode != 0
    assert "cannot be a student's id" in done.run.stdout.replace("''", "'")
    assert "Fetch each student" not in done.run.stdout
    assert not (tmp_path / "captures").exists()
