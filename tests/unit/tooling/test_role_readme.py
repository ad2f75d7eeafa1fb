"""READMEs made from argument specs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).resolve().parents[3]
ROLES = sorted(path for path in (TOP / "roles").iterdir() if path.is_dir())
NOTES = "\n## Size of the image\n\n70 MB.\n"
SPEC = {
    "short_description": "Open a window",
    "description": ["Opens it with C(tcpdump).", "Closes it."],
    "options": {
        "lab_window_seconds": {
            "description": "Seconds the window stays open | at most.",
            "type": "int",
            "default": 5,
        },
        "lab_window_side": {
            "description": ["Where.", "See O(lab_window_seconds)."],
            "type": "str",
            "choices": ["left", "right"],
            "default": "left",
        },
        "lab_window_panes": {
            "description": "Its panes.",
            "type": "list",
            "elements": "str",
            "default": [],
        },
        "lab_window_title": {"description": "Its title.", "type": "str", "default": ""},
        "lab_window_frame": {"description": "Its frame.", "type": "str", "default": "x" * 40},
        "lab_window_door": {"description": "Which door.", "type": "path"},
        "lab_window_room": {"description": "Which room.", "type": "str", "required": True},
    },
}
ROWS = r"""
| `lab_window_seconds` | int | `5` | Seconds the window stays open \| at most. |
| `lab_window_side` | str | `left` | Where. See `lab_window_seconds`. One of `left`, `right`. |
| `lab_window_panes` | list of str | `[]` | Its panes. |
| `lab_window_title` | str | `""` | Its title. |
| `lab_window_frame` | str | see `defaults/main.yml` | Its frame. |
| `lab_window_door` | path |  | Which door. |
| `lab_window_room` | str | **required** | Which room. |
"""


def write(*roles: Path) -> subprocess.CompletedProcess[str]:
    """Have the READMEs of these roles written."""
    return subprocess.run(
        [TOP / "scripts" / "role-readmes", *roles],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def role(tmp_path: Path) -> Path:
    role = tmp_path / "lab_window"
    (role / "meta").mkdir(parents=True)
    (role / "meta" / "main.yml").write_text(
        "galaxy_info: {description: d, author: a, license: l, platforms: []}\n"
    )
    specs = {"argument_specs": {"main": SPEC}}
    (role / "meta" / "argument_specs.yml").write_text(yaml.safe_dump(specs, sort_keys=False))
    return role


def test_each_role_has_the_readme_that_its_specs_make(tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(role, tmp_path / role.name)) for role in ROLES]
    done = write(*copies)
    assert done.returncode == 0, done.stdout + done.stderr
    stale = [
        role.name
        for role, copy in zip(ROLES, copies, strict=True)
        if (role / "README.md").read_text("utf-8") != (copy / "README.md").read_text("utf-8")
    ]
    assert stale == [], "run make readmes"


def test_a_row_says_type_default_choices_and_meaning(role: Path) -> None:
    assert write(role).returncode == 0
    text = (role / "README.md").read_text(encoding="utf-8")
    assert ROWS in text
    assert "# lab_window\n\nOpen a window.\n\nOpens it with `tcpdump`.\n\nCloses it.\n\n" in text


def test_what_is_written_by_hand_survives(role: Path) -> None:
    write(role)
    first = (role / "README.md").read_text(encoding="utf-8")
    (role / "README.md").write_text(first.replace("`5`", "`6`") + NOTES, encoding="utf-8")
    assert write(role).returncode == 0
    assert (role / "README.md").read_text(encoding="utf-8") == first + NOTES


def test_what_is_written_by_hand_and_would_be_lost_is_refused(role: Path) -> None:
    (role / "README.md").write_text("# By hand\n", encoding="utf-8")
    done = write(role)
    assert done.returncode != 0
    assert "Could not find <!-- BEGIN_ANSIBLE_DOCS -->" in done.stdout
    assert (role / "README.md").read_text(encoding="utf-8") == "# By hand\n"
