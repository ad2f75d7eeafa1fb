"""The page's Python, which is Pyodide by npm's lock file, and the zip that it imports from."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from scripts.selfcheck.contents import TOP, Contents
from upcall_grader.troubles import TroubleError

HERE = TOP / "scripts/selfcheck"
INSTALLED = TOP / ".cache/selfcheck"
LOCKED = (".npmrc", "package-lock.json", "package.json")


class ToolError(TroubleError):
    """npm or node is not there, or failed."""

    trouble = "no-npm"


class Pyodide:
    """Pyodide's own files, in the version of the lock file."""

    def __init__(self) -> None:
        """Install them where they are not.

        Raises:
            ToolError: npm or node is not there, or npm failed.
        """
        missing = [program for program in ("node", "npm") if shutil.which(program) is None]
        if missing:
            raise ToolError(
                f"upcall-check.html is made with {' and '.join(missing)}, not found here; install"
                " the packages nodejs and npm"
            )
        wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCKED)).hexdigest()
        made = INSTALLED / "made"
        if not made.is_file() or made.read_text("utf-8") != wanted:
            INSTALLED.mkdir(parents=True, exist_ok=True)
            for name in LOCKED:
                shutil.copy(HERE / name, INSTALLED)
            _run("npm", "ci", "--ignore-scripts")
            made.write_text(wanted, encoding="utf-8")
        self.folder = INSTALLED / "node_modules/pyodide"
        self.package = json.loads(self.text("package.json"))
        self.info = json.loads(self.text("pyodide-lock.json"))["info"]

    def text(self, name: str) -> str:
        """Return one of the files."""
        return (self.folder / name).read_text("utf-8")

    def library(self, contents: Contents) -> bytes:
        """Return one zip of Python's own modules and ``contents``, as ``compile.py`` makes it.

        Raises:
            ToolError: node failed.
        """
        with tempfile.TemporaryDirectory() as place:
            sources, made = Path(place, "sources.zip"), Path(place, "library.zip")
            shutil.copy(self.folder / "python_stdlib.zip", sources)
            with zipfile.ZipFile(sources, "a") as packed:
                for name, data in contents.items():
                    packed.writestr(name, data)
            _run("node", HERE / "compile.mjs", self.folder, HERE / "compile.py", sources, made)
            return made.read_bytes()


def _run(*command: str | Path) -> None:
    """Run a program, silent unless it fails."""
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{command[0]} failed: {done.stderr.strip()[-2000:]}")
