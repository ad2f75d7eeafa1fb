"""The virtual machine's disk: that its apt goes the ways that this machine's apt goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vm.disk import guest_proxies, proxies, run, sources


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        ("http://proxy.example.org:3128/", "http://proxy.example.org:3128/"),
        # What listens on this machine's loopback is at another address for the guest.
        ("http://localhost:3142", "http://10.0.2.2:3142"),
        ("http://user@127.0.0.1:3142/", "http://user@10.0.2.2:3142/"),
    ],
)
def test_a_proxy_of_this_machines_apt_is_the_guests_too(
    outside: str, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here.conf", tmp_path / "there.conf"
    here.write_text(f'Acquire::http::Proxy "{outside}";\n')
    monkeypatch.setenv("APT_CONFIG", str(here))
    there.write_text(guest_proxies(proxies()))
    monkeypatch.setenv("APT_CONFIG", str(there))
    assert run("apt-config", "dump", "--format", "%v", "Acquire::http::Proxy") == inside


def test_a_proxy_of_the_environment_counts_where_apt_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here.conf"
    here.write_text("")
    monkeypatch.setenv("APT_CONFIG", str(here))
    monkeypatch.setenv("http_proxy", "http://proxy.example.org:3128")
    assert proxies()["http"] == "http://proxy.example.org:3128"


def test_packages_come_from_where_this_machines_packages_come_from() -> None:
    known = run("apt-get", "indextargets", "--format", "$(REPO_URI)").split()
    assert [line.split()[1] for line in sources() if line.split()[1] not in known] == []
    assert all("bookworm" in line.split()[2] for line in sources())
