"""Action plugin lab_collect_submission: collect a student's capture, and trust nothing in it."""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import json
import os
import re
import sys
import time
import typing as t
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# AWX and ansible-pull install nothing of this project: its packages lie beside plugins/.
sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))

from upcall_files.keeping import (
    dated_folder,
    digest,
    entries,
    folder,
    folder_in,
    present,
    replace,
)
from upcall_text.plain import escape_unprintable, instant

_SCHEMA = 1
_STUDENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST = 300  # characters that are kept of a text from the host
_NAMED = 16  # files passed over that are named; the rest is only counted
# Seconds: the years 1000 to 9999, which ISO 8601 writes with four digits.
_EARLIEST, _LATEST = -30610224000, 253402300799

PCAP = "upcall.pcap"
MANIFEST = "manifest.json"


class ActionModule(ActionBase):
    """Sends the module, checks its answer, and writes on the controller."""

    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Collect one student's capture from one host."""
        super().run(tmp, task_vars)
        _, given = self.validate_argument_spec(
            argument_spec={
                "student": {"type": "str", "required": True},
                "alone": {"type": "bool", "required": True},
                "patterns": {"type": "list", "elements": "str", "required": True},
                "size_limit": {"type": "int", "required": True},
                "since": {"type": "str", "default": ""},
                "timeout": {"type": "int", "required": True},
                "dest": {"type": "path", "required": True},
            }
        )
        student, check = given["student"], bool(self._task.check_mode)
        host = str((task_vars or {}).get("inventory_hostname", ""))
        sent = {
            "patterns": patterns_for(student, given["alone"], given["patterns"]),
            "size_limit": given["size_limit"],
            "since": moment(given["since"]),
            "timeout": given["timeout"],
        }
        answer = self._execute_module(
            module_name="lab_collect_submission_info", module_args=sent, task_vars=task_vars
        )
        # An error with one student stops neither the others of this host nor the list of all.
        result: dict[str, t.Any] = {"changed": False, "student": student, "collected": False}
        try:
            taken, data, passed_over = read_answer(answer, given["size_limit"], check)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            return result | {"error": no_answer(host, student, given["timeout"], answer, error)}
        if taken is None:
            return result | passed_over
        manifest = {
            "schema": _SCHEMA,
            "host": host,
            "student": student,
            "mode": "submission",
            **taken,
            "collected": instant(time.time()),
            **passed_over,
        }
        try:
            changed = keep(given["dest"], student, data, manifest, check)
        except OSError as error:
            kept = f"{given['dest']}/submissions/{student}"
            return result | {
                "error": f"the capture from {host} cannot be kept in {kept}: {shown(error)}."
                " Correct that, and run playbooks/collect.yml again"
            }
        return result | {"changed": changed, "collected": True, **passed_over, **taken}


def patterns_for(student: str, alone: bool, patterns: list[str]) -> list[str]:
    """Return the patterns for one student's files, filled in. Raises AnsibleActionFail."""
    if not _STUDENT.fullmatch(student):
        raise AnsibleActionFail(
            f"{shown(student)} cannot be a student's id, since it becomes a folder's name: write at"
            " most 64 letters, digits, '.', '_' or '-', not beginning with '.' or '-'."
            " (docs/troubles.md#student-id)"
        )
    for pattern in patterns:
        parts = pattern.split("/")[1:]
        if not pattern.startswith("/") or not set(parts).isdisjoint({"", ".", ".."}):
            raise AnsibleActionFail(
                f"lab_collect_patterns: {shown(pattern)} is not an absolute path, or has"
                " '.', '..' or an empty part. Correct it. (docs/troubles.md#submission-patterns)"
            )
    own = [pattern for pattern in patterns if alone or "{student}" in pattern]
    return [pattern.replace("{student}", student) for pattern in own]


