"""What people see: quiet, sortable, readable on a phone, in the dark, on paper, and by ear."""

import re
import zlib
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, ViewportSize

from tests.browser.conftest import STUDENTS, addresses
from upcall_grader.texts import LANGUAGES

Scheme = Literal["light", "dark"]
PHONE = ViewportSize(width=320, height=640)


def column(page: Page, number: int) -> list[str]:
    cells = page.locator(f"table.sortable tbody tr > :nth-child({number})")
    return [text.strip() for text in cells.all_inner_texts()]


def number(text: str) -> float:
    return float(text) if text[0].isdigit() else -1


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_quiet_fetch_nothing_and_name_their_language(
    browser: Browser, reports: dict[str, Path], language: str
) -> None:
    page = browser.new_page()
    said: list[str] = []
    fetched: list[str] = []

    def refuse(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", refuse)
    page.on("request", lambda request: fetched.append(request.url))
    opened = addresses(reports[language])
    for address in opened:
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("h1").count() == 1
    assert said == []
    assert fetched == opened
    page.close()


def test_the_class_sorts_by_mouse_and_by_keyboard(
    browser: Browser, reports: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto((reports["en"] / "index.html").as_uri())
    # Read as words, 92.25 would come behind 92.5.
    page.locator("table.sortable td.figure").evaluate_all(
        "cells => [92.5, 92.25].forEach((points, at) => {"
        " cells[at].textContent = cells[at].dataset.value = points })"
    )
    points = page.get_by_role("button", name="Points of 100")
    head = page.locator("th", has=points)
    given = [number(text) for text in column(page, 5)]
    assert head.get_attribute("aria-sort") is None
    points.click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert [number(text) for text in column(page, 5)] == sorted(given)
    assert sorted(given) != given
    points.focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [number(text) for text in column(page, 5)] == sorted(given, reverse=True)
    page.get_by_role("button", name="Student").focus()
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") is None
    assert column(page, 1) == sorted(column(page, 1))
    page.get_by_role("button", name="Close").click()
    ended = [text[0] for text in column(page, 10)]
    assert ended == sorted(ended, key="\u2013✗?✓".index)
    page.close()


def test_without_script_the_class_is_a_plain_table(
    browser: Browser, reports: dict[str, Path]
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((reports["en"] / "index.html").as_uri())
    assert page.locator("table.sortable tbody tr").count() == 15
    assert page.locator("button").count() == 0
    page.get_by_role("link", name="early").last.click()
    assert page.locator("h1").inner_text() == "early"
    context.close()


def test_a_filter_is_copied_by_its_button(browser: Browser, reports: dict[str, Path]) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((reports["id"] / "students" / "early.html").as_uri())
    field = page.locator(".copyable").nth(1)
    button = field.get_by_role("button")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "button => button.textContent === 'Tersalin'", arg=button.element_handle()
    )
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == field.locator("code").inner_text() == "frame.number in {1..3}"
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_or_400_percent_needs_no_sideways_scrolling(
    browser: Browser, reports: dict[str, Path], language: str
) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    for address in addresses(reports[language]):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
        wider = page.locator("main *").evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0"
            " && getComputedStyle(e).overflowX === 'auto').length"
        )
        assert wider == 0, address
    context.close()


@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_the_ladder_stand_between_its_lines(
    browser: Browser, reports: dict[str, Path], language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 640})
    page = context.new_page()
    for name in ("early", "reset", "hostile"):
        page.goto((reports[language] / "students" / f"{name}.html").as_uri())
        outside = page.locator("svg.panel").evaluate_all(
            """panels => panels.flatMap(panel => {
              const [left, right] = [...panel.querySelectorAll(".life")]
                .map(line => line.getBoundingClientRect().left);
              return [...panel.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                const gutter = text.matches(".number, .time");
                const [from, to] = gutter ? [0, left] : [left - 4, right + 4];
                return box.width && (box.left < from || box.right > to);
              }).map(text => text.textContent);
            })"""
        )
        assert [text for text in outside if "Seq=" not in text or width > 320] == [], name
        assert page.locator("svg.panel text:visible").count() > 20
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_bars_people_in_either_scheme(
    browser: Browser, reports: dict[str, Path], language: str, scheme: Scheme
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if scheme == "dark":
        # The schemes differ in colours alone.
        options["runOnly"] = ["color-contrast"]
    for address in addresses(reports[language], STUDENTS[:3]):
        page.goto(address)
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, address + found.generate_report()
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in re.findall(r"\d+", shade)[:3]) > 3 * 128
    assert light == (scheme == "light")
    context.close()


@pytest.mark.parametrize("name", ["index.html", "students/early.html"])
def test_paper_gets_the_text_dark_on_white(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto((reports["en"] / name).as_uri())
    printed = page.pdf(format="A4")
    assert shown_texts(printed) > 100
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 900})
    style = page.evaluate(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
    )
    assert style == ["rgb(255, 255, 255)", "rgb(23, 32, 43)"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    context.close()


def shown_texts(pdf: bytes) -> int:
    """How often the PDF's pages show text (operators Tj and TJ, ISO 32000-1 section 9.4.3)."""
    count = 0
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            count += len(re.findall(rb"\bT[jJ]\b", zlib.decompress(stream)))
        except zlib.error:
            continue
    return count
