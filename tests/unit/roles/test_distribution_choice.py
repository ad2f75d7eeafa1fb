"""Which file of lab_docker's distributions a host gets, by what its os-release(5) says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[3]
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role: {name: lab_docker, tasks_from: preflight}
      rescue:
        - ansible.builtin.meta: noop
      always:
        - ansible.builtin.copy:
            content: "{{ __lab_docker_distribution | default('unknown') }}"
            dest: "{{ playbook_dir }}/{{ inventory_hostname }}"
"""
HOSTS = {
    "its-version": ("debian", "12", ""),
    "any-version": ("fedora", "44", ""),
    "family": ("rocky", "9.4", "rhel centos fedora"),
    "head-of-family": ("rhel", "9.4", "fedora"),
    # Fedora's packages are not those of what is made from it.
    "relative": ("amzn", "2023", "fedora"),
    "stranger": ("plum", "7", ""),
    "hostile": ("../vars/debian-13", "7", "../vars/rhel"),
}


def test_a_host_gets_the_file_of_its_version_its_distribution_or_its_family(tmp_path: Path) -> None:
    looks = {
        name: {
            "os": {"id": id_, "version": version, "like": like.split()},
            "engine": {"works": False, "elsewhere": ""},
            "disk": {"free": 1},
        }
        for name, (id_, version, like) in HOSTS.items()
    }
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "lab_look_disk_minimum": 1,
    }
    hosts = {name: common | {"lab_look_host_state": {"look": look}} for name, look in looks.items()}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    (tmp_path / "play.yml").write_text(PLAY)
    subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            f"--inventory={tmp_path / 'hosts.yml'}",
            str(tmp_path / "play.yml"),
        ],
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
            "UPCALL_LAB_RUN_FILE": str(tmp_path / "run.json"),
        },
        stdin=subprocess.DEVNULL,
        check=True,
        capture_output=True,
    )
    assert {name: (tmp_path / name).read_text() for name in HOSTS} == {
        "its-version": "Debian 12",
        "any-version": "Fedora",
        "family": "the RHEL family",
        "head-of-family": "the RHEL family",
        "relative": "unknown",
        "stranger": "unknown",
        "hostile": "unknown",
    }
