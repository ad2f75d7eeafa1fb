"""Pages as text: nothing is written, and only the capture that is drawn is read."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from upcall_grader.judge.results import Assessment, Submission
from upcall_grader.judge.rubric import Rubric
from upcall_grader.report.course import course_page
from upcall_grader.report.drawing import KINDS
from upcall_grader.report.example import example_page
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.student import SYMBOLS, StudentPage, student_page
from upcall_grader.texts.wording import Wording
from upcall_text.plain import escape_unprintable

MAX_TEXT = 2000
"""Characters: longer texts are cut; no sentence of the grader is near it."""

# page.css and ladder.css are what the handouts' pages have as well (scripts/handouts.py).
_INLINED = {
    "style_css": ("page.css", "ladder.css", "style.css"),
    "sort_js": ("sort.js",),
    "copy_js": ("copy.js",),
}


class Pages:
    """The pages of one language, as HTML. The same results and files give the same text."""

    def __init__(self, language: str) -> None:
        self._phrases, self._wording = Phrases(language), Wording(language)
        self._environment = _environment(self._phrases)

    def of_class(self, assessment: Assessment, names: Sequence[str]) -> str:
        """Return the page of the class; ``names`` are the files of the students' pages."""
        page = course_page(assessment, names, self._phrases, self._wording)
        return self._environment.get_template("course.html.j2").render(page=page)

    def of_student(
        self, submission: Submission, rubric: Rubric, directory: Path, copied: bool
    ) -> str:
        """Return a student's page; ``copied``: another submission holds the same capture.

        The connection is drawn from the submission's file below ``directory``.
        """
        return self._student(
            student_page(submission, rubric, directory, copied, self._phrases, self._wording)
        )

    def of_selfcheck(self, submission: Submission, rubric: Rubric, directory: Path) -> str:
        """Return the page of a file that its student checks before handing it in."""
        page = student_page(
            submission, rubric, directory, False, self._phrases, self._wording, selfcheck=True
        )
        return self._student(page)

    def example(self) -> str:
        """Return the diagram of a whole exchange, as a part of a page with the style of these."""
        page = example_page(self._phrases)
        return self._environment.get_template("example.html.j2").render(page=page)

    def _student(self, page: StudentPage) -> str:
        return self._environment.get_template("student.html.j2").render(page=page)


def _environment(phrases: Phrases) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("upcall_grader.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "t": phrases,
        "lang": phrases.language,
        "kinds": KINDS,
        "symbols": SYMBOLS,
    }
    templates = resources.files(__package__).joinpath("templates")
    for code, names in _INLINED.items():
        text = "".join(templates.joinpath(name).read_text("utf-8") for name in names)
        # An inlined file is trusted as it is; the page's policy lets exactly these bytes run.
        environment.globals[code] = Markup(text)  # noqa: S704
        environment.globals[f"{code}_hash"] = _source_hash(text)
    return environment


def _escaped(value: object) -> object:
    """Return what a template prints without unprintable characters; its own Markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape_unprintable(value, MAX_TEXT)
    return value


def _source_hash(text: str) -> str:
    """Return a source expression of the Content Security Policy (CSP level 3, section 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
