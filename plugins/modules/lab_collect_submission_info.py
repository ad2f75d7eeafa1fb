#!/usr/bin/python
"""Ansible module lab_collect_submission_info: read a capture that a student made by hand."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_collect_submission_info
short_description: Read the capture that a student made by hand
description:
  - Reads the newest file on the host that one of the patterns matches. It changes nothing.
  - The host belongs to students. No symbolic link is followed at any part of a path, only a regular
    file with a single name is opened, the size limit holds for the bytes that are read, and a file
    that changes meanwhile is refused. Each refused file is named with the reason.
  - The action C(lab_collect_submission) calls this module and checks its answer.
options:
  patterns:
    description:
      - Absolute paths. C(*) and C(?) stand for characters within one part, as in a shell, and
        do not match a C(.) at its beginning.
    type: list
    elements: str
    required: true
  size_limit:
    description: Largest size of a file in bytes. A larger file is refused.
    type: int
    required: true
  since:
    description:
      - Moment in seconds since 1970. Files that were last changed before it are refused. By default
        there is no such moment.
    type: int
  timeout:
    description: Seconds after which the module ends itself, even if a file system there hangs.
    type: int
    required: true
attributes:
  check_mode:
    description: Reads in check mode too, and returns the file without its content.
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
- name: Read the newest capture in a home directory
  lab_collect_submission_info:
    patterns:
      - /home/*/upcall.pcap
    size_limit: 67108864
    timeout: 60
  become: true
"""

RETURN = r"""
taken:
  description: The newest acceptable file, null if there is none.
  returned: success
  type: dict
  contains:
    path:
      description: Its path, with control characters escaped.
      returned: always
      type: str
    size:
      description: Its size in bytes.
      returned: always
      type: int
    sha256:
      description: Its digest.
      returned: always
      type: str
    modified:
      description: When it was last changed, in seconds since 1970.
      returned: always
      type: int
    owner:
      description: Its owner.
      returned: always
      type: str
    content:
      description: Its content, compressed by zlib, in Base64. Empty in check mode.
      returned: always
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

import base64
import contextlib
import errno
import fnmatch
import hashlib
import os
import pwd
import signal
import stat
import typing as t
import zlib

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_text import escape_unprintable, instant

Parts = tuple[str, ...]

_AT_ONCE = 1 << 20  # bytes read with one call
_NANOSECONDS = 1_000_000_000  # of a second
_NAMED = 16  # files passed over that are named; the rest is only counted
_KINDS = {
    stat.S_IFDIR: "is a directory",
    stat.S_IFCHR: "is a character device",
    stat.S_IFBLK: "is a block device",
    stat.S_IFIFO: "is a FIFO",
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFSOCK: "is a socket",
}


class RefusedError(Exception):
    """A path is not taken: which one, and why."""

    def __init__(self, parts: Parts, why: str) -> None:
        super().__init__(why)
        self.parts = parts
        self.why = why


def shown(parts: Parts) -> str:
    """Return a path as it may be printed."""
    return escape_unprintable("/" + "/".join(parts))


def closed(error: OSError) -> str:
    """Return the reason where even root is refused, as by NFS with root_squash; "" elsewhere."""
    if error.errno not in (errno.EACCES, errno.EPERM):
        return ""
    return f"is closed to root: {error.strerror} (docs/troubles.md#closed-to-root)"


@contextlib.contextmanager
def opened(parts: Parts) -> t.Iterator[int]:
    """Yield a descriptor of the file at a path; links are not followed at any part.

    It is opened with O_PATH, so that a FIFO or a device does not notice. Raises RefusedError if a
    part before the last is a symbolic link, FileNotFoundError or NotADirectoryError if nothing is
    there.
    """
    descriptor = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        for depth, name in enumerate(parts, start=1):
            beneath = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = beneath
            if depth < len(parts) and stat.S_ISLNK(os.fstat(descriptor).st_mode):
                raise RefusedError(parts[:depth], _KINDS[stat.S_IFLNK])
        yield descriptor
    finally:
        os.close(descriptor)


def named(folder: Parts, pattern: str) -> list[str]:
    """Return the names in a folder that a pattern matches; without ``*`` and ``?`` it is a name."""
    if not set(pattern) & set("*?"):
        return [pattern]
    with opened(folder) as descriptor:
        listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
    try:
        names = os.listdir(listing)
    finally:
        os.close(listing)
    literal = pattern.replace("[", "[[]")
    return sorted(
        name
        for name in names
        if fnmatch.fnmatchcase(name, literal) and name.startswith(".") == pattern.startswith(".")
    )


def matches(pattern: Parts, folder: Parts = ()) -> t.Iterator[Parts | RefusedError]:
    """Yield the paths that a pattern may stand for, and a refusal where it cannot look further."""
    if not pattern:
        yield folder
        return
    try:
        names = named(folder, pattern[0])
    except RefusedError as refused:
        yield refused
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        yield RefusedError(folder, closed(error) or f"cannot be listed: {error.strerror}")
    else:
        for name in names:
            yield from matches(pattern[1:], (*folder, name))


def must_be_acceptable(parts: Parts, status: os.stat_result) -> None:
    """Refuse anything but a student's own regular file. Raises RefusedError."""
    if not stat.S_ISREG(status.st_mode):
        raise RefusedError(parts, _KINDS.get(stat.S_IFMT(status.st_mode), "is not a regular file"))
    # Its other name may be somebody else's.
    if status.st_nlink != 1:
        raise RefusedError(parts, f"has {status.st_nlink} names (hard links)")
    # Files in /proc report this size, whatever they hold; reading empties some of them.
    if not status.st_size:
        raise RefusedError(parts, "is empty")


