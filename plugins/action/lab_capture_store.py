"""Action plugin lab_capture_store: keep a session's capture on the controller."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
import typing as t
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
    write,
)

_SCHEMA = 2
_LOG_LIMIT = 1 << 20  # bytes; where the module on the host cuts a transcript
_MANIFEST_LIMIT = 1 << 18  # bytes; the host's part of it is hostile input

PCAP = "upcall.pcap"
MANIFEST = "manifest.json"
SCRIPTED = "scripted"


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
                "mode": {"type": "str", "required": True, "choices": ["exercise", "watch"]},
                "student": {"type": "str", "default": ""},
                "session": {"type": "dict", "required": True},
                "size_limit": {"type": "int", "required": True},
                "clock_offset_seconds": {"type": "float", "required": True},
            }
        )
        if self._task.check_mode:
            return result | {"changed": True}
        host = str((task_vars or {}).get("inventory_hostname", ""))
        mode, session, dest = arguments["mode"], arguments["session"], Path(arguments["dest"])
        known = {
            "schema": _SCHEMA,
            "host": host,
            "student": arguments["student"],
            "mode": mode,
            "clock_offset_seconds": arguments["clock_offset_seconds"],
        }
        files = contents(session, known, arguments["size_limit"])
        try:
            kept = keep(dest, files, mode, bool(session.get("complete")))
        except OSError as error:
            raise AnsibleActionFail(
                f"The capture of {host} cannot be kept: {error}. Make room, or correct the owner of"
                f" {dest}, and run playbooks/capture.yml again."
                " (docs/troubles.md#cannot-be-written)"
            ) from error
        return result | {
            "changed": True,
            "path": str(kept.folder / PCAP),
            "earlier": str(kept.earlier or ""),
            "stays": str(dest / PCAP) if kept.folder == dest / SCRIPTED else "",
        }


class Kept(t.NamedTuple):
    """The folder that has a session's files, and the one that has those before them."""

    folder: Path
    earlier: Path | None = None


def contents(session: dict[str, t.Any], known: dict[str, t.Any], limit: int) -> dict[str, bytes]:
    """Return the files' bytes by name.

    The manifest says what is ``known`` here, and apart from it, as claims, what the host says. A
    capture of more than ``limit`` bytes is not even decoded. Raises AnsibleActionFail if the files
    did not arrive intact.
    """
    host = known["host"]
    try:
        decoded = {
            PCAP: bytes_of(session, "pcap", limit, host),
            "server.log": bytes_of(session, "server_log", _LOG_LIMIT, host),
            "client.log": bytes_of(session, "client_log", _LOG_LIMIT, host),
        }
        claims = dict(session["manifest"])
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleActionFail(
            f"{host} did not return a session: {error!r}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        ) from error
    sha256 = hashlib.sha256(decoded[PCAP]).hexdigest()
    if sha256 != claims.get("sha256"):
        raise AnsibleActionFail(
            f"The capture of {host} arrived damaged: its SHA-256 is {sha256}, the host says"
            f" {claims.get('sha256')!s:.80}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        )
    manifest = {**known, "sha256": sha256, "size": len(decoded[PCAP]), "claims": claims}
    written = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    if len(written) > _MANIFEST_LIMIT:
        raise AnsibleActionFail(
            f"{host} returned a manifest of {len(written)} bytes, which is too long."
            " (docs/troubles.md#unusable-answer)"
        )
    return {**decoded, MANIFEST: written}


def bytes_of(session: dict[str, t.Any], name: str, limit: int, host: str) -> bytes:
    """Return a part of a session, which comes in Base64: four characters for three bytes.

    Raises AnsibleActionFail if it is too large, before it is decoded, and KeyError, TypeError or
    ValueError if it is no such part.
    """
    encoded = session[name]
    if len(encoded) > 4 * -(-limit // 3):
        raise AnsibleActionFail(
            f"{host} returned more than {limit} bytes of {name}; none of it was kept. The session"
            " ends itself at that size, so its answer was changed on that host. Find out by whom,"
            " and run playbooks/capture.yml again. (docs/troubles.md#unusable-answer)"
        )
    return base64.b64decode(encoded, validate=True)


def keep(dest: Path, files: dict[str, bytes], mode: str, complete: bool) -> Kept:
    """Write the files of a session, and say where they and the earlier ones are.

    What a student made is not replaced by what a script typed: that goes to ``scripted/``. Raises
    OSError.
    """
    dest.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with folder(str(dest.parent)) as parent, folder_in(parent, dest.name) as own:
        if not complete:
            return keep_incomplete(dest, own, files)
        if mode == "watch" or not holds_students(own):
            return keep_complete(dest, own, files)
        with folder_in(own, SCRIPTED) as beside:
            return keep_complete(dest / SCRIPTED, beside, files)


def keep_complete(place: Path, own: int, files: dict[str, bytes]) -> Kept:
    """Put a complete session in the place of the one before it."""
    before = present(own, PCAP)
    moved = replace(own, files, before.st_mtime if before else None)
    return Kept(place, place / moved if moved else None)


def keep_incomplete(dest: Path, own: int, files: dict[str, bytes]) -> Kept:
    """Write an incomplete session where it takes nothing's place."""
    with (
        folder_in(own, "incomplete") as incomplete,
        dated_folder(incomplete, time.time()) as (date, dated),
    ):
        for name, data in files.items():
            write(dated, name, data)
        return Kept(dest / "incomplete" / date)


def holds_students(own: int) -> bool:
    """Return whether a folder's capture is anything but a scripted session's.

    One that somebody put there differs from the capture that the manifest describes.
    """
    if present(own, PCAP) is None:
        return False
    manifest = entries(own, MANIFEST)
    scripted = manifest.get("mode") == "exercise"
    return not scripted or manifest.get("sha256") != digest(own, PCAP)
