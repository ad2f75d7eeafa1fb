"""scripts/lint-modules: the documentation of modules and plugins, held to what they accept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a project that has this one's plugins."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(TOP / "scripts" / "lint-modules", tmp_path / "scripts")
    shutil.copytree(TOP / "plugins", tmp_path / "plugins")
    return tmp_path


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [tree / "scripts" / "lint-modules"],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_documented_is_what_is_accepted(tree: Path) -> None:
    result = lint(tree)
    assert (result.returncode, result.stdout) == (0, "")


def test_an_option_and_a_markup_that_are_wrong_are_named(tree: Path) -> None:
    module = tree / "plugins" / "modules" / "lab_upcall_end_stale_sessions.py"
    text = module.read_text(encoding="utf-8").replace("  timeout:\n", "  patience:\n")
    module.write_text(text.replace("short_description: End", "short_description: M(end)"))
    plugin = tree / "plugins" / "inventory" / "lab_roster.py"
    plugin.write_text(plugin.read_text(encoding="utf-8").replace("description:", "describe:"))
    result = lint(tree)
    assert result.returncode == 1
    assert "Argument 'timeout' is listed in the argument_spec, but not documented" in result.stdout
    assert "Argument 'patience' is listed in DOCUMENTATION.options" in result.stdout
    assert '"end" is not a FQCN' in result.stdout
    assert "plugins/inventory/lab_roster.py:0:0: Einvalid-documentation" in result.stdout


def test_a_module_that_cannot_be_read_is_named(tree: Path) -> None:
    module = tree / "plugins" / "modules" / "lab_upcall_end_stale_sessions.py"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace("from ansible", "import nothing_of_that_name\nfrom ansible", 1))
    result = lint(tree)
    assert result.returncode == 1
    assert "nothing_of_that_name" in result.stdout
