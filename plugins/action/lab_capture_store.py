"""Action plugin lab_capture_store: keep a session's capture on the controller."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import os
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_SCHEMA = 1
_MANIFEST_LIMIT = 1 << 18  # bytes; the host's part of it is hostile and may be anything

PCAP, MANIFEST = "upcall.pcap", "manifest.json"
_FILES = (PCAP, MANIFEST, "server.log", "client.log")


class ActionModule(ActionBase):
    """Runs on the controller alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Write the files of one session."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "dest": {"type": "path", "required": True},
                "session": {"type": "dict", "required": True},
                "clock_offset_seconds": {"type": "float", "required": True},
            }
        )
        if self._task.check_mode:
            return result | {"changed": True}
        host = str((task_vars or {}).get("inventory_hostname", ""))
        files = contents(arguments["session"], host, arguments["clock_offset_seconds"])
        try:
            kept, earlier = keep(
                Path(arguments["dest"]), files, bool(arguments["session"].get("complete"))
            )
        except OSError as error:
            raise AnsibleActionFail(
                f"The capture of {host} cannot be kept: {error}. Make room, or correct the owner of"
                f" {arguments['dest']}, and run playbooks/capture.yml again."
                " (docs/troubles.md#cannot-be-written)"
            ) from error
        return result | {"changed": True, "path": str(kept / PCAP), "earlier": str(earlier or "")}


def contents(session: dict[str, t.Any], host: str, offset: float) -> dict[str, bytes]:
    """Name → bytes of each file. Raises AnsibleActionFail if what came is not what was sent."""
    try:
        decoded = {
            name: base64.b64decode(session[key], validate=True)
            for name, key in (
                (PCAP, "pcap"),
                ("server.log", "server_log"),
                ("client.log", "client_log"),
            )
        }
        told = dict(session["manifest"])
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise AnsibleActionFail(
            f"{host} returned no session: {error!r}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        ) from error
    digest = hashlib.sha256(decoded[PCAP]).hexdigest()
    if digest != told.get("sha256"):
        raise AnsibleActionFail(
            f"The capture of {host} arrived damaged: its SHA-256 is {digest}, the host told"
            f" {told.get('sha256')!s:.80}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        )
    manifest = {"schema": _SCHEMA, "host": host, "clock_offset_seconds": offset}
    # What the controller knows itself is not the host's to say.
    manifest = {**told, **manifest}
    written = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    if len(written) > _MANIFEST_LIMIT:
        raise AnsibleActionFail(
            f"{host} returned a manifest of {len(written)} bytes, which is too long."
            " (docs/troubles.md#unusable-answer)"
        )
    return {**decoded, MANIFEST: written}


def keep(dest: Path, files: dict[str, bytes], complete: bool) -> tuple[Path, Path | None]:
    """Write the files; where they lie, and where those before them lie. Raises OSError."""
    make_folder(dest)
    if not complete:
        folder = fresh_folder(dest / "incomplete", datetime.datetime.now(tz=datetime.UTC))
        for name, data in files.items():
            write(folder / name, data)
        return folder, None
    # All of the new is on the disk before any of the old is moved.
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=dest) as incoming:
        for name, data in files.items():
            write(Path(incoming, name), data)
        earlier = move_away(dest)
        for name in files:
            Path(incoming, name).rename(dest / name)
    return dest, earlier


def make_folder(path: Path) -> None:
    """A folder that only its owner may read, and no link to elsewhere. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.mkdir(exist_ok=True, mode=0o700)
    if path.is_symlink():
        raise NotADirectoryError(f"{path} is a symbolic link")


def move_away(dest: Path) -> Path | None:
    """Move the earlier capture to ``earlier/``, dated by its own file."""
    if not (dest / PCAP).exists():
        return None
    written = (dest / PCAP).stat().st_mtime
    moment = datetime.datetime.fromtimestamp(written, tz=datetime.UTC)
    folder = fresh_folder(dest / "earlier", moment)
    for name in _FILES:
        if (dest / name).exists():
            (dest / name).rename(folder / name)
    return folder


def fresh_folder(parent: Path, moment: datetime.datetime) -> Path:
    """A new folder named after a moment; the second of the same second gets a number."""
    make_folder(parent)
    name, number = moment.strftime("%Y-%m-%dT%H%M%SZ"), 1
    while True:
        folder = parent / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def write(path: Path, data: bytes) -> None:
    """Write a new file; one that is there already is an error, not overwritten."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
