"""Which engine a user's docker asks, and what doctor.yml says where it is on another machine."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.loading import load, load_utility

for name in ("lab_look_docker", "lab_look_lab"):
    load_utility(name)
elsewhere = load_utility("lab_look_elsewhere")

FAR = "tcp://192.0.2.1:2375"


def use_context(home: Path, name: str, endpoint: object) -> Path:
    """Write what ``docker context create`` and ``use`` write, and return the context's file."""
    meta = home / ".docker" / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
    meta.mkdir(parents=True)
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))
    told = {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": endpoint}}}
    (meta / "meta.json").write_text(json.dumps(told))
    return meta / "meta.json"


def chosen(home: Path, docker_host: str = "") -> object:
    return elsewhere.chosen_endpoint(str(home), docker_host, str(home / "docker.sock"))


def test_without_settings_docker_asks_the_host_s_own_socket(tmp_path: Path) -> None:
    assert chosen(tmp_path) == ""
    assert chosen(tmp_path / "nobody") == ""


def test_a_context_s_address_counts_and_docker_host_comes_before_it(tmp_path: Path) -> None:
    use_context(tmp_path, "desktop-linux", "unix:///home/budi/.docker/desktop/docker.sock")
    assert chosen(tmp_path) == "unix:///home/budi/.docker/desktop/docker.sock"
    assert chosen(tmp_path, FAR) == FAR


def test_the_own_socket_by_another_name_is_no_other_engine(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)
    assert chosen(tmp_path, f"unix://{tmp_path}/run/docker.sock") == ""
    use_context(tmp_path, "default", FAR)
    assert chosen(tmp_path) == ""


@pytest.mark.parametrize("endpoint", [None, 7, ["a"], {"Host": FAR}])
def test_settings_of_another_form_are_none(tmp_path: Path, endpoint: object) -> None:
    use_context(tmp_path, "far", endpoint)
    assert chosen(tmp_path) == ""


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"Endpoints": 1}'])
def test_whatever_lies_there_is_read_without_a_failure(tmp_path: Path, content: bytes) -> None:
    use_context(tmp_path, "far", FAR).write_bytes(content)
    assert chosen(tmp_path) == ""


def test_a_pipe_or_link_in_a_file_s_place_is_not_read(tmp_path: Path) -> None:
    meta = use_context(tmp_path, "far", FAR)
    meta.rename(tmp_path / "moved")
    meta.symlink_to(tmp_path / "moved")
    assert chosen(tmp_path) == ""
    meta.unlink()
    os.mkfifo(meta)
    assert chosen(tmp_path) == ""


def found(systemd: bool = True, **engine: object) -> dict[str, str]:
    """Return the findings of a host whose lab does not run, and its remedies by id."""
    look: dict[str, Any] = {
        "os": {"systemd": systemd},
        "engine": {"works": False, "client": "/d", "daemon": "", "elsewhere": "", "error": "none"}
        | engine,
        "compose": {"works": True},
        "services": {"server": {"running": True, "health": "healthy", "networks": {"n": ""}}},
        "network": {"error": "", "exists": False, "name": "n", "interface": "br-1"},
        "port": {},
        "tcpdump": {"path": "", "permitted": True, "running": []},
        "disk": {"free": 9, "path": "/"},
        "leftovers": [],
        "session": {},
    }
    findings = load("plugins/filter/lab_look_findings.py")
    listed = findings.lab_look_findings(look, "server", 4141, "lab.yml", 0.0, 0.0, 1, 2)
    return {finding["id"]: finding["remedy"] for finding in listed}


@pytest.mark.parametrize("works", [True, False])
def test_an_engine_elsewhere_is_the_one_finding(works: bool) -> None:
    """Neither a missing bridge nor a missing tcpdump is mended on this machine."""
    assert list(found(works=works, daemon="/dockerd", elsewhere=FAR)) == ["engine-elsewhere"]
    here = found(works=works, daemon="/dockerd")
    assert list(here) == ["bridge-missing" if works else "engine-stopped", "no-tcpdump"]


def test_a_stopped_engine_is_started_as_its_host_starts_services() -> None:
    with_systemd, without = (found(systemd, daemon="/d") for systemd in (True, False))
    assert "sudo systemctl start docker" in with_systemd["engine-stopped"]
    assert "sudo service docker start" in without["engine-stopped"]
    assert list(found()) == ["no-engine", "no-tcpdump"]
