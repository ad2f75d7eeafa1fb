#!/usr/bin/env python3
"""Makes a page of each handout, ``docs/handout.<language>.md``: one HTML file that needs nothing.

The pages are read in a browser, on a phone, and on paper; they fetch nothing, and their only script
copies a block's commands. A command block's first line in the Markdown names its terminal
(```` ```console server ````); on the page the terminals are numbered in the order in which they are
met, as the handouts' text counts them.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from upcall_grader.report.example import example_page
from upcall_grader.report.phrases import Phrases
from upcall_grader.report.rendering import EXAMPLE, Pages, source_hash

TOP = Path(__file__).resolve().parent.parent
OUT = TOP / "handouts"
TEMPLATES = "src/upcall_grader/report/templates"
# The first two are shared with the pages of the report.
STYLES = (f"{TEMPLATES}/page.css", f"{TEMPLATES}/ladder.css", "scripts/handouts.css")
SCRIPT = f"{TEMPLATES}/copy.js"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src {script_hash}"
PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body data-copy="{copy}" data-copied="{copied}">
<main>
{body}</main>
<script>{script}</script>
</body>
</html>
"""


class Renderer(RendererHTML):
    """Markdown's usual HTML, but for command blocks."""

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Return a command block: headed by its terminal, reached by keyboard, not translated."""
        del options, env
        name = f"block-{idx}"
        shown = "".join(_line(line) for line in tokens[idx].content.splitlines(keepends=True))
        kind = "terminal copyable" if "<b " in shown else "terminal"
        return (
            f'<figure class="{kind}">\n'
            f'<figcaption><span id="{name}">Terminal {_number(tokens, idx)}</span></figcaption>\n'
            f'<pre role="group" tabindex="0" aria-labelledby="{name}" translate="no"><code>'
            f"{shown}</code></pre>\n</figure>\n"
        )


def _picture(language: str) -> str:
    """Return the diagram of a whole exchange, as a part of a page with the style of the report."""
    pages = Pages(language)
    return pages.html(EXAMPLE, example_page(pages.phrases))


def _number(tokens: Sequence[Token], idx: int) -> str:
    """Return which terminal the block is for; what precedes the first step is for all of them."""
    terminals = list(dict.fromkeys(token.info for token in tokens if token.type == "fence"))
    if not any(token.tag == "h2" for token in tokens[:idx]):
        return f"1\u2013{len(terminals)}"
    return str(terminals.index(tokens[idx].info) + 1)


def _line(line: str) -> str:
    """Return a line of a command block; what is typed at the shell stands out."""
    if line.startswith("$ "):
        return f'$ <b class="to-copy">{html.escape(line[2:-1], quote=False)}</b>\n'
    return html.escape(line, quote=False)


def page(markdown: str, language: str, style: str, script: str) -> str:
    """Return the page of one handout, with a picture of the exchange before its first step."""
    parser = MarkdownIt("commonmark", renderer_cls=Renderer).enable("table")
    tokens = parser.parse(markdown)
    for opening, inside, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not inside.content:
            # An empty head names nothing.
            opening.tag = closing.tag = "td"
    first_step = next(number for number, token in enumerate(tokens) if token.tag == "h2")
    picture = Token("html_block", "", 0, content=_picture(language))
    tokens.insert(first_step, picture)
    body = parser.renderer.render(tokens, parser.options, {})
    phrases = Phrases(language)
    return PAGE.format(
        language=language,
        title=html.escape(tokens[1].content, quote=False),
        style=style,
        script=script,
        policy=POLICY.format(script_hash=source_hash(script)),
        copy=phrases("copy.button"),
        copied=phrases("copy.done"),
        body=body,
    )


def make(out: Path = OUT) -> list[Path]:
    """Write the page of each handout into ``out``; returns the files."""
    style = "".join((TOP / name).read_text(encoding="utf-8") for name in STYLES)
    script = (TOP / SCRIPT).read_text(encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for handout in sorted((TOP / "docs").glob("handout.*.md")):
        language = handout.stem.partition(".")[2]
        file = out / f"{handout.stem}.html"
        text = page(handout.read_text(encoding="utf-8"), language, style, script)
        file.write_text(text, encoding="utf-8", newline="\n")
        made.append(file)
    return made


if __name__ == "__main__":
    for path in make():
        print(path)
