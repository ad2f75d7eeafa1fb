"""Every message that a person can cause ends with its paragraph in docs/troubles.md.

Errors that no person can cause are told apart by their form. Enumerated here are the forms in which
the project speaks to a person: asserts and fails of tasks, Ansible's own exceptions, fail_json,
warnings, the project's exceptions, what programs and scripts write to stderr. An exception class
that never reaches a person stands in INNER with the reason; a new one has to be one or the other.
"""

from __future__ import annotations

import ast
import functools
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.loading import load, load_utility
from upcall_grader.grade.command import main
from upcall_grader.judge.rubric_file import RubricError
from upcall_grader.languages import LANGUAGES
from upcall_roster import Problem

TOP = Path(__file__).resolve().parents[3]
DOCUMENT = TOP / "docs" / "troubles.md"
PLACE = re.compile(r"\(docs/troubles\.md#([\w-]+)\)")
AT_END = re.compile(PLACE.pattern + r"\s*\Z")

TASKS = [*sorted(TOP.glob("roles/*/tasks/*.yml")), *sorted(TOP.glob("playbooks/*.yml"))]
FOLDERS = ("src", "plugins", "scripts/selfcheck")
PYTHON = [path for folder in FOLDERS for path in sorted((TOP / folder).rglob("*.py"))]
# Those that lecturers call, by themselves or with make; the others are for who changes the project.
SCRIPTS = [
    *(TOP / "scripts" / name for name in ("become", "test-packages", "test-vm", "venv")),
    *(TOP / "sandbox" / name for name in ("classroom", "room")),
]
# A student reads it when the image for captures cannot be built.
DOCKERFILE = TOP / "Upcall" / "Dockerfile"

# Its message is what one sees of each finding; as an assertion it cannot fail.
NEVER_FAILS = {"List the findings with their remedies"}
RAISED = {"AnsibleActionFail", "AnsibleError", "AnsibleFilterError", "AnsibleParserError"}
# Why a person never sees it with a place of its own.
INNER = {
    "CaptureFormatError": "the session tells it as a SessionError",
    "CutOffError": "the module tells it, with its place",
    "DockerError": "modules tell it with their own place, the look as a finding",
    "EndedError": "ends the run after a signal, silently",
    "HeldError": "the session tells it as a SessionError",
    "LockError": "upcall-grade tells it as a ResultsError",
    "NoNetworkError": "modules tell it with their own place, the look as a finding",
    "RefusedError": "is a reason in missing.csv",
    "RosterError": "is made of Problems, each of which tells its place",
    "TroubleError": "is the base of those that tell",
    "UnsureError": "the slow reading takes over",
    "UnusableError": "is a remark in the report",
    "_LargeError": "is a cause of the reader's, told with its place",
    "_StopError": "is a remark in the report",
}
# A mistake of the project's own; the run goes on without the board.
NO_PERSON_CAUSES = "Plain lines from here on"


def slug(heading: str) -> str:
    """Return a heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def paragraphs() -> dict[str, str]:
    """Return the text below each heading, by anchor."""
    _, *parts = re.split(r"^### ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    pairs = [part.partition("\n") for part in parts]
    texts = {slug(title): text.partition("\n## ")[0].strip() for title, _, text in pairs}
    assert len(texts) == len(pairs), "two headings have the same anchor"
    return texts


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def at(path: Path, node: ast.expr | ast.stmt) -> str:
    return f"{path.relative_to(TOP)}:{node.lineno}"


def strings(node: ast.AST) -> list[str]:
    """Return the literal texts in a piece of code, in their order, but for docstrings."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return []
    return [text for child in ast.iter_child_nodes(node) for text in strings(child)]


def named(node: ast.AST) -> list[str]:
    """Return the anchors that one node of the code names without their whole form."""
    if isinstance(node, ast.keyword) and node.arg == "trouble":
        # Not a condition's own texts, as in: trouble="a" if network["exists"] else "b".
        value = node.value
        ends = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
        return [text for end in ends for text in strings(end)]
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "trouble":
        return strings(node.value)
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        return strings(node.value.elts[0])
    return []


