"""What the grader says, in each language: ``<name>.<language>.toml`` beside this file.

English is complete and the model; a test holds the other languages to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache


@cache
def load(name: str, language: str) -> Mapping[str, Mapping[str, str]]:
    """Return all texts of one file: code -> ``text`` and, in some, ``remedy``."""
    # Grading where all is as it should be tells nothing, and starts faster without them.
    import tomllib  # noqa: PLC0415
    from importlib import resources  # noqa: PLC0415

    file = resources.files(__name__).joinpath(f"{name}.{language}.toml")
    found: dict[str, Mapping[str, str]] = {}
    _flatten("", tomllib.loads(file.read_text("utf-8")), found)
    return found


def _flatten(prefix: str, table: Mapping[str, object], found: dict[str, Mapping[str, str]]) -> None:
    for key, value in table.items():
        if not isinstance(value, dict):
            raise TypeError(f"{prefix}{key} is no table")
        if "text" in value:
            found[prefix + key] = value
        else:
            _flatten(f"{prefix}{key}.", value, found)
