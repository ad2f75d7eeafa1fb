"""What a student sees who logs in to a lab host: real logins at real terminals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import name_of, on_one_host
from tests.support.lab_hosts import (
    COMPOSE,
    GREETING,
    LAB,
    SHELL,
    STATE,
    TOP,
    login,
    recap,
    repair,
    run_command,
    run_playbook,
)
from tests.support.terminal import Terminal

BOTH = {"en": "Both containers are running.", "id": "Kedua container itu sedang berjalan."}
NOT_BOTH = "The containers are not both running."
HANDOUT = f"{LAB}/handout.md"
INDONESIAN = {"lab_upcall_language": "id"}


def shown(terminal: Terminal) -> str:
    """Return what a login shows before the shell waits."""
    with terminal:
        terminal.match(SHELL)
        return terminal.text


def console(host: Host) -> Terminal:
    """Log in at the machine itself, as whoever sits there."""
    command = ["docker", "exec", "--interactive", "--tty", name_of(host)]
    return Terminal([*command, "login", "-f", "instructor"])


def assert_greeted(text: str, language: str) -> None:
    assert text.count(BOTH[language]) == 1, text
    assert text.count(HANDOUT) == 1, text


def test_a_login_is_told_what_is_ready_and_where_the_handout_lies(host: Host) -> None:
    text = shown(login(name_of(host)))
    assert_greeted(text, "en")
    assert f"    {'less' if host.exists('less') else 'more'} {HANDOUT}\n" in text
    assert_greeted(shown(console(host)), "en")
    handout = host.file(HANDOUT)
    assert handout.content == (TOP / "docs/handout.en.md").read_bytes()
    assert (handout.user, oct(handout.mode)) == ("instructor", "0o644")


def test_who_becomes_root_is_greeted_by_a_file_of_roots(host: Host) -> None:
    file = host.file(GREETING)
    assert (file.user, oct(file.mode), file.is_symlink) == ("root", "0o644", False)
    folder = host.file(str(Path(GREETING).parent))
    assert (folder.user, oct(folder.mode)) == ("root", "0o755")


@pytest.mark.parametrize(
    "command",
    [
        ["ssh", "HOST", "true"],
        ["ssh", "-tt", "HOST", "true"],
        ["ssh", "-tt", "HOST", "bash", "--login", "-c", "true"],
        ["ssh", "-tt", "HOST", "sudo", "-i", "true"],
        ["sftp", "-q", "-b", "/dev/null", "HOST"],
        ["scp", "-q", "-O", f"HOST:{HANDOUT}", "HERE"],
    ],
    ids=" ".join,
)
def test_a_command_is_not_greeted(host: Host, tmp_path: Path, command: list[str]) -> None:
    line = " ".join(command).replace("HOST", name_of(host)).replace("HERE", str(tmp_path))
    program, *arguments = line.split()
    options = ["-F", str(STATE / "ssh_config"), "-o", "LogLevel=ERROR"]
    done = run_command([program, *options, *arguments])
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def indonesian(host: Host) -> Iterator[str]:
    """Set the room to another language, and back whatever happens."""
    try:
        yield repair(name_of(host), "Bring the lab files", variables=INDONESIAN)
    finally:
        back = repair(name_of(host), "Bring the lab files")
        with host.sudo():
            host.check_output(f"rm --force {HANDOUT}.*~ {GREETING}.*~")
        assert "handout.md" in back


def test_the_room_has_one_language(host: Host, indonesian: str) -> None:
    assert f"item={GREETING}" in indonesian
    assert host.file(HANDOUT).content == (TOP / "docs/handout.id.md").read_bytes()
    assert_greeted(shown(login(name_of(host))), "id")


def test_a_check_of_another_language_changes_nothing(host: Host) -> None:
    run = run_playbook("deploy", name_of(host), INDONESIAN, "--check")
    assert recap(run.stdout, name_of(host))["changed"] == 1, run.stdout
    assert host.file(HANDOUT).content == (TOP / "docs/handout.en.md").read_bytes()
    assert_greeted(shown(login(name_of(host))), "en")


@pytest.mark.parametrize(("number", "harm"), [(0, "stop upcall-client"), (1, "down")])
def test_what_is_not_up_is_told_with_what_brings_it_up(host: Host, number: int, harm: str) -> None:
    on_one_host(host, number)
    with host.sudo():
        host.check_output(f"{COMPOSE} {harm}")
    text = shown(login(name_of(host)))
    assert NOT_BOTH in text
    commands = text.partition(NOT_BOTH)[2].split("\n\n")[1]
    assert "docker compose" in commands
    assert host.run("bash -euc %s", commands).rc == 0
    assert_greeted(shown(login(name_of(host))), "en")
    with host.sudo():  # the tests behind this one meet a lab that is healthy again
        host.check_output(f"{COMPOSE} up --detach --wait")
