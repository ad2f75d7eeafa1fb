#!/usr/bin/env python3
"""Runs mypy over everything that is Python here, role modules included.

A role's ``module_utils`` are imported on a lab host as ``ansible.module_utils.<name>``, a place in
which they do not lie in this tree. So links are laid in ``.cache/typecheck``, each at the place
where Ansible puts its file, and mypy gets that folder as one more path to search. Whatever mypy
says of a link is printed with the name of the file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
LINKS = TOP / ".cache" / "typecheck"
# Every folder with Python in it, or a pattern of such folders; what does not exist yet is left out.
SOURCES = (
    "src",
    "Upcall",
    "plugins",
    "scripts",
    "tests",
    "bench",
    "roles/*/library",
    "roles/*/*_plugins",
    "molecule",
)


def module_utils(top: Path = TOP) -> list[Path]:
    """The roles' ``module_utils``, sorted."""
    return sorted(top.glob("roles/*/module_utils/*.py"))


def lay_links(files: list[Path], links: Path) -> dict[str, str]:
    """Link each file to its place under ``links`` as ``ansible.module_utils.<name>``.

    Returns:
        The file's path for the link's path, both relative to the top and as mypy prints them.

    Raises:
        SystemExit: two roles have a module utility of one name; Ansible would ship only one.
    """
    shutil.rmtree(links, ignore_errors=True)
    folder = links / "ansible" / "module_utils"
    folder.mkdir(parents=True)
    names: dict[str, str] = {}
    for file in files:
        link = folder / file.name
        if link.is_symlink():
            sys.exit(
                f"{file.relative_to(TOP)}: {link.resolve().relative_to(TOP)} has the same name,"
                " and Ansible would ship only one of them: rename one"
            )
        link.symlink_to(os.path.relpath(file, folder))
        names[str(link.relative_to(TOP))] = str(file.relative_to(TOP))
    return names


def sources(top: Path = TOP) -> list[str]:
    """The folders to check, relative to the top, that hold any Python."""
    found = (path for pattern in SOURCES for path in sorted(top.glob(pattern)))
    return [str(path.relative_to(top)) for path in found if any(path.rglob("*.py"))]


def main() -> int:
    """Run mypy with the arguments given; its exit status is ours."""
    files = module_utils()
    names = lay_links(files, LINKS)
    paths = [*sources(), *names]
    result = subprocess.run(
        [sys.executable, "-m", "mypy", *sys.argv[1:], *paths],
        cwd=TOP,
        env={**os.environ, "MYPYPATH": str(LINKS)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    report = result.stdout
    for link, file in names.items():
        report = report.replace(link, file)
    print(report, end="")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
