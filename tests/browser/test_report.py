"""What people see: quiet, sortable, readable on a phone, in the dark, on paper, and by ear."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import (
    DARK_ON_WHITE,
    PHONE,
    SCHEMES,
    Scheme,
    bars,
    colours,
    cut_off,
    sheets,
    shown_texts,
    tab_stops,
    tab_to,
    too_wide,
    watched,
)
from tests.browser.conftest import STUDENTS, addresses
from upcall_grader.languages import LANGUAGES

# What paper has no use for, and what is meant for the ear alone.
NOT_PRINTED = "nav, .copyable button, .hidden, .for-narrow, svg title, svg desc"


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
    said, fetched = watched(page)
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
        assert too_wide(page) == [], address
    context.close()


@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_of_the_ladder_stand_between_its_lines(
    browser: Browser, reports: dict[str, Path], language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 640})
    page = context.new_page()
    for name in ("early", "late", "reset", "hostile"):
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


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_bars_people_in_either_scheme(
    browser: Browser, reports: dict[str, Path], language: str, scheme: Scheme
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    # The schemes differ in colours alone.
    rules = ["color-contrast"] if scheme == "dark" else []
    for address in addresses(reports[language], STUDENTS[:3]):
        page.goto(address)
        assert bars(page, *rules) == ""
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(part) for part in re.findall(r"\d+", shade)[:3]) > 3 * 128
    assert light == (scheme == "light")
    context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_paper_gets_all_of_the_text_dark_on_white(
    browser: Browser, reports: dict[str, Path], language: str
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    # A row that is longer than a sheet is told in parts, column by column.
    students = [student for student in STUDENTS if student != "hostile"]
    for address in addresses(reports[language], students):
        page.emulate_media(media="null")
        page.goto(address)
        shown = shown_texts(page, NOT_PRINTED)
        assert len(shown) > 5
        printed = "".join(sheets(page))
        assert [text for text in shown if text not in printed] == [], address
        assert cut_off(page, "A4") == [], address
        assert colours(page) == DARK_ON_WHITE
    context.close()


@pytest.mark.parametrize("name", ["index.html", "students/early.html"])
def test_by_keyboard_each_control_is_reached_in_its_order_and_seen(
    browser: Browser, reports: dict[str, Path], name: str
) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto((reports["id"] / name).as_uri())
    controls = page.locator("a, button, [tabindex]").evaluate_all(
        "all => all.map(control => [...document.querySelectorAll('*')].indexOf(control))"
    )
    stops = list(tab_stops(page))
    assert len(stops) > 4
    assert [stop.at for stop in stops] == controls
    assert [stop.name for stop in stops if not stop.seen] == []
    context.close()


def test_by_keyboard_alone_the_class_is_sorted_moved_sideways_and_left_for_a_student(
    browser: Browser, reports: dict[str, Path]
) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto((reports["en"] / "index.html").as_uri())
    tab_to(page, "Points of 100")
    page.keyboard.press("Enter")
    assert page.locator("[aria-sort=ascending]").inner_text().startswith("Points")
    # The table stands one stop before the button of its first column.
    table = page.get_by_role("group", name="All submissions")
    for _ in range(20):
        if table.evaluate("table => table === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    moved = table.evaluate("table => table.scrollLeft")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("moved => document.activeElement.scrollLeft > moved", arg=moved)
    tab_to(page, "reset")
    page.keyboard.press("Enter")
    page.wait_for_url("**/students/reset.html")
    context.close()
