"""A page as a browser would take it: elements, text, and the SVG pictures as XML."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

_PANEL = re.compile(r'<svg class="panel.*?</svg>\n(?=<svg class="panel|</figure>)', re.DOTALL)
SVG = "{http://www.w3.org/2000/svg}"
_BLOCKS = {"td", "th", "dt", "dd", "li", "p", "h1", "h2", "h3"}
_VOID = {"meta", "link", "br", "img", "input", "hr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    source: str
    elements: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(element.attributes.get(name) == value for name, value in attributes.items())
        ]

    @property
    def panels(self) -> list[ElementTree.Element]:
        """The ladder's pictures; raises if one is not well-formed XML."""
        drawings = []
        for text in _PANEL.findall(self.source):
            spaced = text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            drawings.append(ElementTree.fromstring(spaced))  # noqa: S314 - made by this project
        return drawings

    @property
    def frames(self) -> list[int]:
        """Frame numbers at the arrows, from the top down."""
        return [
            int(text.text or "")
            for panel in self.panels
            for text in panel.iter(f"{SVG}text")
            if text.get("class") == "number"
        ]

    def said(self, kind: str) -> list[str]:
        """Return all that stands at the arrows in text of one class."""
        return [
            text.text or ""
            for panel in self.panels
            for text in panel.iter(f"{SVG}text")
            if kind in text.get("class", "").split()
        ]


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._page.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._page.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag, f"</{tag}> closes something else"
        if tag in _BLOCKS:
            self._page.text += " "

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data
        if not self._open or self._open[-1].tag not in ("style", "script"):
            self._page.text += data


def read(path: Path) -> Page:
    """Return the page in ``path``; fails where tags are not nested."""
    return parse(path.read_bytes().decode("utf-8"))


def parse(source: str) -> Page:
    """Return the page that ``source`` is; fails where tags are not nested."""
    page = Page(source)
    reader = _Reader(page)
    reader.feed(page.source)
    reader.close()
    return page
