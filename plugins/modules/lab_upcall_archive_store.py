#!/usr/bin/python
"""Ansible action lab_upcall_archive_store: keep an image's archive on the controller.

The action plugin of the same name does the work; this file holds its documentation.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_upcall_archive_store
short_description: Keep the archive of an image on the controller
description:
  - Writes a compressed archive for C(docker image load) from the output of
    C(docker image save).
  - It begins with the data that identify the image, so that they can be read without reading all
    of it. The same image gives the same bytes.
options:
  src:
    description: Output of C(docker image save), on the controller. It comes from a lab host.
    type: path
    required: true
  dest:
    description: The archive on the controller. An existing one is replaced in one step.
    type: path
    required: true
  image:
    description: Name and tag of the image. Other images in O(src) are left out.
    type: str
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
- name: Keep the archive
  lab_upcall_archive_store:
    src: images/upcall-lab.tar.gz.saved
    dest: images/upcall-lab.tar.gz
    image: upcall-lab:1
"""

RETURN = r"""
path:
  description: Path of the archive.
  returned: success, not in check mode
  type: str
size:
  description: Its size in bytes.
  returned: success, not in check mode
  type: int
"""
