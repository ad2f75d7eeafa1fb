"""The Pythons of this machine that students' machines have as well."""

from __future__ import annotations

import os
import subprocess

import pytest

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def python(version: str) -> str:
    """Return the path of a Python; skips the test where this machine has none of that version."""
    # A version manager gives the one that this variable names.
    environment = os.environ | {"PYENV_VERSION": version}
    command = [f"python{version}", "-I", "-S", "-c", "import sys; print(sys.executable, end='')"]
    try:
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip(f"this machine has no Python {version}")
    return run.stdout
