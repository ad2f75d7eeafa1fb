"""playbooks/enroll.yml as a lecturer meets it: at a terminal, with passwords, on the first day."""

from __future__ import annotations

from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import on_one_host
from tests.support.first_contact import PASSWORD, USER, Room
from tests.support.lab_hosts import one_line, recap

QUESTION = "Only yes records them:"


@pytest.fixture(autouse=True)
def _turns(request: pytest.FixtureRequest, host: Host) -> None:
    """Run the first and the last case on every lab host, each other on one of them in turn."""
    cases = [name for name in vars(request.module) if name.startswith("test_")]
    turn = cases.index(request.function.__name__)
    if turn not in (0, len(cases) - 1):
        on_one_host(host, turn)


def known_names(room: Room) -> list[str]:
    """Return the names in ``known_hosts``, in its order."""
    return [line.split()[0] for line in room.known_hosts.read_text().splitlines()]


def test_a_room_is_enrolled_with_one_question_and_then_needs_no_password(room: Room) -> None:
    room.seats("seat-1", "seat-2")
    with room.sit_down("-k", "-K", "-vvv") as terminal:
        terminal.expect("SSH password: ")
        terminal.say(PASSWORD)
        terminal.expect("BECOME password[defaults to SSH password]: ")
        terminal.say("")
        terminal.expect("These machines are not known yet:")
        for seat in ("seat-1", "seat-2"):
            terminal.expect(f"  {seat}  {room.fingerprint()} (ED25519)")
        terminal.expect(QUESTION)
        terminal.await_polling()
        assert not room.known_hosts.exists()
        terminal.say("yes")
        assert terminal.exit_status() == 0, terminal.text
    assert terminal.text.count(QUESTION) == 1
    assert PASSWORD not in terminal.text
    assert sorted(known_names(room)) == ["seat-1", "seat-2"]
    assert room.keys_there() == room.key.with_suffix(".pub").read_text()
    with room.host.sudo():
        modes = room.host.check_output("cd ~%s/.ssh && stat --format '%%a %%U' . *", USER)
    assert modes.splitlines() == [f"700 {USER}", f"600 {USER}"]
    assert room.log_in()

    before = room.known_hosts.read_bytes()
    room.forget_open_connections()
    with room.sit_down("-K") as terminal:
        terminal.expect("BECOME password: ")
        terminal.say(PASSWORD)
        assert terminal.exit_status() == 0, terminal.text
    assert QUESTION not in terminal.text
    (row,) = (line.split() for line in terminal.text.splitlines() if line.startswith("  seat-1 "))
    assert row == ["seat-1", "ok"]
    assert "leave out -k: ansible-playbook -i" in one_line(terminal.text)
    assert room.known_hosts.read_bytes() == before


@pytest.mark.parametrize("answer", ["no", ""])
def test_an_answer_that_is_not_yes_records_and_installs_nothing(room: Room, answer: str) -> None:
    with room.sit_down("-k") as terminal:
        terminal.expect("SSH password: ")
        terminal.say(PASSWORD)
        terminal.expect(QUESTION)
        terminal.await_polling()
        terminal.say(answer)
        assert terminal.exit_status() != 0
    assert "seat-1 was not confirmed with yes" in one_line(terminal.text)
    assert room.is_untouched()


def test_where_nobody_can_be_asked_nothing_is_accepted(room: Room) -> None:
    room.remember(ansible_password=PASSWORD)
    run = room.run()
    assert run.returncode != 0
    assert "was not confirmed with yes" in one_line(run.stdout)
    assert "lab_enroll_fingerprints" in run.stdout
    assert room.is_untouched()


def test_read_fingerprints_replace_the_question_and_an_absent_machine_fails_alone(
    room: Room,
) -> None:
    room.remember(ansible_password=PASSWORD, ansible_become_password=PASSWORD)
    room.seats("gone", "seat-1", gone={"ansible_port": 1})
    told = {"seat-1": room.fingerprint("rsa"), "gone": room.fingerprint()}
    run = room.run(lab_enroll_fingerprints=told)
    assert run.returncode != 0
    reason = f"gone does not answer: no SSH server answered at {room.address}, port 1, within"
    assert reason in one_line(run.stdout)
    assert recap(run.stdout, "gone")["failed"] == 1
    assert recap(run.stdout, "seat-1")["failed"] == 0
    assert "seat-1 is enrolled" in one_line(run.stdout)
    # The key that was read at the machine is the one that is trusted, and no other.
    (line,) = room.known_hosts.read_text().splitlines()
    assert line.split()[:2] == ["seat-1", "ssh-rsa"]
    assert room.log_in()


