"""READMEs made from argument specs."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts import role_readme

SPEC = {
    "short_description": "Open a window",
    "description": ["Opens it with C(tcpdump).", "Closes it."],
    "options": {
        "lab_window_seconds": {
            "description": "Seconds the window stays open | at most.",
            "type": "int",
            "default": 5,
        },
        "lab_window_side": {
            "description": ["Where.", "See O(lab_window_seconds)."],
            "choices": ["left", "right"],
            "default": "left",
        },
        "lab_window_panes": {
            "description": "Its panes.",
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"width": {"description": "Millimetres.", "type": "int", "required": True}},
        },
        "lab_window_room": {"description": "Which room.", "required": True},
    },
}


def make_role(roles: Path, spec: object) -> Path:
    role = roles / "lab_window"
    (role / "meta").mkdir(parents=True)
    document = {"argument_specs": {"main": spec}}
    (role / "meta" / "argument_specs.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    return role


@pytest.fixture
def role(tmp_path: Path) -> Path:
    return make_role(tmp_path, SPEC)


def rows(role: Path) -> list[str]:
    return [line for line in role_readme.generated(role).splitlines() if line.startswith("| `")]


def test_required_variables_come_first_and_others_keep_their_order(role: Path) -> None:
    assert [row.split("`")[1] for row in rows(role)] == [
        "lab_window_room",
        "lab_window_seconds",
        "lab_window_side",
        "lab_window_panes",
        "lab_window_panes[].width",
    ]


def test_a_row_tells_type_default_choices_and_meaning(role: Path) -> None:
    assert rows(role)[2] == (
        "| `lab_window_side` | str | `left` | Where. See `lab_window_seconds`."
        " One of `left`, `right`. |"
    )
    assert "| list of dict | `[]` |" in rows(role)[3]
    assert "| int | **required** |" in rows(role)[4]


def test_a_bar_in_a_description_does_not_end_the_cell(role: Path) -> None:
    assert "open \\| at most" in rows(role)[1]


def test_hand_written_text_below_the_block_survives(role: Path) -> None:
    first = role_readme.readme(role, "")
    edited = first.replace("`5`", "`6`") + "\n## Size of the image\n\n70 MB.\n"
    again = role_readme.readme(role, edited)
    assert again == first + "\n## Size of the image\n\n70 MB.\n"
    assert role_readme.readme(role, again) == again


@pytest.mark.parametrize("present", ["# By hand\n", f"# Title\n{role_readme.BEGIN}\n"])
def test_hand_written_text_that_would_be_lost_is_refused(role: Path, present: str) -> None:
    with pytest.raises(role_readme.SpecError, match=r"README\.md.*put hand-written text"):
        role_readme.readme(role, present)


def test_check_finds_what_make_readmes_then_mends(
    role: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--roles", str(role.parent)]
    assert role_readme.main([*arguments, "--check"]) == 1
    assert "run make readmes" in capsys.readouterr().err
    assert not (role / "README.md").exists()
    assert role_readme.main(arguments) == 0
    assert role_readme.main([*arguments, "--check"]) == 0


@pytest.mark.parametrize("spec", [None, {"options": {}}, "text"])
def test_a_spec_that_says_nothing_is_an_error_that_names_the_file(
    tmp_path: Path, spec: object, capsys: pytest.CaptureFixture[str]
) -> None:
    make_role(tmp_path, spec)
    assert role_readme.main(["--roles", str(tmp_path)]) == 1
    assert "argument_specs.yml" in capsys.readouterr().err
