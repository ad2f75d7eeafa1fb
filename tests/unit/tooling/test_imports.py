"""Who may import whom (docs/ARCHITECTURE.md).

import-linter holds the packages to the contracts in pyproject.toml. What it cannot know is here:
the names that Ansible gives to plugins/, and the roles' variables.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).resolve().parents[3]
UTILITIES = "ansible.module_utils"
MODULE_CODE = f"{UTILITIES}.basic"
PACKAGES = ("upcall_board", "upcall_files", "upcall_roster", "upcall_text")
ON_CONTROLLER = ("ansible", MODULE_CODE, *PACKAGES)
# What a file in each folder of plugins/ may import besides the standard library and its utilities.
LENT: dict[str, tuple[str, ...]] = {
    "module_utils": (),
    "modules": (MODULE_CODE,),
    "action": ON_CONTROLLER,
    "filter": ON_CONTROLLER,
    "callback": ON_CONTROLLER,
    "inventory": ON_CONTROLLER,
}
# The folders whose files serve every run and belong to no role.
OF_EVERY_RUN = {"callback", "inventory"}
# The utility that belongs to no role: all roles use it, and it uses nothing.
SHARED = "lab_text"
FOLDERS = ("roles", "playbooks", "plugins")
INTERNAL = re.compile(r"\b__(lab_[a-z]+)_\w")


def within(name: str, *packages: str) -> bool:
    return f"{name}.".startswith(tuple(f"{package}." for package in packages))


def imports(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of each import of a file, those inside functions too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def owner(top: Path, name: str) -> str:
    """Return the role that a file in plugins/ belongs to, the one whose name it begins with."""
    roles = (path.name for path in (top / "roles").iterdir() if path.is_dir())
    return max((role for role in roles if f"{name}_".startswith(f"{role}_")), key=len, default="")


def utilities(top: Path, role: str) -> set[str]:
    """Return the utilities of a role, those of the roles that it names, and the shared one."""
    if not role:
        return set()
    meta = yaml.safe_load((top / "roles" / role / "meta/main.yml").read_text(encoding="utf-8"))
    roles = {role, *(dependency["role"] for dependency in meta.get("dependencies", []))}
    files = (top / "plugins" / "module_utils").glob("*.py")
    names = {file.stem for file in files if owner(top, file.stem) in roles} | {SHARED}
    return {f"{UTILITIES}.{name}" for name in names}


def wrong_imports(top: Path) -> Iterator[str]:
    """Yield what plugins import against the rules, and those that no rule is for."""
    for file in sorted((top / "plugins").rglob("*.py")):
        place, folder = file.relative_to(top), file.parent.name
        role = "" if folder in OF_EVERY_RUN else owner(top, file.stem)
        if not (role or folder in OF_EVERY_RUN or file.stem == SHARED):
            yield f"{place}: begins with the name of no role"
        allowed = {*LENT[folder], *utilities(top, role), *sys.stdlib_module_names}
        for line, name in imports(file):
            foreign = within(name, UTILITIES) and not within(name, *(allowed - {"ansible"}))
            if foreign or not within(name, *allowed):
                yield f"{place}:{line}: {name}"


def wrong_internals(top: Path) -> Iterator[str]:
    """Yield the uses of a role's internal variables, ``__<role>_...``, by anything else."""
    kinds = [f"{folder}/**/*.{kind}" for folder in FOLDERS for kind in ("yml", "j2", "py")]
    for file in sorted(file for kind in kinds for file in top.glob(kind)):
        folder, inner, *_ = file.relative_to(top).parts
        user = inner if folder == "roles" else owner(top, file.stem)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if any(role != user for role in INTERNAL.findall(line)):
                yield f"{file.relative_to(top)}:{number}: {line.strip()}"


def wrong(top: Path) -> list[str]:
    """Return every import, and use of an internal variable, against the rules; roles are YAML."""
    python = (str(file.relative_to(top)) for file in (top / "roles").rglob("*.py"))
    return [*wrong_imports(top), *wrong_internals(top), *python]


