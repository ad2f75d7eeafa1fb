"""From one group to the next, and to the end: reset.yml, teardown.yml, and Docker from elsewhere.

The tests of this file stand in the order of a lab's life; each begins where the one before ended.
"""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.captures import assert_nothing_is_left, name_of
from tests.support.lab_hosts import (
    COMPOSE,
    GREETING,
    LAB,
    STATE,
    TOP,
    one_line,
    recap,
    run_playbook,
)
from tests.support.proxy import proxy

REPOSITORY = "/srv/repository"
PLUGIN = "/srv/docker-compose"


def containers(host: Host) -> set[str]:
    return set(host.check_output(f"{COMPOSE} ps --quiet").split())


def test_reset_makes_a_clean_lab_and_keeps_docker_and_image(host: Host) -> None:
    edited = f"{LAB}/Upcall/clientcall.py"
    host.check_output(f"echo broken > {edited} && rm {LAB}/handout.md")
    with host.sudo():
        host.check_output(f"echo broken > {GREETING}")
        host.check_output(f"{COMPOSE} exec --detach upcall-server python servercall.py")
        before = containers(host)
        image = host.check_output("docker image inspect --format '{{.Id}}' upcall-lab:1")
        engine = host.check_output("pgrep dockerd")
    run = run_playbook("reset", name_of(host))
    assert run.returncode == 0, run.stdout
    with host.sudo():
        assert len(containers(host) - before) == 2
        assert image == host.check_output("docker image inspect --format '{{.Id}}' upcall-lab:1")
        assert engine == host.check_output("pgrep dockerd")
    assert host.file(edited).content == (TOP / "Upcall/clientcall.py").read_bytes()
    assert host.file(f"{LAB}/handout.md").content == (TOP / "docs/handout.en.md").read_bytes()
    assert "broken" not in host.file(GREETING).content_string
    assert_nothing_is_left(host)


def test_reset_stops_a_capture_in_a_container(host: Host) -> None:
    running = "docker ps --quiet --filter label=upcall-lab.capture"
    waits = (
        "import signal; signal.signal(signal.SIGTERM, signal.default_int_handler); signal.pause()"
    )
    with host.sudo():
        host.check_output("docker tag upcall-lab:1 upcall-capture:1")
        host.check_output(f"{COMPOSE} run --detach --rm --entrypoint python tcpdump -c '{waits}'")
        assert host.check_output(running) != ""
    run = run_playbook("reset", name_of(host))
    assert run.returncode == 0, run.stdout
    with host.sudo():
        host.check_output("docker image rm upcall-capture:1")
        assert host.check_output(running) == ""


def test_reset_ends_what_a_killed_session_left(host: Host) -> None:
    with host.sudo():
        host.check_output(
            "UPCALL_LAB_SESSION=cut-off tcpdump -i lo -w /dev/null < /dev/null > /dev/null 2>&1 &"
        )
    run = run_playbook("reset", name_of(host))
    assert run.returncode == 0, run.stdout
    assert_nothing_is_left(host)


def test_teardown_leaves_docker_and_nothing_of_the_lab(host: Host) -> None:
    foretold = run_playbook("teardown", name_of(host), {}, "--check")
    run, again = (run_playbook("teardown", name_of(host)) for _ in range(2))
    assert run.returncode == 0, run.stdout
    changes = recap(run.stdout, name_of(host))["changed"]
    assert changes == recap(foretold.stdout, name_of(host))["changed"], foretold.stdout
    assert recap(again.stdout, name_of(host))["changed"] == 0, again.stdout
    assert not host.file(LAB).exists
    assert "upcall-lab" not in host.check_output("ls /etc/profile.d")  # with what reset put aside
    with host.sudo():
        assert host.check_output("docker ps --all --quiet") == ""
        assert "upcall" not in host.check_output("docker network ls")
        assert host.check_output("docker image ls --quiet upcall-lab:1") != ""


def test_teardown_removes_docker_when_asked(host: Host) -> None:
    with host.sudo():
        # For the repository below, which needs one of v2 on Debian 12 as well.
        host.check_output(
            f"find / -xdev -name docker-compose -path '*/cli-plugins/*' -exec cp {{}} {PLUGIN} ';'"
        )
    run, again = (
        run_playbook("teardown", name_of(host), {"lab_docker_state": "absent"}) for _ in range(2)
    )
    assert run.returncode == 0, run.stdout
    assert recap(again.stdout, name_of(host))["changed"] == 0, again.stdout
    assert not host.exists("dockerd")
    assert host.run("pgrep dockerd").rc == 1
    assert "upcall-lab" not in host.check_output(
        "ls /etc/apt/sources.list.d /etc/apt/preferences.d"
    )


