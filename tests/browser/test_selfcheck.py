"""upcall-check.html as students use it: opened as a file, without a network."""

from __future__ import annotations

import base64
import http.server
import io
import re
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from scripts.selfcheck.page import page as make_page
from tests.browser.chromium import (
    PHONE,
    SCHEMES,
    bars,
    tab_stops,
    tab_to,
    too_wide,
    watched,
)
from tests.browser.firefox import firefox
from tests.unit.corpus.judging import COMPLETE, CORPUS, RUBRIC
from tests.unit.selfcheck.test_pyz import KINDS
from upcall_grader.languages import LANGUAGES
from upcall_grader.selfcheck.checking import check_file

SECONDS = 1000.0
LONG = 120 * SECONDS
CAPTURES = sorted(CORPUS.glob("*.pcap*")) + sorted(KINDS.glob("*.pcap*"))
# What Chromium says of the grader's page, whose script may not run in the frame.
SANDBOXED = "Blocked script execution in 'about:srcdoc'"
OWN_RUBRIC = """\
criteria:
  - {id: traffic, check: traffic, points: 3}
  - {id: token, check: token, points: 4}
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page by the default rubric."""
    file = tmp_path_factory.mktemp("selfcheck") / "upcall-check.html"
    file.write_text(make_page(), encoding="utf-8")
    return file


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(locale="en-GB")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, made: Path) -> Page:
    return ready(context, made)


def ready(context: BrowserContext, file: Path) -> Page:
    """Open the page, and wait until it can check."""
    page = context.new_page()
    page.goto(file.as_uri())
    comes_to(page, "ready")
    return page


def comes_to(page: Page, state: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=LONG)


def choose(page: Page, file: Path, state: str = "done") -> None:
    page.set_input_files("input[type=file]", file)
    comes_to(page, state)


def drop(page: Page, *files: Path, at: str = "h1") -> None:
    """Drop files from the desktop onto what is ``at``."""
    box = page.locator(at).bounding_box()
    assert box is not None
    devtools = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        devtools.send(
            "Input.dispatchDragEvent",
            {"type": kind, "x": box["x"] + 20, "y": box["y"] + 20, "data": data},
        )


def shown(page: Page) -> tuple[str | None, float, str | None]:
    """Return verdict, points and the grader's page."""
    result = page.locator("#result")
    points = result.get_attribute("data-points")
    return (
        result.get_attribute("data-verdict"),
        float(points or "nan"),
        result.locator("iframe").get_attribute("srcdoc"),
    )


def judged(file: Path, language: str = "en") -> tuple[str, float, str]:
    checked = check_file(file, RUBRIC, language)
    return str(checked.verdict), checked.points, checked.page


def blocks(html: str) -> dict[str, bytes]:
    """Return what is packed into the page."""
    found = re.findall(r'<script type="text/plain" id="(\w+)">([^<]+)</script>', html)
    return {name: zlib.decompress(base64.b64decode(letters), 31) for name, letters in found}


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_every_capture_is_judged_as_by_the_grader_and_nothing_is_fetched(
    context: BrowserContext, made: Path
) -> None:
    page = context.new_page()
    said, fetched = watched(page)
    page.goto(made.as_uri())
    comes_to(page, "ready")
    for file in CAPTURES:
        first = page.locator("html").get_attribute("lang")
        choose(page, file)
        assert shown(page) == judged(file, first or "")
        [second] = set(LANGUAGES) - {first}
        page.locator(f"button[lang={second}]").click()
        comes_to(page, "done")
        assert shown(page) == judged(file, second)
    assert [text for text in said if not text.startswith(SANDBOXED)] == []
    assert fetched[0] == made.as_uri()
    assert {address.partition(":")[0] for address in fetched[1:]} == {"blob"}


def test_nothing_can_be_sent_not_even_by_a_script_in_the_page_or_the_worker(page: Page) -> None:
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            asked.append(str(self.client_address))
            self.close_connection = True

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{server.server_port}"
    tries = """async address => {
      const ended = [];
      const attempts = {
        fetch: () => fetch(`http://${address}/`),
        request: () => new Promise((resolve, reject) => {
          const request = new XMLHttpRequest();
          request.onload = resolve;
          request.onerror = reject;
          request.open("GET", `http://${address}/`);
          request.send();
        }),
        socket: () => new Promise((resolve, reject) => {
          const socket = new WebSocket(`ws://${address}/`);
          socket.onopen = resolve;
          socket.onerror = reject;
        }),
      };
      for (const [name, attempt] of Object.entries(attempts)) {
        try { await attempt(); ended.push(`${name} was sent`); } catch { ended.push(name); }
      }
      return ended;
    }"""
    try:
        assert page.evaluate(tries, address) == ["fetch", "request", "socket"]
        [worker] = page.workers
        assert worker.evaluate(tries, address)[1:] == ["request", "socket"]
    finally:
        server.shutdown()
        server.server_close()
    assert asked == []


