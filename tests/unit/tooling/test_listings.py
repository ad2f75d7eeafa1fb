"""What is said of distributions, made from the one file that each has."""

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


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project that knows two distributions, of which its files name none yet."""
    for file, text in {
        "roles/lab_docker/vars/main.yml": "__lab_docker_service: docker\n",
        "roles/lab_docker/vars/plum-7.yml": PLUM,
        "roles/lab_docker/vars/plum-8.yml": PLUM.replace("7", "8").replace("false", "true"),
        "roles/lab_docker/meta/main.yml": (
            "galaxy_info:\n  platforms:\n    - name: Old\ndependencies: []\n"
        ),
        "README.md": "Before.\n\n| Lab host | |\n| --- | --- |\n| Old | gone |\n\nAfter.\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    return tmp_path


def test_readme_and_platforms_say_what_the_distributions_files_say() -> None:
    stale = [
        str(file.relative_to(TOP))
        for file, text in listings.texts(TOP)
        if file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run make readmes"


def test_a_distribution_comes_into_the_table_and_the_platforms(tree: Path) -> None:
    made = {str(file.relative_to(tree)): text for file, text in listings.texts(tree)}
    assert made["README.md"].splitlines() == [
        "Before.",
        "",
        "| Lab host | |",
        "| --- | --- |",
        "| Plum 8 | exercised by the tests |",
        "| Plum 7 | mapped in `roles/lab_docker/vars/`, not exercised |",
        "",
        "After.",
    ]
    assert yaml.safe_load(made["roles/lab_docker/meta/main.yml"]) == {
        "galaxy_info": {"platforms": [{"name": "GenericLinux", "versions": ["all"]}]},
        "dependencies": [],
    }


def test_a_file_without_a_place_for_them_is_an_error(tree: Path) -> None:
    (tree / "README.md").write_text("No table.\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.md: not one place"):
        list(listings.texts(tree))
