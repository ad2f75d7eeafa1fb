"""The image's archive on the controller: what is kept of what a lab host sent, and what it is."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.loading import load

IMAGE = "upcall-lab:1"
LAYERS = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]


layers_of = load("plugins/filter/lab_upcall_archive_layers.py").lab_upcall_archive_layers
store = load("plugins/action/lab_upcall_archive_store.py").store


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size, header.mtime = len(data), 1_700_000_000
    archive.addfile(header, io.BytesIO(data))


def save(path: Path, manifest: Any = None, **more: bytes) -> Path:
    """Return an archive as ``docker image save`` writes it, the manifest after the layers."""
    entry = {"Config": "c.json", "RepoTags": [IMAGE], "Layers": ["a/layer.tar", "b/layer.tar"]}
    with tarfile.open(path, "w") as archive:
        add(archive, "c.json", json.dumps({"rootfs": {"diff_ids": LAYERS}}).encode())
        add(archive, "a/layer.tar", b"lower" * 1000)
        linked = tarfile.TarInfo("b/layer.tar")
        linked.type, linked.linkname = tarfile.SYMTYPE, "../a/layer.tar"
        archive.addfile(linked)
        add(
            archive, "manifest.json", json.dumps([entry] if manifest is None else manifest).encode()
        )
        for name, data in more.items():
            add(archive, name, data)
    return path


def test_what_is_kept_is_the_image_and_nothing_else(tmp_path: Path) -> None:
    saved = save(tmp_path / "saved", evil=b"x")
    kept = tmp_path / "images" / "upcall-lab.tar.gz"
    store(saved, kept, IMAGE)
    with tarfile.open(kept, "r:gz") as archive:
        content = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
    assert list(content) == ["manifest.json", "c.json", "a/layer.tar", "b/layer.tar"]
    assert json.loads(content["manifest.json"])[0]["RepoTags"] == [IMAGE]
    assert content["a/layer.tar"] == content["b/layer.tar"] == b"lower" * 1000
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert kept.stat().st_mode & 0o777 == 0o644


def test_one_image_gives_one_archive(tmp_path: Path) -> None:
    store(save(tmp_path / "saved"), tmp_path / "first", IMAGE)
    store(save(tmp_path / "again", other=b"y"), tmp_path / "second", IMAGE)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("kept", [True, False], ids=["as kept", "as saved by hand"])
def test_the_layers_are_read(tmp_path: Path, kept: bool) -> None:
    archive = save(tmp_path / "saved")
    if kept:
        store(archive, tmp_path / "kept", IMAGE)
        archive = tmp_path / "kept"
    assert layers_of(str(archive), IMAGE) == LAYERS
    assert layers_of(str(archive), "upcall-lab:2") == []


def test_of_a_kept_archive_only_the_beginning_is_read(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    store(save(tmp_path / "saved"), kept, IMAGE)
    whole = gzip.decompress(kept.read_bytes())
    cut = tmp_path / "cut"
    cut.write_bytes(gzip.compress(whole[:4096]))
    assert layers_of(str(cut), IMAGE) == LAYERS


@pytest.mark.parametrize(
    "manifest",
    [
        [],
        {},
        [{"RepoTags": ["other:1"], "Config": "c.json", "Layers": []}],
        [{"RepoTags": [IMAGE], "Config": "missing", "Layers": []}],
        [{"RepoTags": [IMAGE], "Config": "c.json", "Layers": ["../../etc/passwd"]}],
        [{"RepoTags": None}],
        7,
    ],
)
def test_what_is_no_archive_of_the_image_replaces_nothing(tmp_path: Path, manifest: Any) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"the earlier one")
    saved = save(tmp_path / "saved", manifest)
    with pytest.raises((LookupError, TypeError, ValueError)):
        store(saved, kept, IMAGE)
    assert kept.read_bytes() == b"the earlier one"
    assert {path.name for path in tmp_path.iterdir()} == {"kept", "saved"}


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"x" * 600, mtime=0), b"\x1f\x8b\x08"],
    ids=["empty", "text", "no tar", "cut off"],
)
def test_an_unreadable_archive_has_no_layers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "archive").write_bytes(content)
    assert layers_of(str(tmp_path / "archive"), IMAGE) == []
    assert layers_of(str(tmp_path / "missing"), IMAGE) == []
