"""All languages say the same; and everything that the pages ask for is there."""

import ast
import re
from importlib import resources
from pathlib import Path
from string import Formatter

import pytest

import upcall_grader
from upcall_grader.capture.dialogue import Answer
from upcall_grader.judge.results import Status, Verdict
from upcall_grader.languages import LANGUAGES
from upcall_grader.report.drawing import KINDS
from upcall_grader.report.missing import CLOSES, HANDSHAKES
from upcall_grader.report.phrases import Phrases
from upcall_grader.texts import load

OTHERS = [language for language in LANGUAGES if language != "en"]
_CODE = re.compile(r'\b(?:t|_?phrases)\(\s*"([a-z.-]+[a-z])"')
# They make a cause of a file that ends too soon, of the code that they are given.
CUTS = ("_need", "_must_be_whole")
_MENTIONED = re.compile(r'"([a-z]+\.[a-z-]+)"')


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("name", ["pages", "remarks", "causes", "selfcheck_page"])
def test_languages_have_the_same_codes_and_places(name: str, language: str) -> None:
    english, other = load(name, "en"), load(name, language)
    assert set(other) == set(english)
    for code, sentence in english.items():
        assert ("remedy" in other[code]) == ("remedy" in sentence), code
        for part in ("text", "remedy"):
            assert places(other[code].get(part, "")) == places(sentence.get(part, "")), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_singular_has_the_places_of_its_plural(language: str) -> None:
    for code, sentence in load("pages", language).items():
        if "one" in sentence:
            assert places(sentence["one"]) <= places(sentence["text"]) | {"count"}, code


def causes_in_code() -> dict[str, set[str]]:
    """Return every code of a cause that the grader's code makes, and the values that it gets."""
    calls = [
        (ast.unparse(node.func).removeprefix("self."), node.args)
        for file in Path(upcall_grader.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and node.args
    ]
    made = {
        literal(arguments[0]): {literal(key) for key in getattr(arguments[-1], "keys", ())}
        for name, arguments in calls
        if name == "Cause" and isinstance(arguments[0], ast.Constant)
    }
    cut = {literal(arguments[-1]) for name, arguments in calls if name in CUTS}
    return made | {code: {"needed", "there"} for code in cut - {"cut"}}


def literal(node: ast.expr) -> str:
    return ast.unparse(node).strip("'")


def test_a_cause_has_words_and_all_their_places_are_filled() -> None:
    texts = load("causes", "en")
    assert causes_in_code() == {
        code: places(text["text"]) | places(text.get("remedy", "")) for code, text in texts.items()
    }


def test_every_sentence_that_is_asked_for_exists() -> None:
    report = resources.files("upcall_grader.report")
    selfcheck = resources.files("upcall_grader.selfcheck")
    files = [*report.iterdir(), *report.joinpath("templates").iterdir(), *selfcheck.iterdir()]
    sources = [file.read_text("utf-8") for file in files if file.name.endswith((".py", ".j2"))]
    asked = {code for source in sources for code in _CODE.findall(source)}
    assert len(asked) > 60
    asked |= {f"verdict.{verdict}" for verdict in Verdict}
    asked |= {f"sentence.{verdict}" for verdict in Verdict if verdict is not Verdict.GRADED}
    asked |= {f"look.{verdict}" for verdict in Verdict if verdict is not Verdict.MISSING}
    asked |= {f"status.{status}" for status in Status} | {f"kind.{kind}" for kind in KINDS}
    asked |= {f"answer.{answer.name.lower()}" for answer in Answer}
    asked |= {f"phase.{kind}" for kind in ("handshake", "exchange", "data", "close", "reset")}
    asked |= {f"missing.{code}" for code in (*HANDSHAKES, *CLOSES)}
    endings = ("", "s", "-part", "-number")
    asked |= {f"step.{kind}{ending}" for kind in ("message", "upcall") for ending in endings}
    there = set(load("pages", "en"))
    assert asked <= there
    asked |= {code for source in sources for code in _MENTIONED.findall(source)}
    asked |= {"sentence.all", "sentence.part"}
    sections = ("looks", "copies", "missing", "passed", "failed", "table")
    asked |= {f"course.{section}" for section in sections}
    assert there - asked == set()


@pytest.mark.parametrize(
    ("value", "english", "indonesian"),
    [(100.0, "100", "100"), (12.5, "12.5", "12,5"), (1234, "1,234", "1.234"), (0, "0", "0")],
)
def test_numbers_are_written_as_the_language_does(
    value: float, english: str, indonesian: str
) -> None:
    assert Phrases("en").number(value) == english
    assert Phrases("id").number(value) == indonesian


def test_frames_in_a_row_are_a_range_and_many_are_cut() -> None:
    phrases = Phrases("en")
    assert phrases.frames((1, 2, 3, 5, 6, 9)) == "1\u20133, 5, 6, 9"
    assert phrases.frames(tuple(range(1, 61, 2))) == (
        "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23 and 18 more"
    )


def test_one_of_a_thing_is_singular() -> None:
    assert Phrases("en")("ladder.fold", count=1) == "1 packet is left out here"
    assert Phrases("en")("ladder.fold", count=2000) == "2,000 packets are left out here"
