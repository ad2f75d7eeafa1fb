"""The module that tells which interface carries the lab, asked as an instructor would by hand."""

from __future__ import annotations

import json
import subprocess
import typing as t

import pytest
from testinfra.host import Host

from tests.support.captures import name_of
from tests.support.lab_hosts import STATE, TOP, environment


def bridge_info(host: Host, project: str, *options: str) -> tuple[int, dict[str, t.Any]]:
    """Exit status of ``ansible``, and what the module returned."""
    paths = {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    }
    asked = subprocess.run(
        [
            *["ansible", name_of(host), f"--inventory={STATE / 'inventory.yml'}", "--become"],
            *["--module-name=lab_capture_bridge_info", f"--args=project={project}", *options],
        ],
        cwd=TOP,
        env=environment() | paths,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return asked.returncode, json.loads(asked.stdout.partition("=> ")[2])


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_it_tells_the_bridge_of_the_labs_network(host: Host, options: tuple[str, ...]) -> None:
    status, told = bridge_info(host, "upcall-lab", *options)
    with host.sudo():
        network = json.loads(host.check_output("docker network inspect upcall-lab_upcall"))[0]
    assert status == 0
    assert (told["changed"], told["exists"], told["up"]) == (False, True, True)
    assert (told["name"], told["id"]) == (network["Name"], network["Id"])
    assert told["subnets"] == [network["IPAM"]["Config"][0]["Subnet"]]
    gateway = network["IPAM"]["Config"][0]["Gateway"]
    assert gateway in host.interface(told["interface"]).addresses


def test_a_project_without_a_network_is_named(host: Host) -> None:
    status, told = bridge_info(host, "another-lab")
    assert status != 0
    assert "the compose project another-lab has no bridge network" in told["msg"]
