"""Docker Engine and docker compose as lab_docker leaves them."""

from __future__ import annotations

import json

from testinfra.host import Host


def test_the_engine_answers(host: Host) -> None:
    with host.sudo():
        answer = json.loads(host.check_output("docker version --format '{{json .}}'"))
    assert answer["Server"]["Version"]


def test_compose_is_v2(host: Host) -> None:
    with host.sudo():
        assert int(host.check_output("docker compose version --short").split(".")[0]) >= 2


def test_the_engine_starts_with_the_machine(host: Host) -> None:
    assert host.service("docker").is_enabled
    assert host.service("docker").is_running


def test_nobody_may_use_docker_unasked(host: Host) -> None:
    assert host.check_output("getent group docker").endswith(":")
    assert host.run("docker version").rc != 0


def test_only_compose_comes_from_another_release(host: Host) -> None:
    """On Debian 12 the next release's source is there, and apt wants nothing else from it."""
    release = host.check_output(". /etc/os-release; echo $VERSION_CODENAME")
    with host.sudo():
        wanted = host.check_output("apt-get --simulate dist-upgrade")
    others = [
        line for line in wanted.splitlines() if line.startswith("Inst") and "Debian:13" in line
    ]
    assert release == "trixie" or not others
    assert "2." in host.check_output("dpkg-query --show --showformat '${Version}' docker-compose")
