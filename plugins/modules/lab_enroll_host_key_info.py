#!/usr/bin/python
"""Ansible action lab_enroll_host_key_info: a host's SSH key, compared with the known ones.

The action plugin of the same name does the work; this file holds its documentation.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_enroll_host_key_info
short_description: Fetch a host's SSH key and compare it with the known ones
description:
  - Asks C(ssh -G), with the options that Ansible's own connection to the host has, where and under
    which name ssh will look for the host's key; so C(ssh_config), C(HostKeyAlias), another port and
    another C(UserKnownHostsFile) are respected.
  - Fetches the host's keys with C(ssh-keyscan), and looks up the known ones with C(ssh-keygen -F).
  - Fails if the host shows no key, if a known key differs from the shown one, or if O(fingerprint)
    does not belong to a shown key. Records nothing.
options:
  fingerprint:
    description: The fingerprint that you read at the machine, as C(ssh-keygen -l) prints it.
    type: str
  timeout:
    description: Seconds within which the host must show its keys.
    type: int
    default: 10
attributes:
  action:
    description: Runs on the controller alone, and does not log in to the host.
    support: full
  check_mode:
    description: Only looks.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  platform:
    description: Any on which Ansible runs, with OpenSSH's programs.
    support: full
    platforms: posix
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Fetch the host key and compare it with the known one
  lab_enroll_host_key_info:
    timeout: 10
  register: seen
"""

RETURN = r"""
known:
  description: Whether the key that the host shows is already known.
  returned: success
  type: bool
confirmed:
  description: Whether O(fingerprint) was given; it then belongs to a key that the host shows.
  returned: success
  type: bool
name:
  description: The host's name in C(known_hosts).
  returned: success
  type: str
  sample: "[192.0.2.10]:2222"
file:
  description: The C(known_hosts) in which ssh will look first.
  returned: success
  type: str
hash:
  description: Whether the user's ssh hashes names in it.
  returned: success
  type: bool
line:
  description: The line to write there, with the name.
  returned: success
  type: str
type:
  description: The key's type, as C(ssh-keygen -l) prints it.
  returned: success
  type: str
  sample: ED25519
fingerprint:
  description: The key's fingerprint, as C(ssh-keygen -l) prints it.
  returned: success
  type: str
  sample: SHA256:Nl1Zt7dYIgt3Ya5cVhCT3cPrI2P2KzZm1ZLr8c1HQ7o
"""
