"""A roster as an inventory: what Ansible makes of it, and that a bad one stops it at once."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.lab_hosts import TOP, environment, one_line

HEADER = "host,student_id,name,email,group,address,user,port\n"

# Another plugin that takes a roster with a mistake in it sees hosts in no group: all are meant.
PLAYBOOK = """
- name: Leave a mark for each host
  hosts: all
  gather_facts: false
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
  tasks:
    - name: Leave the mark
      ansible.builtin.file:
        path: "{{ playbook_dir }}/mark-{{ inventory_hostname }}"
        state: touch
        mode: "0600"
      connection: local
"""

BAD = {
    "no host": (f"{HEADER}seat-01,,,,,,,\n,2110001,,,,,,\n", 3, "there is no host"),
    "a host twice": (f"{HEADER}seat-01,,,,,,,\nseat-01,,,,,,,\n", 3, "is already in line 2"),
    "no header": ("seat-01\nseat-02\n", 1, "this is not a header"),
    "no column host": ("student_id\n2110001\n", 1, "there is no column host"),
    "Moodle's list": ("First name,Surname\nSari,Dewi\n", 1, "add a column host"),
    "Latin-1": (f"{HEADER}seat-01,1,Zo\u00eb,,,,,\n".encode("latin-1"), 2, "is not UTF-8"),
    "UTF-16": (f"{HEADER}seat-01,,,,,,,\n".encode("utf-16"), 1, "this is UTF-16"),
    "no path part": (f"{HEADER}seat-01/..,,,,,,,\n", 2, "cannot name a folder"),
    "too few cells": (f"{HEADER}seat-01\n", 2, "1 cells"),
    "an empty file": ("", 1, "the roster is empty"),
}


def write(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def ansible(
    program: str, *arguments: str | Path, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [TOP / ".venv" / "bin" / program, *arguments],
        cwd=TOP,
        env=environment() | (variables or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def inventory(*sources: str | Path) -> dict[str, Any]:
    options = [f"--inventory={source}" for source in sources]
    result = ansible("ansible-inventory", "--list", *options)
    assert result.returncode == 0, result.stderr
    assert "WARNING" not in result.stderr
    return dict(json.loads(result.stdout, object_hook=unwrapped))


def unwrapped(value: dict[str, Any]) -> Any:
    """Ansible's JSON names the strings that are no templates: ``{"__ansible_unsafe": "text"}``."""
    return value.get("__ansible_unsafe", value)


