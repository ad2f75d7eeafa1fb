"""What the grader says, in each language.

``<name>.<language>.toml`` beside this file, and the words of each check beside the check
(``judge/checks/<check>.toml``). English is complete and the model; a test holds the other languages
to it. ``upcall-check.pyz`` has each of these files as JSON, which every Python reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

Texts = Mapping[str, Mapping[str, str]]
"""Code -> ``text`` and, in some, ``remedy``."""


@cache
def load(name: str, language: str) -> Texts:
    """Return all texts of one kind; the remarks are those of the checks as well."""
    texts: dict[str, Mapping[str, str]] = {}
    _flatten("", _read(__name__, f"{name}.{language}"), texts)
    if name == "remarks":
        for check, words in check_words().items():
            texts |= _of_check(check, words[language])
    return texts


@cache
def check_words() -> Mapping[str, Mapping[str, Any]]:
    """Return the words of each check: ``about`` it in English, and a table for each language."""
    folder = "upcall_grader.judge.checks"
    names = [file.name for file in resources.files(folder).iterdir()]
    stems = sorted(name[:-5] for name in names if name.endswith((".toml", ".json")))
    return {stem.replace("_", "-"): _read(folder, stem) for stem in stems}


def _read(package: str, stem: str) -> dict[str, Any]:
    folder = resources.files(package)
    packed = folder.joinpath(f"{stem}.json")
    if packed.is_file():
        return dict(json.loads(packed.read_text("utf-8")))
    import tomllib  # noqa: PLC0415 (new in Python 3.11)

    return tomllib.loads(folder.joinpath(f"{stem}.toml").read_text("utf-8"))


def _of_check(check: str, words: Mapping[str, Any]) -> Texts:
    """Return a check's titles as texts beside its remarks."""
    titles = {f"{kind}.{check}": {"text": words[kind]} for kind in ("title", "short")}
    return {code: text for code, text in words.items() if code not in ("title", "short")} | titles


def _flatten(prefix: str, table: Mapping[str, object], texts: dict[str, Mapping[str, str]]) -> None:
    for key, value in table.items():
        if not isinstance(value, dict):
            raise TypeError(f"{prefix}{key} is no table")
        if "text" in value:
            texts[prefix + key] = value
        else:
            _flatten(f"{prefix}{key}.", value, texts)
