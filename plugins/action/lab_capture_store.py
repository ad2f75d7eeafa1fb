"""Action plugin lab_capture_store: keep a session's capture on the controller."""

from __future__ import annotations

import base64
import binascii
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

from upcall_files.keeping import dated_folder, folder, folder_in, present, replace, write

_SCHEMA = 1
_MANIFEST_LIMIT = 1 << 18  # bytes; the host's part of it is hostile input

PCAP = "upcall.pcap"
MANIFEST = "manifest.json"


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
    """Return the files' bytes by name. Raises AnsibleActionFail if they did not arrive intact."""
    try:
        decoded = {
            name: base64.b64decode(session[key], validate=True)
            for name, key in (
                (PCAP, "pcap"),
                ("server.log", "server_log"),
                ("client.log", "client_log"),
            )
        }
        from_host = dict(session["manifest"])
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise AnsibleActionFail(
            f"{host} did not return a session: {error!r}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        ) from error
    digest = hashlib.sha256(decoded[PCAP]).hexdigest()
    if digest != from_host.get("sha256"):
        raise AnsibleActionFail(
            f"The capture of {host} arrived damaged: its SHA-256 is {digest}, the host says"
            f" {from_host.get('sha256')!s:.80}. Run playbooks/capture.yml again."
            " (docs/troubles.md#unusable-answer)"
        )
    manifest = {"schema": _SCHEMA, "host": host, "clock_offset_seconds": offset}
    # The controller's own entries win over the host's.
    manifest = {**from_host, **manifest}
    written = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    if len(written) > _MANIFEST_LIMIT:
        raise AnsibleActionFail(
            f"{host} returned a manifest of {len(written)} bytes, which is too long."
            " (docs/troubles.md#unusable-answer)"
        )
    return {**decoded, MANIFEST: written}


def keep(dest: Path, files: dict[str, bytes], complete: bool) -> tuple[Path, Path | None]:
    """Write the files; return their folder, and that of the earlier ones. Raises OSError."""
    dest.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with folder(str(dest.parent)) as parent, folder_in(parent, dest.name) as own:
        if complete:
            before = present(own, PCAP)
            moved = replace(own, files, before.st_mtime if before else None)
            return dest, dest / moved if moved else None
        with (
            folder_in(own, "incomplete") as incomplete,
            dated_folder(incomplete, time.time()) as (date, dated),
        ):
            for name, data in files.items():
                write(dated, name, data)
            return dest / "incomplete" / date, None
