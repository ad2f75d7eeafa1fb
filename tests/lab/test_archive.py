"""`make image`: an archive that brings the lab's image to hosts without a network."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

from tests.lab.compose import IMAGE, TOP, succeed


def test_the_archive_is_the_image_for_everybody_to_read(tmp_path: Path) -> None:
    archive = tmp_path / "images" / "upcall-lab.tar.gz"
    made = subprocess.run(
        ["ansible-playbook", "playbooks/image.yml", "-e", f"lab_upcall_image_archive={archive}"],
        cwd=TOP,
        env=os.environ | {"ANSIBLE_CONFIG": str(TOP / "ansible.cfg")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout
    with tarfile.open(archive, "r:gz") as content:
        manifest = content.extractfile("manifest.json")
        assert manifest is not None
        (told,) = json.load(manifest)
    identity = succeed("docker", "image", "inspect", "--format", "{{.Id}}", IMAGE).strip()
    assert told["RepoTags"] == [IMAGE]
    assert told["Config"].endswith(f"{identity.removeprefix('sha256:')}.json")
    assert archive.stat().st_mode & 0o777 == 0o644
    assert [file.name for file in archive.parent.iterdir()] == [archive.name]
