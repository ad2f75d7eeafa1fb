"""Tests on lab hosts: one at a time on each, and none that pass by doing nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
CONFTEST = """
from tests.support.on_lab_hosts import pytest_configure, pytest_generate_tests
"""
WHERE = """
import os, pathlib

def test_{0}(_lab_host):
    with (pathlib.Path(__file__).parent / _lab_host).open("a") as file:
        print("{0}", os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def run_pytest(top: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (top / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(top)]
    return subprocess.run(
        [*command, "--import-mode=importlib", *options, str(top)],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


def test_each_lab_host_is_tested_by_one_process_in_the_order_of_the_tests(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"test_{name}.py").write_text(WHERE.format(name))
    done = run_pytest(tmp_path, "--numprocesses=2")
    assert done.returncode == 0, done.stdout
    ran = [(tmp_path / host).read_text().split() for host in ("lab-debian-12", "lab-debian-13")]
    assert [words[::2] for words in ran] == [["a", "b", "c"]] * 2
    workers = [set(words[1::2]) for words in ran]
    assert [len(worker) for worker in workers] == [1, 1]
    assert workers[0] != workers[1]


def test_a_folder_in_which_every_test_skips_itself_fails_the_run(tmp_path: Path) -> None:
    for name, does in {"idle": "import pytest; pytest.skip()", "busy": "pass"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / f"test_{name}.py").write_text(f"def test_{name}():\n    {does}\n")
    done = run_pytest(tmp_path)
    assert done.returncode != 0
    assert "idle: no test passed" in done.stdout
    assert "busy: no test passed" not in done.stdout
    (tmp_path / "idle" / "test_idle.py").unlink()
    assert run_pytest(tmp_path).returncode == 0
