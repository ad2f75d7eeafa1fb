"""What students read in Indonesian has one vocabulary: the course's own."""

from __future__ import annotations

import re

import pytest

from tests.support.loading import TOP

# By the word that the course does not use: the one that it uses.
OTHERS = {
    "klien": "client",
    "kontainer": "container",
    "antarmuka": "interface",
    "peramban": "browser",
    "pengajar": "dosen",
    "dimampatkan": "dikompres",
}
SOURCES = (
    "docs/*.id.md",
    "roles/lab_upcall/files/*.id.sh",
    "src/upcall_grader/texts/*.id.toml",
    "src/upcall_grader/judge/checks/*.toml",
    "src/upcall_grader/export/feedback.py",
)


@pytest.mark.parametrize("pattern", SOURCES)
def test_one_word_for_one_thing(pattern: str) -> None:
    files = sorted(TOP.glob(pattern))
    assert files
    words = re.compile(rf"\b({'|'.join(OTHERS)})(?:nya)?\b", re.IGNORECASE)
    used = [
        f"{file.name}: {match[0]}, not {OTHERS[match[1].lower()]}"
        for file in files
        for match in words.finditer(file.read_text("utf-8"))
    ]
    assert used == []
