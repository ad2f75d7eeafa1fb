"""The README's pictures: those that ``make pictures`` makes, each there, told in words, and small.

Fonts differ from machine to machine, so the pictures' bytes are not compared.
"""

import re
import struct
from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.pictures import FOLDER, PICTURES, graded, take
from tests.support.loading import TOP

LARGEST = 120_000  # bytes


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Width and height of each picture, from its header (PNG, section 11.2.1)."""
    return {
        file.name: struct.unpack_from(">II", file.read_bytes(), 16)
        for file in sorted(folder.iterdir())
    }


def test_the_command_makes_the_pictures_that_are_there(browser: Browser, tmp_path: Path) -> None:
    made = tmp_path / "images"
    take(browser, graded(tmp_path), made)
    assert sizes(made) == sizes(FOLDER)
    assert {name: (picture.width, picture.height) for name, picture in PICTURES.items()} == sizes(
        made
    )
    # An empty page would be a few kilobytes.
    small = {file.name for file in made.iterdir() if file.stat().st_size < LARGEST / 4}
    assert small == set()


def test_the_readme_shows_each_picture_and_tells_it_in_words() -> None:
    shown = re.findall(
        r"!\[([^]]*)\]\(docs/images/([^)]+)\)", (TOP / "README.md").read_text("utf-8")
    )
    assert sorted(name for _, name in shown) == sorted(PICTURES)
    assert [name for words, name in shown if len(words.split()) < 8] == []
    large = [name for name in PICTURES if (FOLDER / name).stat().st_size > LARGEST]
    assert large == []
