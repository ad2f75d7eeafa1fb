"""Who may import whom (docs/ARCHITECTURE.md), read from every Python file that there is."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

TOP = Path(__file__).resolve().parents[3]

# What each folder of the grader may use of the others; the files beside the folders serve them all.
GRADER: dict[str, set[str]] = {
    "": set(),
    "capture": set(),
    "judge": {"capture"},
    "texts": {"judge"},
    "show": {"capture", "judge", "texts"},
    "report": {"capture", "judge", "texts"},
    "export": {"capture", "judge", "texts", "report"},
    "grade": {"judge", "texts", "report", "export"},
}
# What each package under src/ may use of the others.
PACKAGES: dict[str, set[str]] = {
    "upcall_board": {"upcall_text"},
    "upcall_files": set(),
    "upcall_grader": {"upcall_roster", "upcall_text"},
    "upcall_roster": {"upcall_text"},
    "upcall_text": set(),
}
LENT_TO_PLUGINS = ("upcall_board", "upcall_files", "upcall_roster", "upcall_text")
UTILITIES = "ansible.module_utils"
MODULE_CODE = f"{UTILITIES}.basic"
# The utilities that belong to no role: all roles use them, and they use nothing.
SHARED = {f"{UTILITIES}.lab_text"}
# The folders of plugins/ whose files belong to roles; those of the others serve every run.
ROLES_FOLDERS = {"modules", "module_utils", "action", "filter"}
INTERNAL = re.compile(r"\b__(lab_[a-z]+)_\w")


class Import(NamedTuple):
    """One name that a file imports, in full."""

    line: int
    name: str


def imports(file: Path, package: str = "") -> Iterator[Import]:
    """Every import of a file, those inside functions and by ``import_module`` too.

    Args:
        file: The file.
        package: The package that the file is in, from which its relative imports count.
    """
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            outer = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(outer if node.level else []), *filter(None, [node.module])])
            # What is imported may be a module itself, as in "from upcall_grader import judge".
            yield from (Import(node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield Import(node.lineno, str(node.args[0].value))


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def standard(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in sys.stdlib_module_names


def barred_in_src(package: str, folder: str) -> list[str]:
    """Return what nothing in this folder of this package may import."""
    barred = ["ansible", *(PACKAGES.keys() - PACKAGES[package] - {package})]
    if package == "upcall_grader":
        others = GRADER.keys() - GRADER[folder] - {folder, ""}
        barred += [f"{package}.{other}" for other in others]
    return barred


def wrong_in_src(top: Path) -> Iterator[str]:
    """Yield wrong imports of the packages: Ansible, the roles, the grader's folders backwards."""
    for file in sorted((top / "src").rglob("*.py")):
        package, *inner = file.relative_to(top / "src").parent.parts
        folder = inner[0] if inner else ""
        if package not in PACKAGES or (package == "upcall_grader" and folder not in GRADER):
            yield f"{file.relative_to(top)}: no rule for this folder in {Path(__file__).name}"
            continue
        for line, name in imports(file, ".".join([package, *inner])):
            if within(name, *barred_in_src(package, folder)):
                yield f"{file.relative_to(top)}:{line}: {name}"


def owner(top: Path, name: str) -> str:
    """Return the role that a file in plugins/ belongs to, the one whose name it begins with."""
    roles = (path.name for path in (top / "roles").iterdir() if path.is_dir())
    return max((role for role in roles if f"{name}_".startswith(f"{role}_")), key=len, default="")


def owners(top: Path) -> dict[str, str]:
    """Return the role of each module utility, by the name that Ansible gives it."""
    files = (top / "plugins" / "module_utils").glob("*.py")
    return {f"{UTILITIES}.{file.stem}": owner(top, file.stem) for file in files}


def own_and_named(role: Path) -> set[str]:
    """Return the role and those that its meta/main.yml names."""
    meta = yaml.safe_load((role / "meta" / "main.yml").read_text(encoding="utf-8"))
    return {role.name, *(dependency["role"] for dependency in meta.get("dependencies", []))}


def allowed_for_role(folder: str, name: str, utilities: set[str]) -> bool:
    """Tell whether what a role has in this folder of plugins/ may import this name.

    What goes to lab hosts has nothing but the standard library, Ansible's module code and the
    utilities there. What runs on the controller has Ansible besides.
    """
    if standard(name) or within(name, *utilities):
        return True
    if folder in {"action", "filter"} and within(name, *LENT_TO_PLUGINS):
        return True
    if folder == "module_utils":
        return False
    if folder == "modules":
        return within(name, MODULE_CODE)
    return within(name, "ansible") and (not within(name, UTILITIES) or within(name, MODULE_CODE))


