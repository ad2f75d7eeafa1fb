"""Each check: its function, its words in all languages, and a test."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path
from string import Formatter

import pytest

from upcall_grader.judge.checks import CHECKS
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.languages import LANGUAGES
from upcall_grader.texts import check_words
from upcall_grader.texts.default_rubric import default_rubric_text
from upcall_grader.texts.wording import Wording

SOURCE = Path(__file__).resolve().parents[3] / "src"
BOTH_TITLES = {"title", "short"}
OF_AT_LEAST = ("met", "few", "unseen", "refused")
OF_EVERY_CRITERION = {"id", "check", "points", "title"}


def file_name(check: str) -> str:
    return check.replace("-", "_")


def remarks(check: str) -> set[str]:
    """Return the codes of all remarks that a check's file names."""
    file = resources.files("upcall_grader.judge.checks").joinpath(f"{file_name(check)}.py")
    source = file.read_text("utf-8")
    codes = set(re.findall(rf'"({check}-[a-z-]+)"', source))
    return codes | {f"{check}-{end}" for end in OF_AT_LEAST if "at_least(" in source}


def test_there_are_words_for_what_is_a_check_and_for_nothing_else() -> None:
    assert check_words().keys() == CHECKS.keys()


@pytest.mark.parametrize("check", CHECKS)
def test_every_remark_of_a_check_has_words_in_every_language(check: str) -> None:
    words = check_words()[check]
    assert set(words) == {"about", *LANGUAGES}
    for language in LANGUAGES:
        assert set(words[language]) == BOTH_TITLES | remarks(check), language


@pytest.mark.parametrize("check", CHECKS)
def test_a_title_names_nothing_but_parameters(check: str) -> None:
    for language in LANGUAGES:
        title = check_words()[check][language]["title"]
        places = {name for _, name, _, _ in Formatter().parse(title) if name}
        assert places <= CHECKS[check].parameters.keys(), language


@pytest.mark.parametrize("check", CHECKS)
def test_a_parameter_is_called_as_nothing_that_every_criterion_has(check: str) -> None:
    assert not CHECKS[check].parameters.keys() & OF_EVERY_CRITERION


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_has_a_place_of_its_own_and_a_test(check: str) -> None:
    assert [each.order for each in CHECKS.values()].count(CHECKS[check].order) == 1
    assert (Path(__file__).parent / "checks" / f"test_{file_name(check)}.py").is_file()


TELL = """
import upcall_grader
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.texts.default_rubric import default_rubric_text
from upcall_grader.texts.wording import Wording
print(upcall_grader.__file__)
print(*(Wording("id").title(criterion) for criterion in DEFAULT.criteria), sep="\\n")
print(default_rubric_text(), end="")
"""


def test_checks_and_words_are_found_in_a_zip(tmp_path: Path) -> None:
    packed = tmp_path / "grader.zip"
    with zipfile.ZipFile(packed, "w") as file:
        for path in sorted((SOURCE / "upcall_grader").rglob("*.*")):
            if path.suffix in (".py", ".toml"):
                file.write(path, path.relative_to(SOURCE))
    done = subprocess.run(
        [sys.executable, "-c", TELL],
        env={"PYTHONPATH": str(packed), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    place, *lines = done.stdout.splitlines()
    assert place.startswith(str(packed))
    titles = [Wording("id").title(criterion) for criterion in DEFAULT.criteria]
    assert lines == [*titles, *default_rubric_text().splitlines()]
