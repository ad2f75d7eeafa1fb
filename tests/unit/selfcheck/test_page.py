"""What upcall-check.html is made of, as far as it shows without a browser (tests/browser)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from scripts.selfcheck.page import letters
from scripts.selfcheck.pyodide import HERE
from tests.support.loading import TOP
from upcall_grader.texts import load


def test_each_word_that_the_page_has_is_used_and_there() -> None:
    html, script = ((HERE / name).read_text("utf-8") for name in ("page.html.j2", "page.js"))
    asked = set(re.findall(r'words\.en\.([a-z-]+)|data-words="([a-z-]+)"', html))
    codes = {code for pair in asked for code in pair if code}
    codes |= set(re.findall(r'said(?:\.|\[")([a-z-]+)', html))
    codes |= set(re.findall(r'say\("([a-z-]+)"', script))
    codes |= {code for _, code in re.findall(r'show\("([a-z]+)", "([a-z-]+)"', script)}
    assert codes == set(load("selfcheck_page", "en"))


def test_what_is_packed_depends_on_no_clock_and_no_python() -> None:
    # 1f 8b, deflate, no flags, no time, slowest, Unix: RFC 1952, section 2.3.
    assert letters(b"same").startswith("H4sIAAAAAAACA")


def test_without_npm_it_says_what_to_install(tmp_path: Path) -> None:
    for program in ("node", "npm"):
        (tmp_path / program).symlink_to("/bin/true")
    told = {}
    for missing in ("node", "npm"):
        (tmp_path / missing).unlink()
        done = subprocess.run(
            [sys.executable, "-m", "scripts.selfcheck.page"],
            cwd=TOP,
            env=os.environ | {"PATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        told[missing] = (done.returncode, done.stdout, done.stderr)
        (tmp_path / missing).symlink_to("/bin/true")
    for missing, said in told.items():
        assert said == (
            2,
            "",
            f"selfcheck: upcall-check.html is made with {missing}, not found here; install the"
            " packages nodejs and npm (docs/troubles.md#no-npm)\n",
        )
