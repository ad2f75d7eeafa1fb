"""The checks: whatever module is in this folder is one, its words are in the file beside it.

``<name>.py`` holds its ``CHECK``, ``<name>.toml`` what it says in each language. A file is named as
the check, with ``_`` for each ``-``.
"""

from __future__ import annotations

import importlib
import pkgutil

from upcall_grader.judge.check import Check


def _load() -> dict[str, Check]:
    modules = [module.name for module in pkgutil.iter_modules(__path__)]
    checks = {
        name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}").CHECK
        for name in modules
    }
    return dict(sorted(checks.items(), key=lambda item: (item[1].order, item[0])))


CHECKS = _load()
"""Name of a check -> the check, in the order in which they are listed."""