def in_python(path: Path) -> Iterator[str]:
    code = tree(path)
    yield from (anchor for text in strings(code) for anchor in PLACE.findall(text))
    for node in ast.walk(code):
        # In this file, what is yielded is a finding, and its id the anchor.
        if not isinstance(node, ast.Yield) or path.name == "lab_look_findings.py":
            yield from named(node)


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text in a YAML document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_of(part)


def in_script(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return PLACE.findall(text) + re.findall(r'\bfail ([a-z][a-z-]*) "', text)


@functools.cache
def references() -> dict[str, set[str]]:
    """Return each file with the anchors that its messages name."""
    anchors_of = {path: set(in_python(path)) for path in PYTHON}
    for path in TASKS:
        texts = texts_of(yaml.safe_load(path.read_text(encoding="utf-8")))
        anchors_of[path] = {anchor for text in texts for anchor in PLACE.findall(text)}
    anchors_of |= {path: set(in_script(path)) for path in (*SCRIPTS, DOCKERFILE)}
    return {str(path.relative_to(TOP)): anchors for path, anchors in anchors_of.items() if anchors}


def test_every_reference_names_a_heading() -> None:
    there = paragraphs().keys()
    wrong = {file: anchors - there for file, anchors in references().items() if anchors - there}
    assert not wrong


def test_every_heading_is_that_of_a_message() -> None:
    assert paragraphs().keys() == set().union(*references().values())


def test_each_paragraph_is_short_and_names_what_to_type() -> None:
    for anchor, text in paragraphs().items():
        assert 2 <= len(text.splitlines()) <= 6, anchor
        assert "`" in text or "*Save As*" in text, anchor


def tasks_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every task of a file, those inside blocks and plays too."""
    if isinstance(value, list):
        for part in value:
            yield from tasks_in(part)
    elif isinstance(value, dict):
        yield value
        for key in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always"):
            yield from tasks_in(value.get(key))


def test_whatever_a_task_fails_with_ends_with_its_place() -> None:
    messages = {
        f"{path.relative_to(TOP)}: {task['name']}": part.get(key, "")
        for path in TASKS
        for task in tasks_in(yaml.safe_load(path.read_text(encoding="utf-8")))
        for module, key in (("assert", "fail_msg"), ("fail", "msg"))
        if (part := task.get(f"ansible.builtin.{module}")) and task["name"] not in NEVER_FAILS
    }
    assert len(messages) > 20
    assert not [where for where, message in messages.items() if not AT_END.search(message)]


def is_last_text(node: ast.expr | None) -> bool:
    """Return whether an expression is a text that ends with its place."""
    if isinstance(node, ast.BinOp):
        return is_last_text(node.right)
    texts = strings(node) if node else []
    return bool(texts) and bool(AT_END.search(texts[-1]))


def hands_on(node: ast.Call) -> bool:
    """Return whether a call hands on what an exception of the project says, which ends with it."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return any(ast.unparse(value) == "str(error)" for value in given)


def spoken(code: ast.Module) -> Iterator[tuple[ast.Call, ast.expr | None]]:
    """Yield each call that speaks to a person in Ansible's own ways, and what it says."""
    for node in ast.walk(code):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            call, name = node.exc, ast.unparse(node.exc.func)
            if name in RAISED:
                yield call, call.args[0]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "fail_json":
                yield node, next((k.value for k in node.keywords if k.arg == "msg"), None)
            elif node.func.attr == "warning":
                yield node, node.args[0]


def test_modules_and_plugins_say_where() -> None:
    calls = [(path, *call) for path in PYTHON for call in spoken(tree(path))]
    assert len(calls) > 20
    assert not [
        at(path, call)
        for path, call, said in calls
        if not is_last_text(said)
        and not hands_on(call)
        and NO_PERSON_CAUSES not in str(strings(call))
    ]


def exceptions() -> dict[str, ast.ClassDef]:
    """Return the project's own exception classes."""
    return {
        node.name: node
        for path in PYTHON
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }


def tells(error: ast.ClassDef) -> bool:
    """Return whether a class of exceptions has its anchor, or is given one each time."""
    given = (node for node in ast.walk(error) if isinstance(node, ast.arg))
    return any(named(part) for part in error.body) or any(arg.arg == "trouble" for arg in given)


def test_each_exception_tells_its_place_or_never_reaches_a_person() -> None:
    silent = {name for name, error in exceptions().items() if not tells(error)}
    assert silent == INNER.keys()


def test_what_the_project_s_exceptions_say_ends_with_their_place() -> None:
    assert str(RubricError("it is empty")) == "it is empty (docs/troubles.md#rubric)"
    problem = Problem("roster.csv", 7, "there is no host", trouble="roster-row")
    assert str(problem) == "roster.csv, line 7: there is no host (docs/troubles.md#roster-row)"
    for path in ("lab_look_processes", "lab_look_session"):
        load_utility(path)
    for path in ("lab_capture_pcap", "lab_capture_session"):
        session = load_utility(path)
    error = session.SessionError("capture", "it ended", "Try again", trouble="cut-off")
    assert str(error) == "capture: it ended. Try again (docs/troubles.md#cut-off)"


def test_a_finding_s_remedy_ends_with_the_paragraph_of_its_id() -> None:
    findings = load("plugins/filter/lab_look_findings.py")
    look = {
        "engine": {
            "works": False,
            "client": "",
            "daemon": "",
            "elsewhere": "",
            "error": "no answer",
        },
        "compose": {"works": False, "error": "no answer"},
        "network": {"interface": ""},
        # A command line is the student's, and may look like a place.
        "tcpdump": {"path": "/t", "permitted": True, "running": []},
        "disk": {"free": 0, "path": "/"},
        "leftovers": [{"kind": "process", "id": "7", "command": "x (docs/troubles.md#held)"}],
        "session": {},
    }
    listed = findings.lab_look_findings(look, "server", 4141, "lab.yml", 9.0, 0.0, 1, 2)
    assert [finding["id"] for finding in listed] == [
        "no-engine",
        "no-compose",
        "disk-full",
        "clock-off",
        "leftover",
    ]
    for finding in listed:
        assert finding["remedy"].endswith(f" (docs/troubles.md#{finding['id']})")


@pytest.mark.parametrize("words", [["--nope"], ["captures", "--lang", "xx"], ["tokens"]])
def test_a_mistyped_command_line_is_explained(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(" (docs/troubles.md#wrong-command-line)\n")


def test_each_command_line_is_read_by_the_parser_that_explains() -> None:
    """It escapes what it echoes, too (tests/unit/text/test_printers.py)."""
    paths = [path for folder in ("bench", "scripts") for path in (TOP / folder).rglob("*.py")]
    plain = "ArgumentParser"
    made = [
        at(path, node)
        for path in (*PYTHON, *paths)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(plain)
    ]
    assert made == []


def test_a_process_s_own_streams_say_where() -> None:
    """What the programs under src/ write to stderr, which nobody but a person reads.

    The students' check stands alone: nobody who has it has docs/ as well.
    """
    written = [
        (path, node)
        for path in PYTHON
        if path.parent != TOP / "src" / "upcall_grader" / "selfcheck"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in ("output.complain", "complain")
            or any(ast.unparse(keyword) == "file=sys.stderr" for keyword in node.keywords)
        )
        and ast.unparse(node) != "print(text, file=sys.stderr)"
    ]
    assert written
    assert not [
        at(path, node)
        for path, node in written
        if "place(" not in (said := ast.unparse(node))
        and not re.search(r"escape_unprintable\((line|str\(error\))\)", said)
    ]


def told(path: Path) -> list[str]:
    """Return what a script writes to stderr: its messages, those of several lines as one."""
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    return re.findall(r"(?:^.*>&2.*\n)+", text, re.MULTILINE)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_where(path: Path) -> None:
    assert told(path)
    for message in told(path):
        assert PLACE.search(message) or "(docs/troubles.md#$1)" in message


def farewells(path: Path) -> list[str]:
    """Return what a program of the lab says when it ends in trouble."""
    values = runpy.run_path(str(path))
    del values["__doc__"]
    return [text for text in values.values() if isinstance(text, str) and "\n" in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_ends_a_student_s_program_is_in_the_handout(language: str) -> None:
    handout = (TOP / "docs" / f"handout.{language}.md").read_text(encoding="utf-8")
    for program in sorted(TOP.glob("Upcall/*.py")):
        assert farewells(program)
        for text in farewells(program):
            beginning = re.split(r"[:(]", text)[0].strip()
            assert f"`{beginning}`" in handout, text
            assert text.endswith("\nMore about it: handout.md"), text
