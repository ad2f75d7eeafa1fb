#!/usr/bin/python
"""Ansible action lab_collect_submission: collect the capture that a student made by hand.

What runs is the action plugin of the same name; this file holds its documentation.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_collect_submission
short_description: Collect the capture that a student made by hand
description:
  - Reads the newest file on the host that one of the patterns matches, with
    C(lab_collect_submission_info), and keeps it on the controller as C(upcall.pcap) in O(dest),
    with a C(manifest.json). Only the controller's user may read them.
  - What was collected before moves to C(earlier/), under the time at which it was written; the
    same content again changes nothing.
  - The host belongs to students. No symbolic link is followed at any part of a path, nothing but a
    regular file with a single name is opened, the size limit holds for the bytes that are read,
    and a file that changes meanwhile is refused. What is refused is named with its reason.
  - Nothing that the host sends becomes a path on the controller, its answer is checked in every
    part, and the digest is that of the bytes that are written. A symbolic link in the destination
    is refused.
options:
  student:
    description:
      - The student's id. Letters, digits, C(.), C(_) and C(-), the first no C(.) and no C(-).
    type: str
    required: true
  alone:
    description:
      - Whether the host has no other student. If not, only patterns with C({student}) are used,
        since no other can tell whose a file is.
    type: bool
    required: true
  patterns:
    description:
      - Absolute paths. C(*) and C(?) stand for characters within one part, as in a shell, and
        match no C(.) at its beginning; C({student}) stands for O(student).
    type: list
    elements: str
    required: true
  size_limit:
    description: Bytes that are read at most. A larger file is refused.
    type: int
    required: true
  timeout:
    description: Seconds after which the module ends itself, whatever a file system there does.
    type: int
    required: true
  dest:
    description:
      - Folder on the controller. C(submissions/<student>/) is made in it. It may itself be reached
        through a symbolic link, what is below it may not.
    type: path
    required: true
attributes:
  action:
    description: Reads on the host, and writes on the controller.
    support: full
  check_mode:
    description: Reads in check mode too, and returns what would be collected. Writes nothing.
    support: full
  diff_mode:
    description: Returns no difference.
    support: none
  platform:
    description: Linux.
    support: full
    platforms: linux
notes:
  - Students' home directories are closed to others, so it needs to be root there.
  - A file with two names (hard links) may be somebody else's by its other name, so a file must
    have one. Its owner tells nothing, since tcpdump changes its user before it writes.
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Collect the capture of the student who sits here
  lab_collect_submission:
    student: "2110001"
    alone: true
    patterns:
      - /home/{student}/upcall.pcap
      - /home/*/upcall.pcap
    size_limit: 67108864
    timeout: 60
    dest: captures
  become: true
"""

RETURN = r"""
student:
  description: The student's id.
  returned: success
  type: str
collected:
  description: Whether the student has handed in a file.
  returned: success
  type: bool
error:
  description:
    - Why the host's answer could not be used, or not be kept. It is for the caller to fail with it,
      as soon as the other students have been seen to.
  returned: where there was such an error
  type: str
path:
  description: The file on the host, shortened and with control characters escaped.
  returned: success, where a file was taken
  type: str
size:
  description: Its size in bytes.
  returned: success, where a file was taken
  type: int
sha256:
  description: Its digest.
  returned: success, where a file was taken
  type: str
passed_over:
  description: Other files that a pattern matched, each with C(path) and C(why) it was not taken.
  returned: success
  type: list
  elements: dict
passed_over_count:
  description: How many these are; the list is cut short.
  returned: success
  type: int
"""
