"""The pages for students' own laptops, and clones on Windows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.handout import steps
from tests.support.loading import TOP
from upcall_grader.languages import LANGUAGES

PAGES = {language: TOP / "docs" / f"laptop.{language}.md" for language in LANGUAGES}


def commands(page: Path) -> list[str]:
    """Return what a page has readers type, without what is theirs to fill in."""
    text = page.read_text("utf-8")
    lines = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    lines += re.findall(
        r"`((?:sudo|docker|git|wsl|make|touch|ps|explorer\.exe|open)\b[^`]*)`", text
    )
    return sorted(re.sub(r'<[^>]*>|(?<=-m )"[^"]*"', "…", line) for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_one_way(language: str) -> None:
    english, other = PAGES["en"], PAGES[language]
    assert steps(english) == steps(other)
    assert commands(english) == commands(other) != []


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_links_lead_somewhere_and_the_handout_names_it(language: str) -> None:
    text = PAGES[language].read_text("utf-8")
    slugs = {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^## (.+)$", text, re.MULTILINE)
    }
    links = [link.split() for link in re.findall(r"\]\(([^)]+)\)", text)]
    for (link,) in links:
        assert link[1:] in slugs if link.startswith("#") else (TOP / "docs" / link).is_file()
    handout = (TOP / "docs" / f"handout.{language}.md").read_text("utf-8")
    assert f"docs/laptop.{language}.md" in handout


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_refusal_that_it_explains_is_the_compose_file_s(language: str) -> None:
    refusal = "Another capture is still running"
    assert f"**`{refusal}`**" in PAGES[language].read_text("utf-8")
    assert f'"{refusal}.' in (TOP / "compose" / "upcall.yml").read_text("utf-8")


def test_git_for_windows_keeps_line_ends_and_captures(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    for name in (".gitattributes", "Makefile"):
        shutil.copy(TOP / name, origin)
    (origin / "upcall.pcap").write_bytes(b"as\r\nit\nwas\r\n")
    env = os.environ | {
        f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    windows = ["git", "-c", "core.autocrlf=true"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*windows, *command], cwd=origin, env=env, check=True)
    subprocess.run([*windows, "clone", "-q", str(origin), str(clone)], env=env, check=True)
    assert (clone / "Makefile").read_bytes() == (TOP / "Makefile").read_bytes()
    assert (clone / "upcall.pcap").read_bytes() == b"as\r\nit\nwas\r\n"
