"""Each trouble that doctor.yml names, provoked for real on a lab host."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support import laptop
from tests.support.captures import name_of, on_one_host
from tests.support.lab_hosts import COMPOSE, LAB, one_line, recap, run_playbook
from tests.support.laptop import a_laptop

BRIDGE = "br-$(docker network inspect --format '{{slice .Id 0 12}}' upcall-lab_upcall)"
UP = f"{COMPOSE} up --detach --wait"


@contextmanager
def harm(host: Host, harm: str, cure: str) -> Iterator[None]:
    """Bring the host into trouble, and cure it afterwards whatever happens."""
    with host.sudo():
        try:
            host.check_output("bash -c %s", harm)
            yield
        finally:
            host.check_output("bash -c %s", cure)


def findings(host: Host, **variables: t.Any) -> dict[str, str]:
    """Return what doctor.yml finds on a host: id → the whole line."""
    run = run_playbook("doctor", name_of(host), variables)
    lines = [
        line.partition("(item=")[2].rpartition(")")[0]
        for line in run.stdout.splitlines()
        if line.startswith(f"ok: [{name_of(host)}] => (item=")
    ]
    assert (run.returncode != 0) == bool(lines), run.stdout
    assert recap(run.stdout, name_of(host))["changed"] == 0
    assert all(". Remedy: " in line for line in lines), run.stdout
    lines_by_id = {line.partition(":")[0]: line for line in lines}
    assert all(line.endswith(f" (docs/troubles.md#{id_})") for id_, line in lines_by_id.items())
    return lines_by_id


def test_a_host_in_order_has_no_finding(host: Host) -> None:
    assert findings(host) == {}


def test_port_taken_names_the_process(host: Host) -> None:
    start = f"{COMPOSE} exec --detach upcall-server python servercall.py"
    listening = f"until {COMPOSE} top upcall-server | grep -q servercall; do :; done"
    with harm(host, f"{start} && {listening}", f"{COMPOSE} restart --timeout 1 upcall-server"):
        found = findings(host)
        pid = host.check_output("pgrep --full '^python servercall.py'")
    assert list(found) == ["port-taken"]
    assert f"port 4141 in upcall-server is taken by process {pid} " in found["port-taken"]
    assert found["port-taken"].count("python servercall.py") == 1


def test_a_client_outside_the_network(host: Host) -> None:
    client = "upcall-lab-upcall-client-1"
    with harm(
        host,
        f"docker network disconnect upcall-lab_upcall {client}"
        f" && docker network connect bridge {client}",
        f"{UP} --force-recreate",
    ):
        found = findings(host)
    assert "client and server are on different networks" in found["networks-differ"]
    assert set(found) <= {"networks-differ", "unhealthy"}


WRONG = {"lo": "-nvi lo", "docker0": "-i docker0 -n", "any": "--interface=any"}


@pytest.mark.parametrize("interface", WRONG)
def test_a_capture_on_the_wrong_interface(host: Host, interface: str) -> None:
    on_one_host(host, list(WRONG).index(interface))
    start = f"tcpdump {WRONG[interface]} -w /tmp/wrong.pcap > /tmp/wrong.log 2>&1 &"
    listening = "until grep -q listening /tmp/wrong.log; do :; done"
    with harm(host, f"{start} {listening}", "pkill tcpdump; rm /tmp/wrong.*"):
        found = findings(host)
        bridge = host.check_output(f"echo {BRIDGE}")
    assert list(found) == ["wrong-interface"]
    assert f"captures on {interface}, but the lab's bridge is {bridge}" in found["wrong-interface"]
    assert f"sudo tcpdump -nvi {bridge} -w upcall.pcap" in found["wrong-interface"]


def test_a_capture_on_the_right_interface_is_no_finding(host: Host) -> None:
    start = f"tcpdump -nvi {BRIDGE} -w /tmp/right.pcap > /tmp/right.log 2>&1 &"
    listening = "until grep -q listening /tmp/right.log; do :; done"
    with harm(host, f"{start} {listening}", "pkill tcpdump; rm /tmp/right.*"):
        assert findings(host) == {}


def test_a_capture_in_a_container_is_no_leftover(host: Host) -> None:
    capture = "run --detach --rm --entrypoint python ip -c 'import signal; signal.pause()'"
    with harm(
        host,
        f"docker tag upcall-lab:1 upcall-capture:1 && {COMPOSE} {capture}",
        "docker rm --force $(docker ps --quiet --filter label=upcall-lab.capture)"
        " && docker image rm upcall-capture:1",
    ):
        assert findings(host) == {}


STOP = "systemctl stop docker.socket docker"
# systemd refuses a unit that was started too often within a minute.
START = f"systemctl reset-failed docker.service docker.socket; systemctl start docker && {UP}"
HARMS = {
    "no-engine": (
        f"{STOP} && mv $(command -v dockerd) /root/dockerd",
        f"mv /root/dockerd /usr/sbin/dockerd && {START}",
    ),
    "engine-stopped": (STOP, START),
    # An address for documentation (RFC 5737): nobody answers, and nobody is asked.
    "engine-elsewhere": (
        f"{STOP} && sudo -u instructor -H sh -c 'docker context create far --docker"
        " host=tcp://192.0.2.1:2375 && docker context use far'",
        f"sudo -u instructor -H sh -c 'docker context use default; docker context rm far'; {START}",
    ),
    "no-compose": (
        "for d in /usr/lib /usr/libexec; do test ! -e $d/docker/cli-plugins"
        " || mv $d/docker/cli-plugins $d/docker/hidden; done",
        "for d in /usr/lib /usr/libexec; do test ! -e $d/docker/hidden"
        " || mv $d/docker/hidden $d/docker/cli-plugins; done",
    ),
    "not-running": (f"{COMPOSE} stop --timeout 1 upcall-client", UP),
    "bridge-missing": (f"ip link delete {BRIDGE}", f"{COMPOSE} down --timeout 1 && {UP}"),
    "bridge-down": (f"ip link set {BRIDGE} down", f"ip link set {BRIDGE} up"),
    "no-network": (f"{COMPOSE} down --timeout 1", UP),
    "no-tcpdump": (
        "mv $(command -v tcpdump) /root/tcpdump",
        "mv /root/tcpdump /usr/bin/tcpdump",
    ),
    "disk-full": (
        f"mv {LAB} /root/lab && mkdir {LAB} && mount -t tmpfs -o size=64m none {LAB}",
        f"umount {LAB} && rmdir {LAB} && mv /root/lab {LAB}",
    ),
    "leftover": (
        f"{COMPOSE} exec --detach --env UPCALL_LAB_SESSION=cut-off upcall-server"
        " python servercall.py && until pgrep --full 'python servercall.py'; do :; done",
        f"{COMPOSE} restart --timeout 1 upcall-server",
    ),
}
# What cannot be without the first: the services of a stopped engine are not spoken of.
ALONG = {
    "no-network": {"not-running"},
    "leftover": {"port-taken"},
}


@pytest.mark.parametrize("finding", HARMS)
def test_each_trouble_is_found_and_nothing_else(host: Host, finding: str) -> None:
    on_one_host(host, list(HARMS).index(finding))
    with harm(host, *HARMS[finding]):
        found = findings(host)
    assert set(found) == {finding} | ALONG.get(finding, set())


def test_a_client_without_an_engine_is_called_so(host: Host) -> None:
    with harm(host, *HARMS["no-engine"]):
        found = findings(host)
    assert "/docker is a client, not an engine" in found["no-engine"]


def test_a_stopped_engine_is_called_so_and_how_to_start_it(host: Host) -> None:
    with harm(host, *HARMS["engine-stopped"]):
        found = findings(host)
    assert "start it: sudo systemctl start docker; or" in found["engine-stopped"]


def test_beside_an_engine_elsewhere_none_is_installed_or_started(host: Host) -> None:
    with harm(host, *HARMS["engine-elsewhere"]):
        found = findings(host)
        runs = [run_playbook(name, name_of(host)) for name in ("prepare", "deploy")]
        assert host.run("pgrep dockerd").rc == 1
    assert "on another machine (tcp://192.0.2.1:2375)" in found["engine-elsewhere"]
    for run in runs:
        assert "(docs/troubles.md#engine-elsewhere)" in one_line(run.stdout)
        assert recap(run.stdout, name_of(host))["changed"] == 0


@pytest.fixture
def interpreter(host: Host) -> Iterator[Callable[[str], str]]:
    """Yield a way to run modules on the host by another interpreter, which is a script."""
    path = "/usr/local/bin/python-in-trouble"

    def make(command: str) -> str:
        with host.sudo():
            script = f'#!/bin/sh\\nexec {command} /usr/bin/python3 "$@"\\n'
            host.check_output(f"printf '{script}' > {path} && chmod 755 {path}")
        return path

    yield make
    with host.sudo():
        host.check_output(f"rm -f {path}")


def test_capturing_that_is_not_permitted(host: Host, interpreter: Callable[[str], str]) -> None:
    python = interpreter("setpriv --bounding-set=-net_raw")
    found = findings(host, ansible_python_interpreter=python)
    assert list(found) == ["tcpdump-not-permitted"]
    assert "CAP_NET_RAW" in found["tcpdump-not-permitted"]


def test_docker_desktop_s_engine_is_elsewhere_also_for_deploy(
    host: Host, interpreter: Callable[[str], str], tmp_path: Path
) -> None:
    with a_laptop(host):
        python = {"ansible_python_interpreter": interpreter(laptop.PROGRAM)}
        found = findings(host, **python)
        # In an inventory, for deploy.yml has work for the controller's own Python as well.
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(json.dumps({"all": {"hosts": {name_of(host): python}}}))
        deploy = run_playbook("deploy", name_of(host), None, f"--inventory={inventory}")
    assert list(found) == ["engine-elsewhere"]
    assert f"on another machine ({name_of(host)})" in found["engine-elsewhere"]
    assert "(docs/troubles.md#engine-elsewhere)" in one_line(deploy.stdout)
    assert recap(deploy.stdout, name_of(host))["changed"] == 0


SHIFTS = {"+10s": True, "-10s": True, "+1s": False}


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_clock_that_is_off(host: Host, interpreter: Callable[[str], str], shift: str) -> None:
    on_one_host(host, list(SHIFTS).index(shift) + 1)
    with host.sudo():
        if not host.package("faketime").is_installed:
            host.check_output("apt-get install --yes --no-install-recommends faketime")
    found = findings(host, ansible_python_interpreter=interpreter(f"faketime -f {shift}"))
    assert list(found) == (["clock-off"] if SHIFTS[shift] else [])
    assert not SHIFTS[shift] or f"the clock is {shift[0]}" in found["clock-off"]
