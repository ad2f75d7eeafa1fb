"""What of the grader and its libraries goes to students, for the zip and for the page.

All of it is text that runs on any Python from 3.9: the grader's modules that ``check_file`` needs,
its templates, its words as JSON (Python reads TOML from 3.11 on), the libraries without their
compiled parts, and all licences.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path

import yaml

from upcall_grader.judge.rubric_file import parse_rubric, read_rubric
from upcall_grader.selfcheck.rubrics import EMBEDDED

TOP = Path(__file__).resolve().parents[2]
SOURCES = TOP / "src"
START = SOURCES / "upcall_grader/selfcheck/command.py"
# Checks are found by their files when the grader runs, so no import names them.
CHECKS = SOURCES / "upcall_grader/judge/checks"
TEMPLATES = SOURCES / "upcall_grader/report/templates"
TEXTS = SOURCES / "upcall_grader/texts"
LIBRARIES = {"Jinja2": "jinja2", "MarkupSafe": "markupsafe", "dpkt": "dpkt", "PyYAML": "yaml"}
"""Name of a distribution -> its package."""

Contents = dict[str, bytes]
"""Path inside the zip -> what is there."""


def contents(rubric: Path | None) -> Contents:
    """Return everything, with ``rubric`` in place of the default one. Raises RubricError."""
    files = dict(_grader())
    for distribution, package in LIBRARIES.items():
        files |= _library(distribution, package)
    files["licences/upcall-lab.txt"] = (TOP / "LICENSE").read_bytes()
    if rubric is not None:
        files[f"upcall_grader/selfcheck/{EMBEDDED}"] = _plain(rubric)
    return files


def _grader() -> Iterator[tuple[str, bytes]]:
    for path in _modules():
        yield _place(path), path.read_bytes()
    for path in TEMPLATES.iterdir():
        yield _place(path), path.read_bytes()
    for path in (*TEXTS.glob("*.toml"), *CHECKS.glob("*.toml")):
        words = tomllib.loads(path.read_text("utf-8"))
        yield _place(path.with_suffix(".json")), json.dumps(words, ensure_ascii=False).encode()


def _modules() -> set[Path]:
    """Return the modules that the command imports, wherever in them."""
    finder = ModuleFinder([str(SOURCES)])
    for path in (START, *CHECKS.glob("*.py")):
        finder.run_script(str(path))
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    return {START, *CHECKS.glob("*.py"), *(Path(file) for file in files if file)}


def _place(path: Path) -> str:
    return path.relative_to(SOURCES).as_posix()


def _library(distribution: str, package: str) -> Iterator[tuple[str, bytes]]:
    """Yield a library's modules and its licence; it does without its compiled parts."""
    files = metadata.files(distribution)
    if files is None:
        raise ModuleNotFoundError(f"{distribution} lacks its list of files; make venv installs it")
    for file in files:
        if file.parts[0] == package and file.suffix == ".py":
            yield file.as_posix(), file.read_binary()
        elif file.parent.name in ("licenses", file.parts[0]) and file.name.startswith("LICENSE"):
            yield f"licences/{distribution}.txt", file.read_binary()


def _plain(rubric: Path) -> bytes:
    """Return a rubric as JSON, which is YAML as well: no comment of its author goes to students.

    Every value stays the text that was typed, so it is read as in the file.
    """
    meant = read_rubric(rubric)
    text = rubric.read_text("utf-8-sig")
    plain = json.dumps(yaml.load(text, Loader=yaml.BaseLoader), ensure_ascii=False)  # noqa: S506
    if parse_rubric(plain, EMBEDDED) != meant:
        raise RuntimeError(f"{rubric} and its copy for students differ; please report this")
    return plain.encode()
