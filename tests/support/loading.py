"""Files that Ansible finds by their place, modules and plugins, loaded for a test."""

from __future__ import annotations

import importlib.util
import sys
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def load(path: str, name: str = "") -> t.Any:
    """Return the file at ``path`` below the project's folder, as a module.

    ``name`` is the one by which other files import it.
    """
    known_as = name or path.removesuffix(".py").replace("/", "_")
    spec = importlib.util.spec_from_file_location(known_as, TOP / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look for their types
    spec.loader.exec_module(module)
    return module


def load_utility(name: str) -> t.Any:
    """Return the module utility ``name``, loaded under the name that it has on a lab host."""
    return load(f"plugins/module_utils/{name}.py", f"ansible.module_utils.{name}")


# The one that every other may use.
load_utility("lab_text")