def candidates(patterns: list[str]) -> tuple[list[tuple[int, Parts]], dict[Parts, str]]:
    """Return the files that may be taken, with their last change, and the refused, with why."""
    acceptable: dict[Parts, int] = {}
    refused: dict[Parts, str] = {}
    for pattern in patterns:
        for match in matches(tuple(pattern.strip("/").split("/"))):
            if isinstance(match, RefusedError):
                refused[match.parts] = match.why
                continue
            try:
                with opened(match) as descriptor:
                    status = os.fstat(descriptor)
                must_be_acceptable(match, status)
                acceptable[match] = status.st_mtime_ns
            except RefusedError as error:
                refused[error.parts] = error.why
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                refused[match] = closed(error) or f"cannot be opened: {error.strerror}"
    by_age = sorted(((moment, parts) for parts, moment in acceptable.items()), reverse=True)
    return by_age, refused


def read(parts: Parts, limit: int) -> tuple[bytes, os.stat_result]:
    """Return a file's bytes, and its status when they were read. Raises RefusedError."""
    try:
        with opened(parts) as descriptor:
            must_be_acceptable(parts, os.fstat(descriptor))
            # This opens the descriptor's own file, even if its name is another file's by now.
            again = os.open(
                f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
        with open(again, "rb", buffering=0) as file:
            before = os.fstat(again)
            data = read_up_to(file, limit + 1)
            after = os.fstat(again)
    except OSError as error:
        why = closed(error) or f"cannot be read: {error.strerror}"
        raise RefusedError(parts, why) from error
    if len(data) > limit:
        raise RefusedError(parts, f"is larger than {limit / 2**20:g} MiB")
    if (before.st_size, before.st_mtime_ns) != (len(data), after.st_mtime_ns):
        raise RefusedError(parts, "changes while it is read; is tcpdump still running?")
    return data, after


def read_up_to(file: t.BinaryIO, limit: int) -> bytes:
    """Return a file's content, cut off at a limit, whatever size it claims to have."""
    data = bytearray()
    while len(data) < limit:
        chunk = file.read(min(_AT_ONCE, limit - len(data)))
        if not chunk:
            break
        data += chunk
    return bytes(data)


def owner(uid: int) -> str:
    """Return the name of a user, or its number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def submission(
    patterns: list[str], limit: int, since: int | None, with_content: bool
) -> dict[str, t.Any]:
    """Return the newest acceptable file that a pattern matches, and the files passed over."""
    acceptable, passed_over = candidates(patterns)
    taken: dict[str, t.Any] | None = None
    for moment, parts in acceptable:
        if since is not None and moment < since * _NANOSECONDS:
            passed_over[parts] = f"was last changed before {instant(since)}"
            continue
        if taken:
            passed_over[parts] = "is older than the one that was taken"
            continue
        try:
            data, status = read(parts, limit)
        except RefusedError as error:
            passed_over[parts] = error.why
            continue
        taken = {
            "path": shown(parts),
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "modified": int(status.st_mtime),
            "owner": owner(status.st_uid),
            "content": base64.b64encode(zlib.compress(data)).decode() if with_content else "",
        }
    reasons = sorted((shown(parts), why) for parts, why in passed_over.items())
    return {
        "taken": taken,
        "passed_over": [{"path": path, "why": why} for path, why in reasons[:_NAMED]],
        "passed_over_count": len(reasons),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "patterns": {"type": "list", "elements": "str", "required": True},
            "size_limit": {"type": "int", "required": True},
            "since": {"type": "int"},
            "timeout": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    # The default action, since a handler in Python cannot run while a file system does not answer.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(module.params["timeout"])
    answer = submission(
        module.params["patterns"],
        module.params["size_limit"],
        module.params["since"],
        not module.check_mode,
    )
    module.exit_json(changed=False, **answer)


if __name__ == "__main__":
    main()