def test_dropped_chosen_and_chosen_again_it_is_the_same(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes(COMPLETE.read_bytes())
    drop(page, file)
    comes_to(page, "done")
    assert shown(page) == judged(file)
    # Over the result of the first one, and captured anew meanwhile.
    file.write_bytes((CORPUS / "reset.pcap").read_bytes())
    drop(page, file, at="iframe")
    expect(page.locator("#result")).to_have_attribute("data-points", "75", timeout=LONG)
    comes_to(page, "done")
    assert shown(page) == judged(file)
    file.write_bytes((CORPUS / "mid-stream.pcap").read_bytes())
    choose(page, file)
    assert shown(page) == judged(file)
    page.locator("iframe").evaluate("frame => { frame.id = 'earlier'; }")
    # A browser tells of the same file again only where the earlier choice is forgotten.
    assert page.locator("input[type=file]").input_value() == ""
    choose(page, file)
    assert page.locator("#earlier").count() == 0
    assert shown(page) == judged(file)


def test_the_language_is_switched_for_a_file_that_is_gone_already(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "upcall.pcap"
    file.write_bytes(COMPLETE.read_bytes())
    choose(page, file)
    expected = judged(file, "id")
    file.unlink()
    page.get_by_role("button", name="Bahasa Indonesia").press("Enter")
    expect(page.locator("iframe")).to_have_attribute("title", "Isi upcall.pcap", timeout=LONG)
    assert shown(page) == expected
    assert page.title() == page.locator("h1").inner_text() == "Periksa rekaman Anda"
    assert page.locator("html").get_attribute("lang") == "id"
    assert page.locator("[aria-pressed=true]").inner_text() == "Bahasa Indonesia"


def test_it_begins_in_the_language_of_the_browser(browser: Browser, made: Path) -> None:
    context = browser.new_context(locale="id-ID")
    page = ready(context, made)
    assert page.locator("#status").inner_text() == "Siap."
    context.close()


def test_what_is_no_capture_is_told_what_it_is(page: Page, tmp_path: Path) -> None:
    said, _ = watched(page)
    for name, content, verdict in (
        ("upcall.pcap", b"", "empty"),
        ("report.pdf", b"%PDF-1.7\n" + bytes(2000), "unreadable"),
        ("manifest.json", b'{"student": "2110001"}', "unreadable"),
        ("<img src=x onerror=alert(1)>.pcap", b"?", "unreadable"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        choose(page, file)
        assert shown(page) == judged(file)
        assert shown(page)[:2] == (verdict, 0)
        assert name in page.locator("#status").inner_text()
        assert name in page.frame_locator("iframe").locator("main").inner_text()
    assert [text for text in said if not text.startswith(SANDBOXED)] == []


def test_what_cannot_be_checked_says_why_and_the_next_file_is_checked(
    page: Page, tmp_path: Path
) -> None:
    large = tmp_path / "large.pcap"
    with large.open("wb") as stream:
        stream.truncate(256 * 2**20 + 1)
    choose(page, COMPLETE)
    choose(page, large, "failed")
    assert "larger than 256 MB" in page.locator("#status").inner_text()
    assert page.locator("#result").get_attribute("data-verdict") is None
    assert page.locator("iframe").count() == 0
    drop(page, COMPLETE, COMPLETE)
    expect(page.locator("#status")).to_contain_text("several files")
    comes_to(page, "failed")
    drop(page, tmp_path)
    expect(page.locator("#status")).to_contain_text("choose the file again")
    comes_to(page, "failed")
    choose(page, COMPLETE)
    assert shown(page) == judged(COMPLETE)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a capture that takes long: one connection's packets, again and again."""
    data = COMPLETE.read_bytes()
    file = tmp_path_factory.mktemp("slow") / "slow.pcap"
    with file.open("wb") as stream:
        stream.write(data)
        for _ in range(10_000):
            stream.write(data[24:])
    return file


def test_a_long_check_shows_how_far_it_is_and_can_be_stopped(page: Page, slow: Path) -> None:
    stop = page.get_by_role("button", name="Stop")
    assert stop.is_hidden()
    choose(page, slow, "checking")
    expect(page.locator("progress")).to_have_attribute("value", re.compile(r"^[1-9]"), timeout=LONG)
    stop.press("Enter")
    comes_to(page, "ready")
    assert stop.is_hidden()
    assert page.evaluate("document.activeElement.id") == "file"
    assert page.locator("#result").get_attribute("data-verdict") is None
    choose(page, COMPLETE)
    assert shown(page) == judged(COMPLETE)


def test_another_language_or_file_takes_the_place_of_a_long_check(page: Page, slow: Path) -> None:
    begun = re.compile(r"^[1-9]")
    choose(page, slow, "checking")
    expect(page.locator("progress")).to_have_attribute("value", begun, timeout=LONG)
    page.get_by_role("button", name="Bahasa Indonesia").click()
    comes_to(page, "done")
    assert shown(page) == judged(slow, "id")
    choose(page, slow, "checking")
    expect(page.locator("progress")).to_have_attribute("value", begun, timeout=LONG)
    choose(page, COMPLETE)
    assert shown(page) == judged(COMPLETE, "id")


def test_by_keyboard_alone_a_file_is_chosen_and_the_licences_are_read(page: Page) -> None:
    stops = list(tab_stops(page))
    assert [stop.name for stop in stops] == ["English", "Bahasa Indonesia", "", "Licences"]
    assert all(stop.seen for stop in stops)
    page.locator("input[type=file]").focus()
    outline = "label => getComputedStyle(label).outlineStyle"
    assert page.locator("label").evaluate(outline) == "solid"
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files(COMPLETE)
    comes_to(page, "done")
    tab_to(page, "Licences")
    page.keyboard.press("Enter")
    text = page.locator("details").inner_text()
    for part in ("Pyodide 0.29", "Mozilla Public License Version 2.0", "CPython 3.13", "PSF"):
        assert part in text
    for part in ("upcall-lab", "Jinja2", "MarkupSafe", "dpkt", "PyYAML"):
        assert part in page.locator("details h2").all_inner_texts()


def barriers(page: Page) -> list[object]:
    """Return what bars people, or is too wide, on a phone and a desktop, by day and by night."""
    found: list[object] = []
    for width in (PHONE["width"], 1280):
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found += [bars(page), *too_wide(page)]
    return [one for one in found if one]


def test_nothing_bars_people_and_nothing_is_too_wide(context: BrowserContext, made: Path) -> None:
    page = context.new_page()
    page.goto(made.as_uri())
    page.locator("summary").click()
    assert barriers(page) == []
    comes_to(page, "ready")
    choose(page, CORPUS / "reset.pcap")
    assert barriers(page) == []
    inside = page.frames[1]
    # The frame is as high as the page in it, at any width: there is one thing to scroll.
    for width in (1280, PHONE["width"]):
        page.set_viewport_size({"width": width, "height": PHONE["height"]})
        height = inside.evaluate("Math.ceil(document.body.getBoundingClientRect().height)")
        expect(page.locator("iframe")).to_have_css("height", f"{height}px")
        assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drop(page, COMPLETE, COMPLETE)
    comes_to(page, "failed")
    assert barriers(page) == []


def test_it_judges_by_the_rubric_that_it_was_made_with_and_is_made_the_same_each_time(
    context: BrowserContext, made: Path, tmp_path: Path
) -> None:
    rubric, file = tmp_path / "rubric.yml", tmp_path / "own.html"
    rubric.write_text(OWN_RUBRIC, encoding="utf-8")
    file.write_text(make_page(rubric), encoding="utf-8")
    page = ready(context, file)
    choose(page, COMPLETE)
    assert shown(page)[:2] == ("graded", 3)
    own, usual = (blocks(path.read_text("utf-8")) for path in (file, made))
    added, other = unzipped(own.pop("library")), unzipped(usual.pop("library"))
    assert own == usual
    both = added.keys() & other.keys()
    assert {name: added[name] for name in both} == {name: other[name] for name in both}
    # What it takes to read a rubric is compiled only where there is one.
    compiled = {name for name in added.keys() - both if name.endswith(".pyc")}
    assert added.keys() - both - compiled == {"upcall_grader/selfcheck/rubric.json"}
    assert other.keys() - both == {name.removesuffix("c") for name in compiled}


def test_firefox_judges_the_same_in_both_languages(made: Path, tmp_path: Path) -> None:
    result = "document.getElementById('result')"
    inside = f"{result}.firstChild.contentDocument"
    language = "en"
    with firefox(tmp_path) as browser:
        browser.open(made)
        browser.wait("document.body.dataset.state === 'ready'")
        for file in (COMPLETE, CORPUS / "reset.pcap", CORPUS / "printed.pcap"):
            browser.type("input[type=file]", str(file))
            for is_first in (True, False):
                browser.wait("document.body.dataset.state === 'done'")
                verdict, points, page = judged(file, language)
                told = {"verdict": verdict, "points": f"{points:g}"}
                assert browser.value(f"{{...{result}.dataset}}") == told
                assert browser.value(f"{result}.firstChild.srcdoc") == page
                browser.wait(f"{inside}.body.offsetHeight <= {inside}.defaultView.innerHeight")
                style = f"getComputedStyle({inside}.querySelector('.card')).borderTopLeftRadius"
                assert browser.value(style) == "12px"
                if is_first:
                    [language] = set(LANGUAGES) - {language}
                    browser.type(f"button[lang={language}]", " ")
