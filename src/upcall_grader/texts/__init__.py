"""What the grader says, in each language.

``<name>.<language>.toml`` beside this file, and the words of each check beside the check
(``judge/checks/<check>.toml``). English is complete and the model; a test holds the other languages
to it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

Texts = Mapping[str, Mapping[str, str]]
"""Code -> ``text`` and, in some, ``remedy``."""


@cache
def load(name: str, language: str) -> Texts:
    """Return all texts of one kind; the remarks are those of the checks as well."""
    file = resources.files(__name__).joinpath(f"{name}.{language}.toml")
    texts: dict[str, Mapping[str, str]] = {}
    _flatten("", _read(file), texts)
    if name == "remarks":
        for check, words in check_words().items():
            texts |= _of_check(check, words[language])
    return texts


@cache
def check_words() -> Mapping[str, Mapping[str, Any]]:
    """Return the words of each check: ``about`` it in English, and a table for each language."""
    files = resources.files("upcall_grader.judge.checks").iterdir()
    return {
        file.name.removesuffix(".toml").replace("_", "-"): _read(file)
        for file in sorted(files, key=lambda file: file.name)
        if file.name.endswith(".toml")
    }


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


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
