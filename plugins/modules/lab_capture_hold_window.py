#!/usr/bin/python
"""Ansible module lab_capture_hold_window: hold the window of a session until it closes."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_capture_hold_window
short_description: Keep the window of a capture session open
description:
  - Waits until the window closes that C(lab_capture) opened in mode V(watch).
  - A window closes soon after it is no longer held, so the session ends with the run of Ansible
    that waits for it.
options:
  window_file:
    description: The O(window_file) of the session. If it does not exist, the window is closed.
    type: path
    required: true
  timeout:
    description: Seconds after which the module stops holding the window.
    type: int
    required: true
attributes:
  check_mode:
    description: Returns at once in check mode, in which no window is open.
    support: full
  diff_mode:
    description: Returns no difference.
    support: none
  platform:
    description: Linux.
    support: full
    platforms: linux
notes:
  - Needs root, to whom the window belongs.
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Hold the window until it closes
  lab_capture_hold_window:
    window_file: /run/upcall-lab/window-1
    timeout: 900
  become: true
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_capture_window import hold_window


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "window_file": {"type": "path", "required": True},
            "timeout": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    if not module.check_mode:
        hold_window(module.params["window_file"], module.params["timeout"])
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
