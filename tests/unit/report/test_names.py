import re

from hypothesis import given
from hypothesis import strategies as st

from upcall_grader.judge.results import Owner, Submission, Verdict
from upcall_grader.report.names import page_names

DEVICES = ("con", "nul", "com1", "LPT9", "aux", "prn")


def submissions(ids: list[str]) -> list[Submission]:
    return [
        Submission(f"{number}.pcap", Owner(text), Verdict.EMPTY) for number, text in enumerate(ids)
    ]


def names(*ids: str) -> list[str]:
    return page_names(submissions(list(ids)))


@given(st.lists(st.one_of(st.text(max_size=80), st.sampled_from(["a", "A", "a-2", *DEVICES]))))
def test_names_are_safe_and_unique_on_any_file_system(ids: list[str]) -> None:
    files = names(*ids)
    assert len({name.lower() for name in files}) == len(ids)
    for name in files:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}\.html", name)
        assert name.removesuffix(".html").lower() not in {device.lower() for device in DEVICES}
    assert files == names(*ids)


def test_a_usual_id_is_the_name() -> None:
    assert names("s1234", "Budi_7") == ["s1234.html", "Budi_7.html"]


def test_names_that_a_file_system_takes_for_the_same_get_numbers() -> None:
    assert names("ani", "Ani", "ani!", "ani-2") == [
        "ani.html",
        "Ani-2.html",
        "ani-3.html",
        "ani-2-2.html",
    ]


def test_without_an_id_the_file_names_the_page() -> None:
    assert names("", "../../etc/passwd") == ["0-pcap.html", "etc-passwd.html"]
