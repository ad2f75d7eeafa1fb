"""The surroundings of all unit tests: the same on every machine, whatever its user has set.

Importing this file makes them: ahead of the tests, their imports, and pytest-xdist's workers.
"""

import locale
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import settings

TOP = Path(__file__).resolve().parents[2]
HOME = tempfile.mkdtemp(prefix="upcall-lab-home-")

# What pytest sets, and what Python and programs need to start: no test sees another variable.
KEPT = ("HYPOTHESIS_", "LD_LIBRARY_PATH", "PATH", "PYTEST_", "TMPDIR")
PATH = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/sbin"]

kept = {name: value for name, value in os.environ.items() if name.startswith(KEPT)}
os.environ.clear()
os.environ |= kept | {
    "ANSIBLE_CONFIG": str(TOP / "ansible.cfg"),
    "HOME": HOME,
    "LC_ALL": "C.UTF-8",
    "PATH": os.pathsep.join(PATH),
    # Seven hours off UTC: a time of this machine that is taken for UTC shows.
    "TZ": "WIB-7",
}
locale.setlocale(locale.LC_ALL, "")
os.umask(0o022)
time.tzset()

# How long one takes tells of the machine that it runs on, not of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_unconfigure() -> None:
    """Remove the home."""
    shutil.rmtree(HOME, ignore_errors=True)