def marks(
    folder: Path, *arguments: str | Path, variables: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the playbook; the hosts on which its task ran come back as well."""
    playbook = write(folder / "mark.yml", PLAYBOOK)
    result = ansible("ansible-playbook", *arguments, playbook, variables=variables)
    return result, sorted(mark.name.removeprefix("mark-") for mark in folder.glob("mark-*"))


def assert_nothing_ran(
    result: subprocess.CompletedProcess[str], ran: list[str], *said: str
) -> None:
    assert ran == []
    assert result.returncode != 0
    assert "PLAY" not in result.stdout
    assert [words for words in said if words not in one_line(result.stderr)] == []


# -- a good roster


def test_hosts_groups_and_variables(tmp_path: Path) -> None:
    roster = write(
        tmp_path / "roster.csv",
        f"{HEADER}"
        "seat-01,2110001 2110002,Sari Dewi | Budi,s@x | b@x,TI-2A,192.0.2.1,lecturer,2222\n"
        'seat-02,,,,"TI-2A, Kelompok 1",,,\nseat-03,2110003,,,,,,\n',
    )
    groups = inventory(roster)
    assert groups["lab_hosts"]["hosts"] == ["seat-01", "seat-02", "seat-03"]
    assert sorted(groups["lab_hosts"]["children"]) == ["group_Kelompok_1", "group_TI_2A"]
    assert groups["group_TI_2A"]["hosts"] == ["seat-01", "seat-02"]
    assert groups["group_Kelompok_1"]["hosts"] == ["seat-02"]
    hosts = groups["_meta"]["hostvars"]
    sari = {"student_id": "2110001", "name": "Sari Dewi", "email": "s@x"}
    budi = {"student_id": "2110002", "name": "Budi", "email": "b@x"}
    names = ("ansible_host", "ansible_user", "ansible_port", "lab_roster_students")
    said = [
        {name: variables[name] for name in names if name in variables}
        for variables in hosts.values()
    ]
    assert said == [
        {
            "ansible_host": "192.0.2.1",
            "ansible_user": "lecturer",
            "ansible_port": 2222,
            "lab_roster_students": [sari, budi],
        },
        {"lab_roster_students": []},
        {"lab_roster_students": [{"student_id": "2110003", "name": "", "email": ""}]},
    ]


def test_the_example() -> None:
    groups = inventory(TOP / "inventory" / "roster.example.csv")
    assert len(groups["_meta"]["hostvars"]) == 4


def test_a_run_over_a_group(tmp_path: Path) -> None:
    roster = write(tmp_path / "ROSTER.CSV", "host;group\nseat-01;TI-2A\nseat-02;TI-2B\n")
    result, ran = marks(tmp_path, "-i", roster, "--limit", "group_TI_2B")
    assert result.returncode == 0, result.stderr
    assert ran == ["seat-02"]


def test_variables_of_the_room_lie_beside_the_roster_and_its_own_win(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    write(tmp_path / "group_vars" / "lab_hosts.yml", "ansible_user: lecturer\n")
    hosts = inventory(write(tmp_path / "roster.csv", "host,user\nseat-01,\nseat-02,other\n"))
    users = [variables["ansible_user"] for variables in hosts["_meta"]["hostvars"].values()]
    assert users == ["lecturer", "other"]


def test_a_roster_and_another_inventory_together(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", "host\nseat-01\n")
    rest = write(tmp_path / "rest.ini", "[lab_hosts]\nseat-02 ansible_host=192.0.2.2\n")
    assert inventory(roster, rest)["lab_hosts"]["hosts"] == ["seat-01", "seat-02"]


def test_no_cell_is_a_template(tmp_path: Path) -> None:
    mark = tmp_path / "mark-executed"
    trap = "{{ lookup('ansible.builtin.pipe', 'touch " + str(mark) + "') }}"
    roster = write(
        tmp_path / "roster.csv", f'host,student_id,name,email,group\nseat-01,1,"{trap}","{trap}",\n'
    )
    playbook = write(
        tmp_path / "show.yml",
        """
- name: Use the students in every way
  hosts: lab_hosts
  gather_facts: false
  vars:
    names: "{{ lab_roster_students | map(attribute='name') }}"
  tasks:
    - name: Show them
      ansible.builtin.debug:
        msg: "{{ names | first }} {{ lab_roster_students }} {{ hostvars['seat-01'] }}"
    - name: Show the variable
      ansible.builtin.debug:
        var: lab_roster_students
    - name: Hold on to the name
      ansible.builtin.assert:
        that: lab_roster_students[0].name == names[0]
        success_msg: "the name is {{ lab_roster_students[0].name }}"
""",
    )
    result = ansible("ansible-playbook", "-i", roster, playbook)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "lookup" in result.stdout.partition("the name is")[2]
    assert not mark.exists()


# -- a bad one


@pytest.mark.parametrize(("content", "line", "says"), BAD.values(), ids=BAD)
def test_a_bad_roster_stops_the_run_before_any_host(
    tmp_path: Path, content: str | bytes, line: int, says: str
) -> None:
    roster = write(tmp_path / "roster.csv", content)
    result, ran = marks(tmp_path, "-i", roster)
    assert_nothing_ran(result, ran, f"roster.csv, line {line}: ", says)
    assert "Traceback" not in result.stderr


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    roster = write(tmp_path / "roster.csv", "host,student_id\n,1\nseat-01,1\nseat-01,../2\n")
    result = ansible("ansible-inventory", "-i", roster, "--list")
    assert result.returncode != 0
    places = [line for line in result.stderr.splitlines() if line.startswith("roster.csv, line ")]
    assert [place.partition(":")[0][-1] for place in places] == ["2", "3", "4", "4"]


def test_a_bad_roster_beside_a_good_inventory(tmp_path: Path) -> None:
    good = write(tmp_path / "good.yml", "lab_hosts: {hosts: {seat-02: }}\n")
    roster = write(tmp_path / "roster.csv", "host\nseat-01\nseat-01\n")
    result, ran = marks(tmp_path, "-i", good, "-i", roster)
    assert_nothing_ran(result, ran, "roster.csv, line 3: ")


def test_a_roster_that_is_not_there(tmp_path: Path) -> None:
    result, ran = marks(tmp_path, "-i", tmp_path / "roster.csv")
    assert_nothing_ran(result, ran, "roster.csv: there is no such file")


@pytest.mark.parametrize("name", ["roster.csv.txt", "Roster.CSV.xlsx"])
def test_a_roster_under_a_longer_name_is_no_list_of_hosts(tmp_path: Path, name: str) -> None:
    roster = write(tmp_path / name, "host,student_id\nh1,1\n")
    result, ran = marks(tmp_path, "-i", roster)
    assert_nothing_ran(result, ran, "does not end in .csv", f"Rename it to {name[:6]}.csv")


def test_an_executable_roster_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark-run"
    roster = write(tmp_path / "roster.csv", f"#!/bin/sh\ntouch {mark}\n")
    roster.chmod(0o755)
    result, ran = marks(tmp_path, "-i", roster)
    assert_nothing_ran(result, ran, "roster.csv, line 1: ")


def test_without_the_package(tmp_path: Path) -> None:
    write(tmp_path / "upcall_roster.py", "raise ImportError('it is not installed')\n")
    roster = write(tmp_path / "roster.csv", "host\nseat-01\n")
    result, ran = marks(tmp_path, "-i", roster, variables={"PYTHONPATH": str(tmp_path)})
    assert_nothing_ran(result, ran, "make venv")


# -- other inventories

SCRIPT = """#!/bin/sh
echo '{"lab_hosts": {"hosts": ["seat-01", "seat-02"]}, "_meta": {"hostvars": {}}}'
"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("room.ini", "[lab_hosts]\nseat-[01:02]\n"),
        ("room", "seat-01 ansible_user=lecturer\nseat-02\n"),
        ("room.yml", "lab_hosts:\n  hosts:\n    seat-[01:02]:\n"),
        ("room.sh", SCRIPT),
        ("room.toml", "[lab_hosts.hosts]\nseat-01 = {}\nseat-02 = {}\n"),
    ],
)
def test_other_inventories_go_on_working(tmp_path: Path, name: str, content: str) -> None:
    source = write(tmp_path / name, content)
    source.chmod(0o755 if name == "room.sh" else 0o644)
    assert inventory(source)["lab_hosts" if "." in name else "ungrouped"]["hosts"] == [
        "seat-01",
        "seat-02",
    ]


def test_hosts_on_the_command_line_go_on_working() -> None:
    assert inventory("seat-01,seat-02")["ungrouped"]["hosts"] == ["seat-01", "seat-02"]
