"""Makes ``selfcheck/upcall-check.html``, the grader as one file for a student's browser.

The same sources and libraries give the same bytes.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jinja2
from markupsafe import Markup

from scripts.selfcheck.contents import TEMPLATES, Contents, contents
from scripts.selfcheck.output import FOLDER, write
from scripts.selfcheck.pyodide import HERE, Pyodide
from upcall_grader.command_line import Parser
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.rendering import STYLE, source_hash
from upcall_grader.texts import load
from upcall_grader.troubles import TroubleError
from upcall_text.plain import escape_unprintable

NAME = "upcall-check.html"


class Licence(NamedTuple):
    """The terms under which a part of the page is passed on."""

    part: str
    text: str


def main() -> int:
    """Write the file, and say where and whether it is another one than before."""
    parser = Parser(description="Make selfcheck/upcall-check.html for students.")
    parser.add_argument("--rubric", metavar="FILE", type=Path, help="YAML file (default: built in)")
    options = parser.parse_args()
    try:
        html = page(options.rubric)
    except TroubleError as error:
        print(f"selfcheck: {escape_unprintable(str(error))}", file=sys.stderr)
        return 2
    print(write(FOLDER / NAME, html.encode()))
    return 0


def page(rubric: Path | None = None) -> str:
    """Return the page; it judges by ``rubric``, or by the default one.

    Raises:
        RubricError: the rubric cannot be used.
        ToolError: npm or node is not there, or failed.
    """
    python, files = Pyodide(), contents(rubric)
    terms = list(licences(python, files))
    files["in_browser.py"] = (HERE / "in_browser.py").read_bytes()
    blocks = {
        "code": _worker(python).encode(),
        "wasm": (python.folder / "pyodide.asm.wasm").read_bytes(),
        "library": python.library(files),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["source"] = source_hash
    return environment.get_template("page.html.j2").render(
        words={
            language: {
                code: text["text"] for code, text in load("selfcheck_page", language).items()
            }
            for language in LANGUAGES
        },
        script=_trusted(HERE / "page.js"),
        style=_trusted(TEMPLATES / "page.css", HERE / "page.css"),
        report_style=_trusted(*(TEMPLATES / name for name in STYLE)),
        blocks={name: letters(data) for name, data in blocks.items()},
        licences=terms,
    )


def _worker(python: Pyodide) -> str:
    """Return the program of the worker: Pyodide's own, and ours behind it."""
    lock = json.dumps({"info": python.info, "packages": {}})
    ours = (HERE / "worker.js").read_text("utf-8")
    return "\n".join(
        (
            python.text("pyodide.asm.js"),
            python.text("pyodide.js"),
            f"const LOCK = {lock};",
            ours,
        )
    )


def _trusted(*files: Path) -> Markup:
    # The page's policy lets exactly these bytes run.
    return Markup("".join(file.read_text("utf-8") for file in files))  # noqa: S704


def letters(data: bytes) -> str:
    """Return data in the gzip format (RFC 1952), in Base64.

    The header is zlib's own, always the same; that of the module gzip depends on Python's version.
    """
    packer = zlib.compressobj(9, wbits=31)
    return base64.b64encode(packer.compress(data) + packer.flush()).decode()


def licences(python: Pyodide, files: Contents) -> Iterator[Licence]:
    """Yield the terms of each part: from its own package, or from here where that has none."""
    version, home = python.package["version"], python.package["homepage"]
    where = f"The source code: {home}/tree/{version}\n\n"
    terms = {file.stem: file.read_text("utf-8") for file in (HERE / "licences").iterdir()}
    yield Licence(f"Pyodide {version}", where + terms["MPL-2.0"])
    yield Licence(f"CPython {python.info['python']}", terms["CPython"])
    for name, text in files.items():
        if name.startswith("licences/"):
            yield Licence(Path(name).stem, text.decode())


if __name__ == "__main__":
    sys.exit(main())
