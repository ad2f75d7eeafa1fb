"""The files that lie beside a capture: manifest and logs, read without trust."""

from __future__ import annotations

import ipaddress
import json
import os
import stat
from pathlib import Path
from typing import NamedTuple

from upcall_grader.cause import Cause
from upcall_grader.judge.log_comparison import CLIENT_LOG, SERVER_LOG

MANIFEST = "manifest.json"
NAMES = frozenset((MANIFEST, SERVER_LOG, CLIENT_LOG))
"""Names of the files that belong to the capture in their folder."""

_MANIFEST_LIMIT, _LOG_LIMIT = 1 << 18, 1 << 21  # bytes


class Manifest(NamedTuple):
    """What is used of a manifest; empty where it says nothing.

    Of a session's manifest host and mode are the controller's words. ``student`` is whoever the
    lab host names, if it names anybody.
    """

    student: str = ""
    host: str = ""
    mode: str = ""
    sha256: str = ""
    dropped: int = 0
    networks: tuple[str, ...] = ()

    @property
    def claims(self) -> Manifest:
        """What is used of it if a student may have written it: what can only speak against them."""
        return Manifest(student=self.student, host=self.host, sha256=self.sha256)


class UnusableError(Exception):
    """A file that lies there and cannot be used."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.code)
        self.cause = cause


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest in a folder, an empty one without a file. Raises UnusableError."""
    data = _read(folder / MANIFEST, _MANIFEST_LIMIT)
    if data is None:
        return Manifest()
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnusableError(Cause("no-json")) from error
    if not isinstance(content, dict):
        raise UnusableError(Cause("no-json-object"))
    claims = content.get("claims")
    # In schema 1, and beside submissions, all is in one place.
    claims = claims if isinstance(claims, dict) else content
    counters, network = claims.get("tcpdump"), claims.get("network")
    dropped = counters.get("dropped") if isinstance(counters, dict) else 0
    subnets = network.get("subnets") if isinstance(network, dict) else []
    return Manifest(
        student=_text(claims.get("student")) or _text(content.get("student")),
        host=_text(content.get("host")),
        mode=_text(content.get("mode")),
        sha256=_text(content.get("sha256")),
        dropped=dropped if isinstance(dropped, int) and 0 < dropped < 1 << 63 else 0,
        networks=tuple(filter(_is_network, subnets[:16] if isinstance(subnets, list) else ())),
    )


def read_log(folder: Path, name: str) -> bytes:
    """Return a log in a folder, b"" without a file. Raises UnusableError."""
    return _read(folder / name, _LOG_LIMIT) or b""


def _read(path: Path, limit: int) -> bytes | None:
    """Return the bytes of a regular file; None where there is nothing.

    Raises UnusableError, also for a folder, a link or a FIFO.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnusableError(Cause("not-opened", {"error": error.strerror or str(error)})) from error
    # First of all: a folder can be opened, and no stream be made of it.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnusableError(Cause("no-regular-file"))
    with os.fdopen(descriptor, "rb") as stream:
        try:
            data = stream.read(limit + 1)
        except OSError as error:
            cause = Cause("not-read", {"error": error.strerror or str(error)})
            raise UnusableError(cause) from error
    if len(data) > limit:
        raise UnusableError(Cause("too-large", {"limit": limit}))
    return data


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 255 else ""


def _is_network(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_network(value))
    except ValueError:
        return False