def wrong_in_roles(top: Path) -> Iterator[str]:
    """Yield the Python files of roles, which are YAML: Ansible loads them from plugins/."""
    yield from (str(file.relative_to(top)) for file in sorted((top / "roles").rglob("*.py")))


def wrong_for_roles(top: Path) -> Iterator[str]:
    """Yield the wrong imports of modules, utilities, action plugins and filters."""
    owned = owners(top)
    files = (file for folder in ROLES_FOLDERS for file in (top / "plugins" / folder).glob("*.py"))
    for file in sorted(files):
        role, shared = owner(top, file.stem), f"{UTILITIES}.{file.stem}" in SHARED
        if not role and not shared:
            yield f"{file.relative_to(top)}: begins with the name of no role"
            continue
        roles = set() if shared else own_and_named(top / "roles" / role)
        utilities = {name for name, its_role in owned.items() if its_role in roles}
        utilities |= set() if shared else SHARED
        for line, name in imports(file):
            if not allowed_for_role(file.parent.name, name, utilities):
                yield f"{file.relative_to(top)}:{line}: {name}"


def wrong_in_plugins(top: Path) -> Iterator[str]:
    """Yield the wrong imports of the other plugins: Ansible and three packages are theirs."""
    for file in sorted((top / "plugins").rglob("*.py")):
        if file.parent.name in ROLES_FOLDERS:
            continue
        for line, name in imports(file):
            lent = within(name, "ansible") and not within(name, *owners(top))
            if not (standard(name) or lent or within(name, *LENT_TO_PLUGINS)):
                yield f"{file.relative_to(top)}:{line}: {name}"


def wrong_internals(top: Path) -> Iterator[str]:
    """Yield the uses of a role's internal variables, ``__<role>_...``, by anything else."""
    for folder in ("roles", "playbooks", "plugins"):
        for file in sorted(path for path in (top / folder).rglob("*") if path.is_file()):
            if file.suffix not in {".yml", ".j2", ".py"}:
                continue
            role = file.relative_to(top / folder).parts[0] if folder == "roles" else ""
            user = role or owner(top, file.stem)
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if any(its_role != user for its_role in INTERNAL.findall(line)):
                    yield f"{file.relative_to(top)}:{number}: {line.strip()}"


def wrong(top: Path) -> list[str]:
    """Every import, and use of an internal variable, against the rules."""
    return [
        *wrong_in_src(top),
        *wrong_in_roles(top),
        *wrong_for_roles(top),
        *wrong_in_plugins(top),
        *wrong_internals(top),
    ]


def test_imports_point_one_way() -> None:
    assert wrong(TOP) == []


def test_a_rule_is_there_for_what_is_there() -> None:
    folders = {path.parent.name for path in (TOP / "src" / "upcall_grader").glob("*/*.py")}
    assert folders == GRADER.keys() - {""}
    assert {path.parent.name for path in (TOP / "src").glob("*/*.py")} == PACKAGES.keys()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a project with two roles, of which lab_up names lab_look."""
    for file, text in {
        "src/upcall_grader/__init__.py": "LAB_PORT = 1",
        "src/upcall_grader/capture/__init__.py": "import dpkt\nfrom upcall_grader import LAB_PORT",
        "src/upcall_grader/judge/__init__.py": "from upcall_grader.capture import reading",
        "src/upcall_roster/__init__.py": "import csv",
        "src/upcall_text/__init__.py": "import unicodedata",
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
        ("src/upcall_grader/capture/new.py", "import upcall_grader.judge.assess"),
        ("src/upcall_grader/capture/new.py", "from upcall_grader import judge"),
        ("src/upcall_grader/capture/deep/new.py", "from ...judge import assess"),
        ("src/upcall_grader/capture/new.py", "def late():\n    from upcall_grader.show import x"),
        ("src/upcall_grader/judge/new.py", "importlib.import_module('upcall_grader.report')"),
        ("src/upcall_grader/judge/new.py", "from ..export import files"),
        ("src/upcall_grader/judge/new.py", "from upcall_grader.texts import wording"),
        ("src/upcall_grader/report/new.py", "from upcall_grader.grade.command import main"),
        ("src/upcall_grader/export/new.py", "from upcall_grader.grade import command"),
        ("src/upcall_grader/new.py", "from upcall_grader.capture import reading"),
        ("src/upcall_grader/judge/new.py", "from ansible.errors import AnsibleError"),
        ("src/upcall_grader/unheard_of/new.py", "import os"),
        ("src/upcall_roster/new.py", "import upcall_grader"),
        ("src/upcall_text/new.py", "import upcall_roster"),
        ("src/another/new.py", "import os"),
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
    found = wrong(tree)
    assert len(found) == 1, found
    assert found[0].startswith(file)
