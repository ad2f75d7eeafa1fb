"""The greeting of a lab host, read by real login shells at a terminal; and what it says."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.handout import steps
from tests.support.lab_hosts import LAB, TOP
from tests.support.terminal import Terminal

FILES = TOP / "roles" / "lab_upcall" / "files"
GREETINGS = {path.name.split(".")[1]: path for path in FILES.glob("greeting.*.sh")}
ENGLISH = GREETINGS["en"].read_text()
COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)
WORDS = re.compile(r"'[^'\n]*'")
WIDTH = 80  # of the narrowest terminal that people use
BOTH, NOT_BOTH = "Both containers are running.", "The containers are not both running."
HANGS = "exec sleep 60"  # longer than a terminal's patience

Login = Callable[..., Terminal]

each_language = pytest.mark.parametrize("language", GREETINGS)


@pytest.fixture
def login(tmp_path: Path) -> t.Iterator[Login]:
    """Log in as to a machine with the lab, on which pgrep answers what it is told to."""
    lab, programs = tmp_path / "lab", tmp_path / "bin"
    lab.mkdir()
    (lab / "handout.md").touch()
    programs.mkdir()
    greeting = tmp_path / "greeting.sh"
    greeting.write_text(ENGLISH.replace(LAB, str(lab)))
    opened: list[Terminal] = []

    def log_in(shell: str = "bash", options: str = ":", pgrep: str = "echo 2") -> Terminal:
        (programs / "pgrep").write_text(f"#!/bin/sh\n{pgrep}\n")
        (programs / "pgrep").chmod(0o755)
        (tmp_path / ".profile").write_text(
            f"PATH={programs}:$PATH\n"
            '[ "${INNER-}" ] || unset UPCALL_LAB_GREETED\n'
            f"export INNER=1\n{options}\necho begin\n. {greeting}\nPS1='ready> '\n"
        )
        # This machine may be a lab host itself: the greeting in its /etc/profile keeps silent.
        greeted = {"HOME": str(tmp_path), "TERM": "dumb", "UPCALL_LAB_GREETED": "1"}
        terminal = Terminal(["bash", "-c", f"exec -a -{shell} {shell}"], os.environ | greeted)
        opened.append(terminal.__enter__())
        return terminal

    yield log_in
    for terminal in opened:
        leave(terminal)
        terminal.__exit__(None, None, None)


def leave(terminal: Terminal) -> None:
    """Log out, also of a login inside: a shell at a terminal heeds no SIGTERM."""
    terminal.say("exit")
    terminal.say("exit")
    terminal.exit_status()


def shown(terminal: Terminal) -> str:
    """Return what a login shows before the shell is ready."""
    terminal.expect("ready> ")
    return terminal.text.partition("begin\n")[2].partition("ready> ")[0]


@pytest.mark.parametrize("options", [":", "set -eu", "set -euC; IFS=ae"])
@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_shell_with_any_options_greets_and_goes_on(
    login: Login, shell: str, options: str
) -> None:
    terminal = login(shell, options, "echo 0; exit 1")
    assert NOT_BOTH in shown(terminal)
    terminal.say('echo "alive $((1 + 1)) ${pager-}${sudo-}${running-}."')
    terminal.expect("alive 2 .")


@pytest.mark.parametrize(
    ("pgrep", "told"),
    [
        ("echo 2", {BOTH}),
        ("echo 1", {NOT_BOTH}),
        ("echo 0; exit 1", {NOT_BOTH}),
        ("exit 127", set()),
        (HANGS, set()),
    ],
)
def test_no_more_is_told_than_was_seen(login: Login, pgrep: str, told: set[str]) -> None:
    text = shown(login(pgrep=pgrep))
    assert {words for words in (BOTH, NOT_BOTH) if words in text} == told
    assert ("docker compose" in text) == (NOT_BOTH in text)
    assert "/lab/handout.md\n" in text


def test_no_handout_is_promised_where_none_is(login: Login, tmp_path: Path) -> None:
    (tmp_path / "lab" / "handout.md").unlink()
    text = shown(login())
    assert BOTH in text
    assert "handout" not in text


def test_the_self_check_is_named_where_it_lies(login: Login, tmp_path: Path) -> None:
    assert "python3 upcall-check.pyz" not in shown(login())
    (tmp_path / "lab" / "upcall-check.pyz").touch()
    assert "\n    python3 upcall-check.pyz upcall.pcap\n" in shown(login())


def test_nobody_is_greeted_to_a_lab_that_is_gone(login: Login, tmp_path: Path) -> None:
    (tmp_path / "lab" / "handout.md").unlink()
    (tmp_path / "lab").rmdir()
    assert shown(login()) == ""


def test_a_login_inside_a_login_is_not_greeted_again(login: Login) -> None:
    terminal = login()
    assert BOTH in shown(terminal)
    terminal.say("bash -c 'exec -a -dash dash'")
    terminal.expect("begin\nready> ")


def test_who_wants_quiet_logins_gets_them(login: Login, tmp_path: Path) -> None:
    (tmp_path / ".hushlogin").touch()
    assert shown(login()) == ""


@pytest.mark.parametrize("command", ["bash --rcfile {} -i", "bash -c '. {}'", "dash -c '. {}'"])
def test_no_other_shell_greets(login: Login, tmp_path: Path, command: str) -> None:
    """A terminal's window on a desktop, whose shell reads the profile's files on some systems."""
    terminal = login()
    shown(terminal)
    terminal.say(f"unset UPCALL_LAB_GREETED; {command.format(tmp_path / 'greeting.sh')}; echo done")
    leave(terminal)
    assert terminal.text.count(BOTH) == 1


@each_language
def test_the_languages_differ_in_their_words_alone(language: str) -> None:
    greeting = COMMENT.sub("", GREETINGS[language].read_text())
    english = COMMENT.sub("", ENGLISH)
    assert WORDS.sub("''", greeting) == WORDS.sub("''", english)
    assert [text for text in WORDS.findall(greeting) if len(text.strip("'")) > WIDTH] == []


def test_there_is_a_greeting_and_a_handout_in_each_language() -> None:
    specs = (TOP / "roles/lab_upcall/meta/argument_specs.yml").read_text()
    option = yaml.safe_load(specs)["argument_specs"]["main"]["options"]["lab_upcall_language"]
    handouts = {path.name.split(".")[1] for path in (TOP / "docs").glob("handout.*.md")}
    assert set(option["choices"]) == set(GREETINGS) == handouts


@each_language
def test_its_commands_are_the_handouts(language: str) -> None:
    handout = TOP / "docs" / f"handout.{language}.md"
    first, second = steps(handout)[:2]
    greeting = GREETINGS[language].read_text()
    assert f"'    {first.text}'" in greeting
    assert f'"    ${{sudo}}{second.text}"' in greeting
    check = re.search("'    (python3 upcall-check.pyz [^']*)'", greeting)
    assert check
    assert check[1] in {step.text for step in steps(handout)}


def test_it_knows_the_containers_by_what_they_run() -> None:
    compose = yaml.safe_load((TOP / "compose/upcall.yml").read_text())
    pattern = re.search(r"pgrep -fxc '([^']+)'", ENGLISH)
    assert pattern
    started = [service for service in compose["services"].values() if "profiles" not in service]
    assert started
    for service in started:
        assert re.fullmatch(pattern[1], " ".join(service["command"]))
