#!/usr/bin/python
"""Ansible module lab_upcall_end_stale_sessions: end the processes that a session left behind."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_upcall_end_stale_sessions
short_description: End the processes that a session of the upcall lab left behind
description:
  - Ends the processes that a session started, if no session holds the lab. Students' own processes
    are left alone.
options:
  timeout:
    description: Seconds that processes have to end before they are killed.
    type: int
    default: 5
attributes:
  check_mode:
    description: Shows in check mode what it would end.
    support: full
  diff_mode:
    description: Returns no difference.
    support: none
  platform:
    description: Linux, since it reads /proc.
    support: full
    platforms: linux
notes:
  - Needs root, because it looks at every user's processes.
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: End what an earlier session left behind
  lab_upcall_end_stale_sessions:
  become: true
"""

RETURN = r"""
ended:
  description: The command lines of the ended processes.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_look_session import end, holder, marked


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={"timeout": {"type": "int", "default": 5}}, supports_check_mode=True
    )
    held = holder()
    if held is not None:
        module.fail_json(
            msg=f"{held['who']} has held the lab since {held['since']} (process {held['pid']})."
            f" Wait until that session has ended, or take over: sudo kill {held['pid']}"
            " (docs/troubles.md#held)"
        )
    leftovers = marked()
    if not module.check_mode:
        end(leftovers, module.params["timeout"])
    module.exit_json(changed=bool(leftovers), ended=[process.command for process in leftovers])


if __name__ == "__main__":
    main()