@pytest.fixture(scope="module")
def key(host: Host) -> t.Iterator[dict[str, str]]:
    """Set up a repository on the host as Docker's is, signed with a key of this test's own.

    Its packages are the distribution's own under the names that Docker's have.
    """
    script = (Path(__file__).parent / "make-repository").read_text()
    with host.sudo():
        fingerprint = host.run(f"bash -s {REPOSITORY} <<'END'\n{script}\nEND")
    assert fingerprint.rc == 0, fingerprint.stderr
    file = STATE / f"{name_of(host)}.asc"
    with host.sudo():
        file.write_text(host.check_output(f"cat {REPOSITORY}/key.asc"))
    yield {"file": str(file), "fingerprint": fingerprint.stdout.strip().splitlines()[-1]}
    file.unlink()
    with host.sudo():
        host.check_output(f"rm -r {REPOSITORY}")


def test_docker_from_its_own_repository(host: Host, key: dict[str, str]) -> None:
    variables = {
        "lab_docker_source": "docker",
        "lab_docker_key_file": key["file"],
        "lab_docker_repository_uri": f"file:{REPOSITORY}",
    }
    refused = run_playbook("prepare", name_of(host), variables)
    assert refused.returncode != 0
    assert f"holds {key['fingerprint']} instead of 9DC8" in one_line(refused.stdout)
    assert not host.exists("dockerd")
    assert "upcall-lab-docker" not in host.check_output("ls /etc/apt/keyrings")
    variables["lab_docker_key_fingerprint"] = key["fingerprint"]
    run, again = (run_playbook("prepare", name_of(host), variables) for _ in range(2))
    assert run.returncode == 0, run.stdout
    assert recap(again.stdout, name_of(host))["changed"] == 0, again.stdout
    with host.sudo():
        assert host.check_output("docker version --format '{{.Server.Version}}'")
        assert int(host.check_output("docker compose version --short").split(".")[0]) >= 2
    assert host.package("docker-ce").is_installed


def test_no_docker_without_a_key(host: Host) -> None:
    with host.sudo():
        host.check_output("systemctl stop docker.socket docker")
    run = run_playbook("prepare", name_of(host), {"lab_docker_source": "docker"})
    assert run.returncode != 0
    assert "needs lab_docker_repository_uri" in one_line(run.stdout)


@pytest.mark.usefixtures("key")  # apt reads the repository as long as it is among the sources
def test_an_engine_that_was_stopped_is_started_and_not_replaced(host: Host) -> None:
    run = run_playbook("prepare", name_of(host))
    assert run.returncode == 0, run.stdout
    assert recap(run.stdout, name_of(host))["changed"] == 1, run.stdout
    assert host.package("docker-ce").is_installed


def test_users_may_use_docker_when_asked(host: Host) -> None:
    variables = {"lab_docker_users": ["instructor"]}
    run, again = (run_playbook("prepare", name_of(host), variables) for _ in range(2))
    assert run.returncode == 0, run.stdout
    assert recap(run.stdout, name_of(host))["changed"] == 1
    assert recap(again.stdout, name_of(host))["changed"] == 0
    members = host.check_output("getent group docker").rpartition(":")[2]
    assert "instructor" in members.split(",")


def test_packages_come_through_the_rooms_proxy_as_long_as_it_is_set(host: Host) -> None:
    with proxy() as room:
        run = run_playbook("prepare", name_of(host), {"lab_docker_apt_proxy": room.uri})
        again = run_playbook("prepare", name_of(host), {"lab_docker_apt_proxy": room.uri})
        assert run.returncode == 0, run.stdout
        assert recap(run.stdout, name_of(host))["changed"] == 1
        assert recap(again.stdout, name_of(host))["changed"] == 0
        with host.sudo():
            host.check_output("apt-get update")
        asked = len(room.asked)
        assert asked > 0
        removed = run_playbook("prepare", name_of(host))
        assert recap(removed.stdout, name_of(host))["changed"] == 1
        with host.sudo():
            host.check_output("apt-get update")
        assert len(room.asked) == asked


def test_a_proxy_that_is_no_address_is_refused(host: Host) -> None:
    run = run_playbook("prepare", name_of(host), {"lab_docker_apt_proxy": "192.0.2.10:3142"})
    assert run.returncode != 0
    assert "which is not an address like http://" in one_line(run.stdout)
    assert not host.file("/etc/apt/apt.conf.d/80upcall-lab").exists


def test_the_controllers_archive_needs_no_network(host: Host) -> None:
    """An archive from ``make image`` is all that a host needs besides Docker."""
    archive = STATE / f"{name_of(host)}.tar.gz"
    with host.sudo():
        saved = host.check_output("docker image save upcall-lab:1 | gzip | base64 --wrap=0")
        host.check_output("docker image rm upcall-lab:1")
    archive.write_bytes(base64.b64decode(saved))
    try:
        variables = {
            "lab_upcall_image_source": "archive",
            "lab_upcall_image_archive": str(archive),
        }
        run = run_playbook("deploy", name_of(host), variables)
    finally:
        archive.unlink()
    assert run.returncode == 0, run.stdout
    with host.sudo():
        assert len(containers(host)) == 2
