"""Inventory plugin lab_script: Ansible's inventory scripts, but never a roster."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.inventory import script

DOCUMENTATION = r"""
name: lab_script
short_description: Runs inventory scripts as ansible.builtin.script does, and never a CSV file
description:
  - When one inventory plugin fails, Ansible tries the next one on the same file, and
    P(ansible.builtin.script#inventory) runs any file that is executable, as all files are on many
    USB sticks and network drives. A roster may come from a form that students filled in.
  - This plugin does the same, except that it leaves alone files with C(.csv) in their name, so that
    a roster is read and never run.
options: {}
"""

EXAMPLES = r"""
# ansible.cfg
# [inventory]
# enable_plugins = host_list, lab_roster, lab_script, auto, yaml, lab_ini, toml
"""


class InventoryModule(script.InventoryModule):
    """The script plugin, without CSV files."""

    NAME = "lab_script"

    def verify_file(self, path: str) -> bool:
        """Return whether the source may be a script."""
        return ".csv" not in Path(path).name.lower() and super().verify_file(path)
