"""Debian's Chromium, and what tests look at in it: what a page says, bars, shows and prints."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, ViewportSize, sync_playwright

Scheme = t.Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# A small phone; a desktop's 1280 at 400 % is as narrow (WCAG 2.2, 1.4.10).
PHONE = ViewportSize(width=320, height=640)
Paper = t.Literal["A4", "A5"]
# CSS pixels between margins of 14 mm.
_TEXT_WIDTHS: dict[Paper, int] = {"A4": 688, "A5": 453}
DARK_ON_WHITE = ["rgb(255, 255, 255)", "rgb(23, 32, 43)"]
# Nothing of the browser's own may reach out.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_VISIBLE_TEXTS = """left_out => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (element.checkVisibility() && !element.closest(left_out)) {
      texts.push(walker.currentNode.textContent);
    }
  }
  return texts;
}"""
_FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return {
    at: [...document.querySelectorAll("*")].indexOf(element),
    name: element.textContent.trim(),
    outlined: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


class Stop(t.NamedTuple):
    """Where Tab stops: which element of the page, its text, and whether it can be seen there."""

    at: int
    name: str
    seen: bool


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium with a new profile."""
    with sync_playwright() as playwright:
        path = program("chromium", "chromium")
        started = playwright.chromium.launch(executable_path=path, args=list(_QUIET))
        yield started
        started.close()


def program(name: str, package: str) -> str:
    """Return where the program is; without it the test fails and says what to install."""
    path = shutil.which(name)
    if path is None:
        pytest.fail(f"{name} is not there: apt-get install {package}")
    return path


def watched(page: Page) -> tuple[list[str], list[str]]:
    """Return what the page will say, in its console or a dialog, and what it will fetch."""
    said: list[str] = []
    fetched: list[str] = []

    def refuse(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", refuse)
    page.on("request", lambda request: fetched.append(request.url))
    return said, fetched


def bars(page: Page, *rules: str) -> str:
    """Return the barriers that axe-core finds, by these rules or by all of its own; "" is none."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    axe = Axe().run(page, options=options)
    return f"{page.url}: {axe.generate_report()}" if axe.violations_count else ""


def too_wide(page: Page) -> list[str]:
    """Return what is too wide and cannot be scrolled to by keyboard; the page itself first."""
    wide: list[str] = page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll("main *")]
          .filter(e => e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0
            && (e === document.documentElement || getComputedStyle(e).overflowX === "auto"))
          .map(e => e.outerHTML.slice(0, 80))"""
    )
    return wide


def tab_stops(page: Page) -> Iterator[Stop]:
    """Press Tab, again and again, until the focus has left the page."""
    known: set[int] = set()
    while True:
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None:
            return
        stop = Stop(focused["at"], focused["name"], focused["outlined"] and focused["inside"])
        assert stop.at not in known, f"the focus is caught: {stop}"
        known.add(stop.at)
        yield stop


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this text is focused."""
    assert any(stop.name == name for stop in tab_stops(page)), f"Tab does not reach {name}"


def shown_texts(page: Page, left_out: str = "template") -> list[str]:
    """Return each visible piece of text, without spaces, but for what is in ``left_out``."""
    return [text for piece in page.evaluate(_VISIBLE_TEXTS, left_out) if (text := solid(piece))]


def cut_off(page: Page, paper: Paper) -> list[str]:
    """Return what is wider than its place where there is no scrolling, on this paper.

    The page's media and size are other ones from here on.
    """
    page.emulate_media(media="print")
    page.set_viewport_size({"width": _TEXT_WIDTHS[paper], "height": 900})
    clipped: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("html, pre, .wide")]
          .filter(e => e.scrollWidth > e.clientWidth).map(e => e.outerHTML.slice(0, 80))"""
    )
    return clipped


def colours(page: Page) -> list[str]:
    """Return the page's ground and its text."""
    pair: list[str] = page.locator("body").evaluate(
        "body => [getComputedStyle(body).backgroundColor, getComputedStyle(body).color]"
    )
    return pair


def solid(text: str) -> str:
    """Return the text without its spaces and its letters' case, which differ with the medium."""
    return "".join(text.split()).casefold()


def sheets(page: Page) -> list[str]:
    """Return the text of each printed A4 sheet, without spaces; cut-off text, too."""
    pdftotext = program("pdftotext", "poppler-utils")
    result = subprocess.run(
        [pdftotext, "-raw", "-enc", "UTF-8", "-", "-"],
        input=page.pdf(format="A4"),
        stdout=subprocess.PIPE,
        check=True,
    )
    return [solid(sheet) for sheet in result.stdout.decode().split("\f")[:-1]]
