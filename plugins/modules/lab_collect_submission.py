#!/usr/bin/python
"""Ansible action lab_collect_submission: collect the capture that a student made by hand.

The action plugin of the same name does the work; this file holds its documentation.
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
  - An earlier submission moves to C(earlier/), under the time at which it was written; the same
    content again changes nothing.
  - Without a roster a host stands for its student. A file that was collected so, and is collected
    again for a student, becomes that student's, so it is one submission.
  - The host belongs to students. No symbolic link is followed at any part of a path, only a regular
    file with a single name is opened, the size limit holds for the bytes that are read, and a file
    that changes meanwhile is refused. Each refused file is named with the reason.
  - Nothing that the host sends becomes a path on the controller, each part of its answer is
    checked, and the digest is that of the written bytes. A symbolic link in the destination is
    refused.
options:
  student:
    description:
      - The student's id. Letters, digits, C(.), C(_) and C(-); the first is not C(.) or C(-).
    type: str
    required: true
  alone:
    description:
      - Whether the host has no other student. If not, only patterns with C({student}) are used,
        since no other shows whose a file is.
    type: bool
    required: true
  patterns:
    description:
      - Absolute paths. C(*) and C(?) stand for characters within one part, as in a shell, and
        do not match a C(.) at its beginning; C({student}) stands for O(student).
    type: list
    elements: str
    required: true
  size_limit:
    description: Largest size of a file in bytes. A larger file is refused.
    type: int
    required: true
  since:
    description:
      - Date and time, as V(2026-11-28T09:00). Files that were last changed before it, by the host's
        clock, are refused. Without an offset (V(+07:00)) it is the controller's local time. Empty
        for no such moment.
    type: str
    default: ''
  timeout:
    description: Seconds after which the module ends itself, even if a file system there hangs.
    type: int
    required: true
  dest:
    description:
      - Folder on the controller, in which C(submissions/<student>/) is made. A symbolic link may
        lead to it, but not to anything below it.
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
  - Students' home directories are closed to others, so it needs root there.
  - A file must have a single name, since by its other name (hard link) it may be somebody else's.
    Its owner proves nothing, since tcpdump changes its user before it writes.
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
    - Why the host's answer could not be used, or could not be kept. The caller should fail with it
      after it has dealt with the other students.
  returned: if there was such an error
  type: str
path:
  description: The file on the host, shortened and with control characters escaped.
  returned: success, if a file was taken
  type: str
size:
  description: Its size in bytes.
  returned: success, if a file was taken
  type: int
sha256:
  description: Its digest.
  returned: success, if a file was taken
  type: str
passed_over:
  description: Other files that a pattern matched, each with C(path) and C(why) it was not taken.
  returned: success
  type: list
  elements: dict
passed_over_count:
  description: Number of these files; the list may be shorter.
  returned: success
  type: int
"""
