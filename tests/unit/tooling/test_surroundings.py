"""tests/unit/conftest.py keeps what the machine and its user have set from all unit tests."""

from __future__ import annotations

import locale
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
HOSTILE = {
    "ANSIBLE_STDOUT_CALLBACK": "nonsense",
    "BASH_ENV": "/nowhere",
    "COLUMNS": "40",
    "DOCKER_HOST": "tcp://127.0.0.1:9",
    "GIT_DIR": "/nowhere",
    "KEEP": "1",
    "LAB_SOMETHING": "1",
    "LC_ALL": "POSIX",
    "NO_COLOR": "1",
    "PYTHONPATH": "/nowhere",
    "TERM": "tmux-256color",
    "TMUX": "/nowhere,1,0",
    "TZ": "America/New_York",
    "UPCALL_LAB_RUN_FILE": "/nowhere/run.json",
    "XDG_CONFIG_HOME": "/nowhere",
}


def test_the_surroundings_are_the_same(tmp_path: Path) -> None:
    home = Path(os.environ["HOME"])
    assert home != Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert {path.name for path in home.iterdir()} <= {".ansible"}
    assert os.environ.keys() & HOSTILE.keys() == {"LC_ALL", "TZ"}
    assert locale.setlocale(locale.LC_ALL) == "C.UTF-8"
    assert time.strftime("%Z", time.localtime(0)) == "WIB"
    assert shutil.which("ansible-playbook") == str(Path(sys.executable).parent / "ansible-playbook")
    (tmp_path / "file").touch()
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_they_are_so_whatever_the_user_has_set(tmp_path: Path) -> None:
    (tmp_path / ".ansible.cfg").write_text("[defaults]\nroles_path = /nowhere\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__),
            *("-k", test_the_surroundings_are_the_same.__name__),
        ],
        cwd=TOP,
        env=HOSTILE | {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o077,
        check=False,
    )
    assert done.returncode == 0, done.stdout
