"""The handouts' pages as students meet them: on a screen, on a phone, in the dark, on paper."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

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
    solid,
    tab_stops,
    too_wide,
    watched,
)
from tests.support.handout import steps
from tests.support.loading import TOP, load
from upcall_grader.languages import LANGUAGES

COPIED = {"en": "Copied", "id": "Tersalin"}
_EXCHANGE = ["[PSH,", "[ACK]", "[PSH,", "[ACK]"]
each_language = pytest.mark.parametrize("language", LANGUAGES)
_MARKS = re.compile(r"^(?:#+|-|```.*|\|[ |-]*\|$)|[*`|]", re.MULTILINE)


@pytest.fixture(scope="session")
def handouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the address of each language's page."""
    made = load("scripts/handouts.py").make(tmp_path_factory.mktemp("handouts"))
    return {file.name.split(".")[1]: file.as_uri() for file in made}


def markdown(language: str) -> Path:
    return TOP / "docs" / f"handout.{language}.md"


@each_language
def test_the_page_is_the_handout_in_its_language_and_fetches_nothing(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    page = browser.new_page()
    said, fetched = watched(page)
    page.goto(handouts[language])
    assert (said, fetched) == ([], [handouts[language]])
    assert page.locator("html").get_attribute("lang") == language
    assert page.title() == page.locator("h1").inner_text()
    page.locator("figcaption, .example, script").evaluate_all(
        "all => all.forEach(one => one.remove())"
    )
    assert solid(page.locator("main").text_content() or "") == solid(
        _MARKS.sub("", markdown(language).read_text("utf-8"))
    )
    page.close()


@each_language
def test_the_exchange_is_drawn_before_the_first_step(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    page = browser.new_page()
    page.goto(handouts[language])
    assert page.locator(".example + h2").inner_text().startswith("1. ")
    figure = page.locator("figure.ladder")
    flags = [text.split()[0] for text in figure.locator(".numbers").all_text_contents()]
    assert flags == ["[SYN]", "[SYN,", "[ACK]", *_EXCHANGE, "[FIN,", "[ACK]", "[FIN,", "[ACK]"]
    names = figure.locator(".label").all_text_contents()
    assert len(names) == len(flags) - 2
    page.close()


@each_language
def test_each_command_block_is_there_letter_for_letter_and_names_its_terminal(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    page = browser.new_page()
    page.goto(handouts[language])
    given = steps(markdown(language))
    shown = page.locator("pre").all_text_contents()
    marks = {"shell": "$ "}
    assert "".join(shown).splitlines() == [
        marks.get(step.kind, step.prompt) + step.text for step in given
    ]
    terminals = list(dict.fromkeys(step.terminal for step in given))
    typed = [(step.terminal, step.text) for step in given if step.kind == "shell"][1:]
    for terminal, command in typed:
        figure = page.locator("figure", has_text=command)
        name = f"Terminal {terminals.index(terminal) + 1}"
        assert figure.locator("figcaption span").inner_text() == name
        assert figure.get_by_role("group", name=name, exact=True).count() == 1
    assert page.locator("figcaption span").first.inner_text() == f"Terminal 1\u2013{len(terminals)}"
    page.close()


@each_language
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [PHONE["width"], 1280])
def test_nothing_bars_people_at_any_width_in_either_scheme(
    browser: Browser, handouts: dict[str, str], language: str, scheme: Scheme, width: int
) -> None:
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": PHONE["height"]}
    )
    page = context.new_page()
    page.goto(handouts[language])
    assert bars(page) == ""
    context.close()


@each_language
@pytest.mark.parametrize("width", [PHONE["width"], 360])
def test_on_a_phone_nothing_scrolls_sideways(
    browser: Browser, handouts: dict[str, str], language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": PHONE["height"]})
    page = context.new_page()
    page.goto(handouts[language])
    assert too_wide(page) == []
    scrolling = page.locator("pre").evaluate_all(
        "all => all.filter(block => block.scrollWidth > block.clientWidth).length"
    )
    assert scrolling == 0
    context.close()


@each_language
def test_a_blocks_commands_are_copied_by_its_button(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    context = browser.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(handouts[language])
    command = next(step.text for step in steps(markdown(language)) if "tcpdump" in step.text)
    page.locator("figure", has_text=command).get_by_role("button").click()
    page.locator("figure", has_text=command).get_by_text(COPIED[language]).wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command
    context.close()


@each_language
def test_by_keyboard_alone_each_block_is_reached_and_read_to_its_end(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    context = browser.new_context(viewport={"width": 700, "height": PHONE["height"]})
    page = context.new_page()
    page.goto(handouts[language])
    blocks = [text.strip() for text in page.locator("pre").all_text_contents()]
    reached = []
    for stop in tab_stops(page):
        assert stop.seen, stop
        reached.append(stop.name)
        if page.evaluate("document.activeElement.scrollWidth > document.activeElement.clientWidth"):
            page.keyboard.press("ArrowRight")
            page.wait_for_function("() => document.activeElement.scrollLeft > 0")
    copy = page.locator("body").get_attribute("data-copy")
    assert [name for name in reached if name != copy] == blocks
    assert reached.count(copy or "") == page.locator(".copyable").count()
    page.keyboard.press("End")
    page.wait_for_function(
        "() => scrollY + innerHeight >= document.documentElement.scrollHeight - 1"
    )
    context.close()


@each_language
def test_on_paper_nothing_is_lost_and_no_block_is_torn(
    browser: Browser, handouts: dict[str, str], language: str
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(handouts[language])
    # Nobody presses a button on paper.
    page.locator("button").evaluate_all("all => all.forEach(button => button.remove())")
    printed = sheets(page)
    whole = "".join(printed)
    assert [text for text in shown_texts(page) if text not in whole] == []
    blocks = page.locator("figure.terminal").evaluate_all(
        "all => all.map(block => block.previousElementSibling.innerText + block.innerText)"
    )
    torn = [block for block in blocks if not any(solid(block) in sheet for sheet in printed)]
    assert torn == []
    arrows = page.locator(".example .numbers").all_text_contents()
    assert any(all(solid(arrow) in sheet for arrow in arrows) for sheet in printed)
    assert cut_off(page, "A4") == []
    assert cut_off(page, "A5") == []
    assert colours(page) == DARK_ON_WHITE
    context.close()
