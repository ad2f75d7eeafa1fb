"""Inventory plugin lab_ini: Ansible's INI inventories, but never a roster."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.inventory import ini

DOCUMENTATION = r"""
name: lab_ini
short_description: Reads INI inventories as ansible.builtin.ini does, and leaves CSV files alone
description:
  - When one inventory plugin fails, Ansible tries the next one on the same file, and
    P(ansible.builtin.ini#inventory) takes nearly any text for a list of hosts, even a roster with a
    mistake in it.
  - This plugin does the same, except that it leaves alone files with C(.csv) in their name, so that
    a mistake in a roster ends the run.
options: {}
"""

EXAMPLES = r"""
# ansible.cfg
# [inventory]
# enable_plugins = host_list, lab_roster, lab_script, auto, yaml, lab_ini, toml
"""


class InventoryModule(ini.InventoryModule):
    """The INI plugin, without CSV files."""

    NAME = "lab_ini"

    def verify_file(self, path: str) -> bool:
        """Return whether the source may be an INI file."""
        return ".csv" not in Path(path).name.lower() and super().verify_file(path)
