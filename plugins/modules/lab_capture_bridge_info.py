#!/usr/bin/python
"""Ansible module lab_capture_bridge_info: the interface to capture the lab on."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_capture_bridge_info
short_description: Tell which interface carries the upcall lab
description:
  - Finds the network of a compose project and the bridge behind it, as a student does with C(ip
    a).
options:
  project:
    description: Name of the lab's compose project.
    type: str
    required: true
  docker_socket:
    description: Socket on which the Docker Engine answers.
    type: path
    default: /var/run/docker.sock
attributes:
  check_mode:
    description: Can run in check mode, and does the same there.
    support: full
  diff_mode:
    description: Returns no difference, since it changes nothing.
    support: none
  platform:
    description: Linux with Docker Engine.
    support: full
    platforms: linux
notes:
  - Needs to be allowed to use the engine's socket.
author:
  - upcall-lab contributors
"""

EXAMPLES = r"""
- name: Find the lab's bridge
  lab_capture_bridge_info:
    project: upcall-lab
  become: true
  register: bridge

- name: Tell the command to capture it with
  ansible.builtin.debug:
    msg: sudo tcpdump -nvi {{ bridge.interface }} -w upcall.pcap
"""

RETURN = r"""
name:
  description: Name of the lab's network.
  returned: success
  type: str
  sample: upcall-lab_upcall
id:
  description: Id of the network.
  returned: success
  type: str
subnets:
  description: Its subnets.
  returned: success
  type: list
  elements: str
  sample: [172.19.0.0/16]
interface:
  description: Name of its bridge.
  returned: success
  type: str
  sample: br-0123456789ab
exists:
  description: Whether the bridge exists on the host.
  returned: success
  type: bool
up:
  description: Whether the bridge is up.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_look_docker import Docker, DockerError
from ansible.module_utils.lab_look_lab import NoNetworkError, describe_network


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        supports_check_mode=True,
    )
    project = module.params["project"]
    try:
        network = describe_network(
            Docker(module.params["docker_socket"]).networks(project), project
        )
    except DockerError as error:
        module.fail_json(msg=f"{error}. Run playbooks/prepare.yml (docs/troubles.md#no-engine)")
    except NoNetworkError as error:
        module.fail_json(msg=f"{error} (docs/troubles.md#no-network)")
    module.exit_json(changed=False, **network)


if __name__ == "__main__":
    main()