def test_plugins_and_roles_use_what_is_theirs() -> None:
    assert wrong(TOP) == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a project with two roles, of which lab_up names lab_look."""
    for file, text in {
        "roles/lab_look/meta/main.yml": "dependencies: []",
        "plugins/module_utils/lab_look_docker.py": "import socket",
        "plugins/module_utils/lab_text.py": "import unicodedata",
        "plugins/modules/lab_look_text.py": "from ansible.module_utils.lab_text import instant",
        "plugins/modules/lab_look_info.py": (
            "from ansible.module_utils.basic import AnsibleModule\n"
            "from ansible.module_utils.lab_look_docker import Docker"
        ),
        "roles/lab_look/tasks/main.yml": "- __lab_look_seen",
        "roles/lab_up/meta/main.yml": "dependencies: [{role: lab_look}]",
        "plugins/module_utils/lab_up_names.py": (
            "from ansible.module_utils import lab_look_docker"
        ),
        "plugins/filter/lab_up.py": (
            "from ansible.errors import AnsibleError\nfrom upcall_text import plain"
        ),
        "playbooks/up.yml": "- role: lab_up",
        "plugins/inventory/lab_roster.py": "import ansible.errors\nimport upcall_roster",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text + "\n", encoding="utf-8")
    return tmp_path


def test_the_small_tree_is_sound(tree: Path) -> None:
    assert wrong(tree) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("plugins/action/lab_up_new.py", "from upcall_grader.capture import reading"),
        ("plugins/filter/lab_up_new.py", "import dpkt"),
        ("plugins/modules/lab_up_new.py", "from ansible.errors import AnsibleError"),
        ("plugins/modules/lab_up_new.py", "import yaml"),
        (
            "plugins/module_utils/lab_up_new.py",
            "from ansible.module_utils.basic import AnsibleModule",
        ),
        ("plugins/modules/lab_look_new.py", "from ansible.module_utils.lab_up_names import names"),
        ("plugins/filter/lab_look_new.py", "from ansible.module_utils import lab_up_names"),
        ("roles/lab_up/tasks/new.yml", "- when: __lab_look_seen"),
        ("playbooks/new.yml", "- when: __lab_up_ready"),
        ("plugins/filter/lab_up_new.py", "NAME = '__lab_look_seen'"),
        ("plugins/modules/new.py", "import os"),
        ("plugins/modules/lab_up_new.py", "from upcall_text import plain"),
        ("plugins/module_utils/lab_text.py", "from ansible.module_utils import lab_up_names"),
        ("roles/lab_up/library/lab_up.py", "import os"),
        ("plugins/callback/new.py", "import upcall_grader"),
        ("plugins/callback/new.py", "import dpkt"),
        ("plugins/callback/new.py", "from ansible.module_utils.lab_look_docker import Docker"),
    ],
)
def test_what_breaks_a_rule_is_found(tree: Path, file: str, text: str) -> None:
    (tree / file).parent.mkdir(parents=True, exist_ok=True)
    (tree / file).write_text(text + "\n", encoding="utf-8")
    breaches = wrong(tree)
    assert len(breaches) == 1, breaches
    assert breaches[0].startswith(file)


BROKEN = {
    "upcall_grader/capture/new_1.py": "import upcall_grader.judge.assess",
    "upcall_grader/capture/new_2.py": "from upcall_grader import judge",
    "upcall_grader/capture/new_3.py": "def late():\n    from upcall_grader.show import command",
    "upcall_grader/judge/new_4.py": "from ..export import files",
    "upcall_grader/judge/new_5.py": "from upcall_grader.texts import wording",
    "upcall_grader/report/new_6.py": "from upcall_grader.grade.command import main",
    "upcall_grader/export/new_7.py": "from upcall_grader.grade import command",
    "upcall_grader/lab.py": "from upcall_grader.capture import reading",
    "upcall_grader/judge/new_9.py": "from ansible.errors import AnsibleError",
    "upcall_grader/unheard_of/__init__.py": "import os",
    "upcall_grader/show/new_10.py": "from upcall_grader.report import pages",
    "upcall_grader/grade/new_11.py": "from upcall_grader.capture import reading",
    "upcall_grader/judge/new_12.py": "import upcall_board",
    "upcall_board/new_13.py": "import upcall_roster",
    "upcall_roster/new_14.py": "import upcall_grader",
    "upcall_text/new_15.py": "import upcall_roster",
}


def contracts(src: Path) -> subprocess.CompletedProcess[str]:
    """Hold the packages in a folder to the contracts."""
    return subprocess.run(
        ["lint-imports", "--no-cache", "--config", TOP / "pyproject.toml"],
        cwd=src,
        env=os.environ | {"PYTHONPATH": str(src)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_packages_keep_their_contracts() -> None:
    done = contracts(TOP / "src")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_has_contracts() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    folders = {file.parent for file in (TOP / "src").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
    packages = {folder.name for folder in folders if folder.parent.name == "src"}
    assert set(project["tool"]["importlinter"]["root_packages"]) == packages


def test_what_breaks_a_contract_is_named(tmp_path: Path) -> None:
    src = shutil.copytree(TOP / "src", tmp_path / "src")
    for file, text in BROKEN.items():
        (src / file).parent.mkdir(exist_ok=True)
        (src / file).write_text(text + "\n", encoding="utf-8")
    done = contracts(src)
    assert done.returncode == 1, done.stderr
    modules = [file.removesuffix(".py").removesuffix("/__init__") for file in BROKEN]
    named = [module.replace("/", ".") for module in modules]
    assert [name for name in named if not re.search(rf"{re.escape(name)}\b", done.stdout)] == []
