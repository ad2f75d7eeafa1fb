#!/usr/bin/python
"""Ansible action lab_capture_store: keep a session's capture on the controller.

The action plugin of the same name does the work; this file holds its documentation.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_capture_store
short_description: Keep a captured session on the controller
description:
  - Writes the result of C(lab_capture) into O(dest), which only its owner may read, as
    C(upcall.pcap), C(manifest.json), C(server.log) and C(client.log).
  - A complete capture replaces the earlier one, which moves to C(earlier/), under the time at
    which it was written. An incomplete capture goes to C(incomplete/), and the earlier one stays
    where it is.
  - A scripted session never takes the place of a capture that a student made, in mode V(watch) or
    by hand. Then it goes to C(scripted/).
  - In the manifest stands what the controller knows (host, mode, student, clock offset, size and
    digest). What the host says of the session is in its C(claims).
  - Nothing that a lab host sent becomes a path, and the digest of the written capture is compared
    with the one that the host reported.
options:
  dest:
    description: Folder on the controller.
    type: path
    required: true
  mode:
    description: V(exercise) if a script typed the messages, V(watch) if students did.
    type: str
    choices: [exercise, watch]
    required: true
  student:
    description: Id of the student who typed, empty if it is not known or nobody did.
    type: str
    default: ''
  session:
    description: The result of C(lab_capture).
    type: dict
    required: true
  size_limit:
    description: Largest size of a capture in bytes. A larger one is refused before it is decoded.
    type: int
    required: true
  clock_offset_seconds:
    description: Seconds by which the host's clock is ahead of the controller's.
    type: float
    required: true
attributes:
  action:
    description: Runs on the controller alone and sends nothing to the host.
    support: full
  check_mode:
    description: Writes nothing in check mode.
    support: full
  diff_mode:
    description: Returns no difference.
    support: none
  platform:
    description: Any on which Ansible runs.
    support: full
    platforms: posix
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Keep the capture
  lab_capture_store:
    dest: captures/{{ inventory_hostname }}
    mode: exercise
    session: "{{ session }}"
    size_limit: 16777216
    clock_offset_seconds: "{{ lab_look_host_state.clock_offset_seconds }}"
"""

RETURN = r"""
path:
  description: Path of the capture.
  returned: success, not in check mode
  type: str
earlier:
  description: New path of the earlier capture, empty if there was none.
  returned: success, not in check mode
  type: str
stays:
  description:
    - Path of a capture that a student made and that was not replaced, empty if there was none.
  returned: success, not in check mode
  type: str
"""
