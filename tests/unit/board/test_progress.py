"""How far each host came, told in plain data."""

from __future__ import annotations

import pytest

from upcall_board.progress import Play, Progress, natural, step_of

HOSTS = ("one", "two", "three")
PREPARE, DEPLOY = "playbooks/prepare.yml:3", "playbooks/deploy.yml:7"


@pytest.fixture
def progress() -> Progress:
    made = Progress()
    made.start_play(Play(PREPARE, HOSTS, HOSTS))
    return made


def cells(progress: Progress, step: str = "prepare") -> dict[str, str]:
    return {host: progress.cell(host, step) for host in HOSTS}


def test_a_step_is_over_when_its_play_is(progress: Progress) -> None:
    progress.end_task("one", changed=True)
    progress.end_task("two", changed=False)
    assert cells(progress) == dict.fromkeys(HOSTS, "not run")
    progress.end_play(HOSTS)
    assert cells(progress) == {"one": "changed", "two": "ok", "three": "ok"}


def test_a_host_that_stopped_says_why(progress: Progress) -> None:
    progress.stop("one", "Install", "no space", unreachable=False)
    progress.stop("one", "Always", "no space either", unreachable=False)
    progress.stop("two", "Install", "it is off", unreachable=True)
    progress.end_play(HOSTS)
    assert cells(progress) == {"one": "failed", "two": "unreachable", "three": "ok"}
    assert progress.trouble["one"].reason == "no space"
    progress.start_play(Play(DEPLOY, HOSTS, ["three"]))
    progress.end_play(["three"])
    assert cells(progress, "deploy") == {"one": "not run", "two": "not run", "three": "ok"}


@pytest.mark.parametrize("limits_failures", [False, True])
@pytest.mark.parametrize("for_all", [False, True])
def test_a_failure_may_stop_the_others(limits_failures: bool, for_all: bool) -> None:
    progress = Progress()
    progress.start_play(Play(PREPARE, HOSTS, HOSTS, limits_failures))
    progress.fail(for_all=for_all)
    progress.end_play(["one"])
    others = "not run" if limits_failures or for_all else "ok"
    assert cells(progress) == {"one": "ok", "two": others, "three": others}


def test_a_host_whose_errors_were_cleared_is_lost_no_more(progress: Progress) -> None:
    progress.stop("one", "Install", "no space", unreachable=False)
    progress.end_play(HOSTS)
    progress.start_play(Play(DEPLOY, HOSTS, HOSTS))
    progress.end_task("one", changed=False)
    progress.end_play(HOSTS)
    assert not progress.trouble
    assert cells(progress) == cells(progress, "deploy") == dict.fromkeys(HOSTS, "ok")


def test_a_step_has_the_name_of_its_file() -> None:
    assert step_of(PREPARE) == "prepare"
    assert step_of("<string>") == "playbook"
    assert sorted(["seat-10", "seat-2"], key=natural) == ["seat-2", "seat-10"]
