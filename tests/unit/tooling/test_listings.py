"""What is made from other files: README.md's tables and the roles' galaxy_info."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts import listings

TOP = Path(__file__).resolve().parents[3]
PLUM = """
__lab_docker_distribution: Plum 7
__lab_docker_platform: {name: GenericLinux, versions: [all]}
__lab_docker_exercised: false
"""
META = "roles/lab_docker/meta/main.yml"
NEW = "roles/lab_new/meta/main.yml"
README = """Before.

| Lab host | |
| --- | --- |
| Old | gone |

Between.

| `ansible-playbook playbooks/…` | `site.yml` | |
| --- | --- | --- |
| Old | gone | |

After.
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a project of two distributions, three steps and two roles, one of them a new one."""
    specs = "argument_specs: {main: {short_description: 'An engine: it works'}}\n"
    for file, text in {
        "roles/lab_docker/vars/main.yml": "__lab_docker_service: docker\n",
        "roles/lab_docker/vars/plum-7.yml": PLUM,
        "roles/lab_docker/vars/plum-8.yml": PLUM.replace("7", "8").replace("false", "true"),
        "roles/lab_docker/meta/argument_specs.yml": specs,
        META: "---\n# Why.\ngalaxy_info:\n  platforms:\n    - name: Old\ndependencies: []\n",
        "roles/lab_new/meta/argument_specs.yml": specs,
        "site.yml": "- ansible.builtin.import_playbook: playbooks/two.yml\n",
        "playbooks/one.yml": "---\n# Is\n# one:\n#   command\n- hosts: all\n",
        "playbooks/three.yml": "---\n# Is three.\n- hosts: all\n",
        "playbooks/two.yml": "---\n# Is two.\n- hosts: all\n",
        "README.md": README,
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    return tmp_path


def made(tree: Path) -> dict[str, str]:
    return {str(file.relative_to(tree)): text for file, text in listings.texts(tree)}


def test_each_file_says_what_the_others_make_of_it() -> None:
    stale = [
        str(file.relative_to(TOP))
        for file, text in listings.texts(TOP)
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run make readmes"


def test_distributions_and_steps_come_into_the_tables(tree: Path) -> None:
    assert made(tree)["README.md"].splitlines() == [
        "Before.",
        "",
        "| Lab host | |",
        "| --- | --- |",
        "| Plum 8 | exercised by the tests |",
        "| Plum 7 | mapped in `roles/lab_docker/vars/`, not exercised |",
        "",
        "Between.",
        "",
        "| `ansible-playbook playbooks/…` | `site.yml` | |",
        "| --- | --- | --- |",
        "| `two.yml` | 1 | Is two. |",
        "| `one.yml` |  | Is one: |",
        "| `three.yml` |  | Is three. |",
        "",
        "After.",
    ]


def test_distributions_and_description_come_into_the_galaxy_info(tree: Path) -> None:
    text = made(tree)[META]
    assert text.startswith("---\n# Why.\n")
    meta = yaml.safe_load(text)
    assert meta["galaxy_info"]["description"] == "An engine: it works"
    assert meta["galaxy_info"]["platforms"] == [{"name": "GenericLinux", "versions": ["all"]}]
    assert meta["dependencies"] == []


def test_a_new_role_depends_on_the_look(tree: Path) -> None:
    meta = yaml.safe_load(made(tree)[NEW])
    assert meta["galaxy_info"] == yaml.safe_load(made(tree)[META])["galaxy_info"]
    assert meta["dependencies"] == [{"role": "lab_look"}]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("README.md", "No table.\n"),
        (META, "dependencies: []\n"),
        ("playbooks/three.yml", "---\n- hosts: all\n"),
    ],
)
def test_a_file_that_has_no_place_or_says_nothing_is_an_error(
    tree: Path, file: str, text: str
) -> None:
    (tree / file).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"not one place|no comment on top"):
        made(tree)
