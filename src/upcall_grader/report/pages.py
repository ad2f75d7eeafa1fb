"""``write_report``: the page of the class and the students' pages, as files that need nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path

import jinja2
from markupsafe import Markup

from upcall_files.whole import make_folder, save
from upcall_grader.judge.earlier_results import MARKER, REPORT
from upcall_grader.judge.results import Assessment
from upcall_grader.report.course import course_page
from upcall_grader.report.drawing import KINDS
from upcall_grader.report.names import page_names
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.student import SYMBOLS, student_page
from upcall_grader.texts.wording import Wording
from upcall_text.plain import escape_unprintable

MAX_TEXT = 2000
"""Characters: longer texts are cut; no sentence of the grader is near it."""
_MARKED = b"Written by upcall-grade, which replaces this whole folder at its next run.\n"

# page.css is what the handouts' pages have as well (scripts/handouts.py).
_INLINED = {
    "style_css": ("page.css", "style.css"),
    "sort_js": ("sort.js",),
    "copy_js": ("copy.js",),
}


def write_report(assessment: Assessment, directory: Path, out: Path, language: str) -> None:
    """Write ``out/report``: ``index.html``, and ``students/<name>.html`` for each submission.

    ``directory`` is the folder that was graded: the connections are drawn from its files. The same
    assessment and files give the same bytes. The folder is new, and for its owner alone.

    Raises:
        OSError: it is there already, or ``out`` cannot be written.
    """
    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = out / REPORT
    make_folder(place)
    save(place / MARKER, _MARKED)
    phrases, wording = Phrases(language), Wording(language)
    environment = _environment(phrases)
    names = page_names(assessment.submissions)
    course = course_page(assessment, names, phrases, wording)
    _save(place / "index.html", environment.get_template("course.html.j2"), course)
    copied = {file for copy in assessment.copies for file in copy.files}
    template = environment.get_template("student.html.j2")
    make_folder(place / "students")
    for submission, name in zip(assessment.submissions, names, strict=True):
        page = student_page(
            submission,
            assessment.rubric,
            directory,
            submission.file in copied,
            phrases,
            wording,
        )
        _save(place / "students" / name, template, page)


def _save(path: Path, template: jinja2.Template, page: object) -> None:
    save(path, template.render(page=page).encode())


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
