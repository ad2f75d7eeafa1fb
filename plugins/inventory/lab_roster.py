"""Inventory plugin lab_roster: the room's roster, one CSV file, as an inventory."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleParserError
from ansible.inventory.group import to_safe_group_name
from ansible.plugins.inventory import BaseFileInventoryPlugin

try:
    from upcall_roster import RosterError, Seat, read_roster
except ImportError:
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

DOCUMENTATION = r"""
name: lab_roster
short_description: Reads the machines of a room, and who sits there, from a roster in CSV
description:
  - Takes every inventory source whose name ends in C(.csv). If something follows C(.csv) in the
    name, as in C(roster.csv.txt), the run ends and asks for another name.
  - The file is UTF-8, its first line names the columns, and its cells are separated by commas,
    semicolons or tabs. Upper and lower case, spaces, C(_) and C(-) make no difference in a
    column's name; other columns than those below are ignored.
  - C(host), the only required column, is the machine's name, and the name of its folder in
    C(captures/). A machine has one row.
  - C(student_id) is empty for a machine without a student. If several students share a machine,
    their ids are in one cell, separated by spaces; their names and their email addresses, if
    given, are separated by C(|).
  - C(name) and C(email) are the student's.
  - C(group) puts the machine into a group; several groups are separated by commas. The group's
    name in Ansible is C(group_) and the cell, with each character other than letters, digits and
    C(_) replaced by C(_), so C(TI-2A) becomes C(group_TI_2A).
  - C(address) is the machine's address, if it differs from the name; C(user) is the user who
    logs in there; C(port) is the port of its SSH server. They become C(ansible_host),
    C(ansible_user) and C(ansible_port).
  - The columns of Moodle's participants list are understood, in English and Indonesian. C(First
    name) and C(Last name) are the C(name), C(ID number) is the C(student_id), or, where that is
    empty, C(Username); C(Email address) is the C(email), C(Groups) is the C(group). You have to
    add a column C(host).
  - Each machine is in the group C(lab_hosts); the groups of the file are its children. Each
    machine has the variable C(lab_roster_students), a list with C(student_id), C(name) and
    C(email) of each student.
  - No value of the file is ever taken as a template.
notes:
  - If anything in the file is wrong, nothing of it is used, and the error names every problem
    with its line. For the run to end there, C(any_unparsed_is_failed) must be set, and no other
    plugin may take the file, as P(ansible.builtin.ini#inventory) would. The project's
    C(ansible.cfg) takes care of both.
  - Variables for the whole room go into C(group_vars/lab_hosts.yml) beside the roster. A row's
    own cells win.
options: {}
"""

EXAMPLES = r"""
# ansible-playbook -i inventory/roster.csv site.yml
# where inventory/roster.csv is, for example:
#
# host,student_id,name,email,group,address
# seat-01.example.org,2110001,Sari Dewi,sari@example.org,TI-2A,
# seat-02.example.org,2110002 2110003,Budi | Wati,,TI-2A,
# lectern,,,,,192.0.2.10
#
# ansible-playbook -i inventory/roster.csv site.yml --limit group_TI_2A
"""

ROOM = "lab_hosts"


class InventoryModule(BaseFileInventoryPlugin):
    """Hosts, groups and variables from a roster."""

    NAME = "lab_roster"

    def verify_file(self, path: str) -> bool:
        """Return whether the source is named as a roster; parse reports one that is missing."""
        return ".csv" in Path(path).name.lower()

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the roster's seats to the inventory.

        Raises:
            AnsibleParserError: the roster cannot be used; nothing was added.
        """
        super().parse(inventory, loader, path, cache)
        if not IS_INSTALLED:
            raise AnsibleParserError(
                f"{path} cannot be read: this project's own package is not installed for this"
                " Ansible. Run make venv, then . .venv/bin/activate, then the same command again"
                " (docs/troubles.md#not-installed)"
            )
        if not path.lower().endswith(".csv"):
            raise AnsibleParserError(
                f"{path} seems to be a roster, but its name does not end in .csv. Rename it to"
                f" {Path(path).name[: Path(path).name.lower().index('.csv')]}.csv"
                " (docs/troubles.md#roster-file)"
            )
        try:
            roster = read_roster(Path(path))
        except RosterError as error:
            # Ansible prints the message twice, but help_text once.
            raise AnsibleParserError(
                f"the roster {path} cannot be used; no host was touched", help_text=str(error)
            ) from None
        inventory.add_group(ROOM)
        for seat in roster.seats:
            inventory.add_host(seat.host, group=ROOM)
            for group in seat.groups:
                name = to_safe_group_name(f"group_{group}", force=True, silent=True)
                inventory.add_group(name)
                inventory.add_child(ROOM, name)
                inventory.add_host(seat.host, group=name)
            for variable, value in _variables(seat).items():
                inventory.set_variable(seat.host, variable, value)


def _variables(seat: Seat) -> dict[str, t.Any]:
    connection = {
        "ansible_host": seat.address,
        "ansible_user": seat.user,
        "ansible_port": seat.port,
    }
    students = [
        {"student_id": one.student_id, "name": one.name, "email": one.email}
        for one in seat.students
    ]
    return {name: value for name, value in connection.items() if value} | {
        "lab_roster_students": students
    }
