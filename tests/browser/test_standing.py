"""What colour a result has: green only where all points were reached, on a screen and on paper."""

import re
import shutil
import typing as t
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import PHONE, SCHEMES, Scheme, bars, too_wide
from tests.support.loading import TOP
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.pages import write_report

CAPTURES = {"complete": 100, "reset": 75, "refused": 10}
RESULT = {
    ".result": "borderLeftColor",
    ".result .verdict": "color",
    ".result .meter .fill": "fill",
}
Media = t.Literal["screen", "print"]


@pytest.fixture(scope="module", params=LANGUAGES)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    captures, out = tmp_path_factory.mktemp("captures"), tmp_path_factory.mktemp("out")
    for name in CAPTURES:
        shutil.copy(TOP / "tests" / "corpus" / f"{name}.pcap", captures)
    assessment = assess(captures, DEFAULT)
    assert {one.owner.student: one.points for one in assessment.submissions} == CAPTURES
    write_report(assessment, captures, out, request.param)
    return out / "report"


def is_green(page: Page, selector: str, property_: str) -> bool:
    colour = page.locator(selector).first.evaluate(
        "(element, property) => getComputedStyle(element)[property]", property_
    )
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return green > max(red, blue)


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_result_is_green_only_with_all_points(
    browser: Browser, report: Path, scheme: Scheme, media: Media
) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    page.emulate_media(media=media)
    for name in CAPTURES:
        page.goto((report / "students" / f"{name}.html").as_uri())
        told = {selector: is_green(page, selector, of) for selector, of in RESULT.items()}
        assert told == dict.fromkeys(RESULT, name == "complete"), name
    page.goto((report / "index.html").as_uri())
    for name in CAPTURES:
        badge = f"tr:has(a[href$='/{name}.html']) .verdict"
        assert is_green(page, badge, "color") == (name == "complete"), name
    assert not is_green(page, ".counts .graded", "borderTopColor")
    context.close()


def test_nothing_bars_people_on_a_phone(browser: Browser, report: Path) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    for name in CAPTURES:
        page.goto((report / "students" / f"{name}.html").as_uri())
        assert bars(page) == ""
        assert too_wide(page) == []
    context.close()