def test_another_fingerprint_than_the_one_read_at_the_machine_is_refused(room: Room) -> None:
    wrong = "SHA256:" + "A" * 43
    room.remember(ansible_password=PASSWORD)
    run = room.run(lab_enroll_fingerprints={"seat-1": wrong})
    assert run.returncode != 0
    said = one_line(run.stdout)
    assert "seat-1 shows a host key other than the one in lab_enroll_fingerprints" in said
    assert wrong in said
    assert room.fingerprint() in said
    assert room.is_untouched()


def test_a_changed_host_key_is_refused_and_never_replaced(room: Room) -> None:
    stranger = room.key.with_suffix(".pub").read_text().split()[:2]
    room.known_hosts.write_text(f"# mine\nseat-1 {' '.join(stranger)}\n")
    before = room.known_hosts.read_bytes()
    room.remember(ansible_password=PASSWORD)
    run = room.run(lab_enroll_fingerprints={"seat-1": room.fingerprint()})
    assert run.returncode != 0
    said = one_line(run.stdout)
    assert "The host key of seat-1 is NOT the one that is known" in said
    assert f"{room.known_hosts} line 2 has" in said
    assert f"ssh-keygen -R seat-1 -f {room.known_hosts}" in said
    assert room.known_hosts.read_bytes() == before
    assert room.keys_there() == ""


def test_check_mode_tells_and_does_nothing(room: Room) -> None:
    run = room.run("--check")
    assert run.returncode == 0, run.stdout
    assert f"seat-1 {room.fingerprint()} (ED25519) would be recorded" in one_line(run.stdout)
    assert room.is_untouched()


def trust(room: Room) -> None:
    """Have the machine's key in ``known_hosts``, as after a first ssh by hand."""
    with room.host.sudo():
        key = room.host.check_output("cat /etc/ssh/ssh_host_ed25519_key.pub")
    room.known_hosts.write_text(f"seat-1 {' '.join(key.split()[:2])}\n")


def test_a_wrong_login_password_is_told_and_not_shown(room: Room) -> None:
    trust(room)
    room.remember(ansible_password="Not the password")  # noqa: S106  # a wrong one
    run = room.run("-vvv")
    assert run.returncode != 0
    assert f"{USER} cannot log in to seat-1 with a key or a password" in one_line(run.stdout)
    assert "Not the password" not in run.stdout
    # A second try could lock the account.
    assert run.stdout.count("SSH: EXEC ssh") == 1
    assert room.keys_there() == ""


def test_a_wrong_sudo_password_is_told_and_not_shown(room: Room) -> None:
    trust(room)
    passwords = {"ansible_password": PASSWORD, "ansible_become_password": "Not the password"}
    room.remember(**passwords)
    run = room.run("-vvv")
    assert run.returncode != 0
    assert "sudo does not work there: Task failed: Incorrect sudo password" in one_line(run.stdout)
    assert "Run this with -K" in one_line(run.stdout)
    assert not any(password in run.stdout for password in passwords.values())


def test_a_key_that_sshd_does_not_accept_is_no_success(room: Room) -> None:
    """The password's connection is still open and would do; the next command has none."""
    trust(room)
    with room.host.sudo():
        room.host.check_output(f"chmod 777 /home/{USER}")
    room.remember(ansible_password=PASSWORD, ansible_become_password=PASSWORD)
    run = room.run()
    assert run.returncode != 0
    assert "The public key is on seat-1, but a login with it fails" in one_line(run.stdout)


def test_a_link_in_the_place_of_authorized_keys_is_not_followed(room: Room) -> None:
    trust(room)
    with room.host.sudo(USER):
        room.host.check_output(
            "cd; mkdir -m 700 .ssh; touch notes; ln -s ../notes .ssh/authorized_keys"
        )
    room.remember(ansible_password=PASSWORD)
    run = room.run()
    assert run.returncode != 0
    assert "a symbolic link is not followed" in one_line(run.stdout)
    with room.host.sudo():
        assert room.host.file(f"/home/{USER}/notes").content == b""


def test_a_private_key_is_neither_sent_nor_shown(room: Room) -> None:
    trust(room)
    room.remember(ansible_password=PASSWORD)
    run = room.run("-vvv", lab_enroll_public_key=str(room.key))
    assert run.returncode != 0
    assert f"{room.key} is not a file with one OpenSSH public key" in one_line(run.stdout)
    secret = room.key.read_text().splitlines()[1:-1]
    assert secret
    assert not any(line in run.stdout for line in secret)
    assert room.keys_there() == ""


def test_without_a_key_it_says_how_to_make_one(room: Room, tmp_path: Path) -> None:
    run = room.run(lab_enroll_public_key=str(tmp_path / "none.pub"))
    assert run.returncode != 0
    assert "Make a key with ssh-keygen -t ed25519" in one_line(run.stdout)
    assert room.is_untouched()


def test_nothing_of_these_tests_is_left(host: Host) -> None:
    """The last of this file: the lab host is as it was before."""
    assert not host.user(USER).exists
    assert not host.file(f"/home/{USER}").exists