def moment(since: str) -> int | None:
    """Return a date and time in seconds since 1970, None for none. Raises AnsibleActionFail."""
    if not since:
        return None
    try:
        return int(datetime.fromisoformat(since).timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise AnsibleActionFail(
            f"lab_collect_since: {shown(since)} is no date and time. Write it as 2026-11-28T09:00"
            " or 2026-11-28T09:00+07:00. (docs/troubles.md#since-when)"
        ) from error


def no_answer(
    host: str, student: str, timeout: int, answer: Mapping[str, t.Any], error: Exception
) -> str:
    """Return the error for a host without a valid answer, or without one in time."""
    reason = answer.get("msg") or f"{type(error).__name__}: {error}"
    # For a process that SIGALRM ended, the shell returns 128 plus the signal's number.
    if answer.get("rc") in (142, -14):
        reason = (
            f"nothing was found and read within {timeout} s. A file system that is mounted there"
            " may hang; findmnt on that host lists them"
        )
    return f"{host} gave no usable answer about {student}: {shown(reason)}"


def read_answer(
    answer: Mapping[str, t.Any], limit: int, check: bool
) -> tuple[dict[str, t.Any] | None, bytes, dict[str, t.Any]]:
    """Return the file that a host has taken, its bytes, and the files passed over; all checked.

    In check mode there are no bytes. Raises KeyError, TypeError, ValueError or zlib.error if the
    answer is not one of the module's.
    """
    if answer.get("failed"):
        raise ValueError("the module failed")
    passed_over = {
        "passed_over": [
            {"path": shown(text(entry, "path")), "why": shown(text(entry, "why"))}
            for entry in answer["passed_over"][:_NAMED]
        ],
        "passed_over_count": number(answer, "passed_over_count", _LATEST),
    }
    entry = answer["taken"]
    if entry is None:
        return None, b"", passed_over
    sha256 = text(entry, "sha256")
    if not _SHA256.fullmatch(sha256):
        raise ValueError("its SHA-256 is malformed")
    size = number(entry, "size", limit)
    taken = {
        "path": shown(text(entry, "path")),
        "size": size,
        "sha256": sha256,
        "modified": instant(min(max(whole(entry, "modified"), _EARLIEST), _LATEST)),
        "owner": shown(text(entry, "owner")),
    }
    data = b"" if check else unpacked(text(entry, "content"), size)
    if not check and hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError("the content does not match its SHA-256")
    return taken, data, passed_over


def unpacked(content: str, size: int) -> bytes:
    """Return the ``size`` bytes in Base64 of zlib's format; no more are ever unpacked."""
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(content, validate=True), size + 1)
    if len(data) != size:
        raise ValueError(f"the content does not have {size} bytes")
    return data


def text(entry: Mapping[str, t.Any], name: str) -> str:
    """Return a string of an answer. Raises KeyError or TypeError."""
    value = entry[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a text")
    return value


def whole(entry: Mapping[str, t.Any], name: str) -> int:
    """Return a whole number of an answer. Raises KeyError or TypeError."""
    value = entry[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is not a whole number")
    return value


def number(entry: Mapping[str, t.Any], name: str, largest: int) -> int:
    """Return a whole number of an answer, from 0 on. Raises KeyError, TypeError or ValueError."""
    value = whole(entry, name)
    if not 0 <= value <= largest:
        raise ValueError(f"{name} is not from 0 to {largest}")
    return value


def shown(foreign: object) -> str:
    """Return a text from elsewhere, short and printable."""
    return escape_unprintable(str(foreign), _LONGEST)


def keep(
    dest: str, student: str, data: bytes, manifest: dict[str, t.Any], check: bool = False
) -> bool:
    """Write ``submissions/<student>/`` in ``dest``; return whether that changed anything.

    Raises:
        OSError: it cannot be written, or something in the destination is a symbolic link.
    """
    if not check:
        os.makedirs(dest, mode=0o700, exist_ok=True)  # noqa: PTH103 - all that follows has no Path
    try:
        with folder(dest) as top, folder_in(top, "submissions", check) as submissions:
            written = collected_for_host(submissions, student, manifest)
            if written is not None and not check:
                take_over(submissions, manifest["host"], student, written)
            return put(submissions, student, data, manifest, check) or written is not None
    except FileNotFoundError:
        if check:
            return True
        raise


def put(
    submissions: int, student: str, data: bytes, manifest: dict[str, t.Any], check: bool
) -> bool:
    """Write a student's folder; return whether that changed anything. Raises OSError."""
    with folder_in(submissions, student, check) as own:
        before = present(own, PCAP)
        same = before is not None and digest(own, PCAP) == manifest["sha256"]
        recorded = entries(own, MANIFEST)
        told = all(recorded.get(name) == manifest[name] for name in ("sha256", "student"))
        if same and (check or told):
            return False
        if not check:
            earlier = None if same or before is None else before.st_mtime
            replace(own, contents(manifest, data), earlier)
        return True


def collected_for_host(
    submissions: int, student: str, manifest: Mapping[str, t.Any]
) -> float | None:
    """Return when the same file was collected while no roster said whose it is, None if not.

    Then the host stood for its student, and has a folder in ``submissions/``.
    """
    host = manifest["host"]
    if host.casefold() == student.casefold() or not _STUDENT.fullmatch(host):
        return None
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError),
        folder_in(submissions, host, check=True) as own,
    ):
        before = present(own, PCAP)
        same = before is not None and digest(own, PCAP) == manifest["sha256"]
        if before and same and entries(own, MANIFEST).get("student") == host:
            return before.st_mtime
    return None


def take_over(submissions: int, host: str, student: str, written: float) -> None:
    """Make a host's folder the student's, or a part of their earlier submissions."""
    try:
        os.rename(host, student, src_dir_fd=submissions, dst_dir_fd=submissions)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        with (
            folder_in(submissions, student) as own,
            folder_in(own, "earlier") as earlier,
            dated_folder(earlier, written) as (date, _),
        ):
            os.rename(host, date, src_dir_fd=submissions, dst_dir_fd=earlier)


def contents(manifest: dict[str, t.Any], data: bytes) -> dict[str, bytes]:
    """Return the files of a submission, name to bytes."""
    written = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    return {PCAP: data, MANIFEST: written}
