"""Pages as text: nothing is written, and only the capture that is drawn is read."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

from upcall_grader.report.drawing import KINDS
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.student import SYMBOLS
from upcall_grader.texts.wording import Wording
from upcall_text.plain import escape_unprintable

MAX_TEXT = 2000
"""Characters: longer texts are cut; no sentence of the grader is near it."""

CLASS, STUDENT, EXAMPLE = "course.html.j2", "student.html.j2", "example.html.j2"
"""The templates of the page of the class, of a student's page, and of the handouts' picture."""
# page.css and ladder.css are what the handouts' pages have as well (scripts/handouts.py).
STYLE = ("page.css", "ladder.css", "style.css")
"""The files of ``templates`` that make the style of a page."""
_INLINED = {
    "style_css": STYLE,
    "sort_js": ("sort.js",),
    "copy_js": ("copy.js",),
}


class Pages:
    """The pages of one language, as HTML. The same results and files give the same text."""

    def __init__(self, language: str) -> None:
        self.phrases, self.wording = Phrases(language), Wording(language)
        self._environment = _environment(self.phrases)

    def html(self, template: str, page: object) -> str:
        """Return what ``template``, a file of ``templates``, makes of ``page``."""
        return self._environment.get_template(template).render(page=page)


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
        environment.globals[f"{code}_hash"] = source_hash(text)
    return environment


def _escaped(value: object) -> object:
    """Return what a template prints without unprintable characters; its own Markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return escape_unprintable(value, MAX_TEXT)
    return value


def source_hash(text: str) -> str:
    """Return a source expression of the Content Security Policy (CSP level 3, section 2.3.1)."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
