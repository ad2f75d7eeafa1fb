"""Action plugin lab_upcall_archive_store: keep an image's archive on the controller."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

_JSON_LIMIT = 1 << 20  # bytes
_SIZE_LIMIT = 1 << 30  # bytes; a Python image has some tens of megabytes


class ActionModule(ActionBase):
    """Runs on the controller alone."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Write the archive."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "src": {"type": "path", "required": True},
                "dest": {"type": "path", "required": True},
                "image": {"type": "str", "required": True},
            }
        )
        source, dest = Path(arguments["src"]), Path(arguments["dest"])
        if self._task.check_mode:
            return result | {"changed": True}
        try:
            store(source, dest, arguments["image"])
        except (OSError, EOFError, tarfile.TarError, ValueError, LookupError, TypeError) as error:
            raise AnsibleActionFail(
                f"The image cannot be kept as {dest}, the archive of {arguments['image']}:"
                f" {error}. Make room on the controller, or run 'make image' there."
                " (docs/troubles.md#no-image)"
            ) from error
        return result | {"changed": True, "path": str(dest), "size": dest.stat().st_size}


def store(source: Path, dest: Path, image: str) -> None:
    """Write ``dest`` anew from the output of ``docker image save`` in ``source``.

    The data that identify the image come first, then its layers, and nothing else; times and owners
    are left out, so that one image gives one archive. The file gets its name only when it is
    complete. Raises an error if ``source`` is not such an output.
    """
    with tarfile.open(source, "r:") as saved:
        entry = next((e for e in _json(saved, "manifest.json") if image in e["RepoTags"]), None)
        if entry is None:
            raise ValueError("it holds other images")
        manifest = [{key: entry[key] for key in ("Config", "Layers")} | {"RepoTags": [image]}]
        with _replaced(dest) as incoming, _packed(incoming) as archive:
            _add(archive, "manifest.json", json.dumps(manifest, sort_keys=True).encode())
            for name in dict.fromkeys([entry["Config"], *entry["Layers"]]):
                member = saved.extractfile(name)
                if member is None:
                    raise ValueError(f"{name!r} in it is not a file")
                _add(archive, name, member.read(_SIZE_LIMIT))


def _json(archive: tarfile.TarFile, name: str) -> t.Any:
    member = archive.extractfile(name)
    return json.loads(member.read(_JSON_LIMIT)) if member else []


@contextlib.contextmanager
def _replaced(dest: Path) -> t.Iterator[t.IO[bytes]]:
    """Yield a file that becomes ``dest``, readable for everybody, once all is written."""
    dest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=dest.parent, prefix=".incoming-", delete=False) as file:
        try:
            yield file
            file.flush()
            Path(file.name).chmod(0o644)
            Path(file.name).replace(dest)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _packed(file: t.IO[bytes]) -> t.Iterator[tarfile.TarFile]:
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        yield archive


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    archive.addfile(header, io.BytesIO(data))
