"""The goals of grading, and what is said where one is missed."""

from __future__ import annotations

from collections.abc import Callable

from bench.goals import Goal, Rounds, cpu, ratio, seconds

START_UP = "start-up"
SMALL, CAT, SCAPY = "grade", "cat", "scapy"
LARGE, DPKT, MEMORY = "grade-large", "dpkt", "memory"
PAGES, TSHARK = "grade-pages", "tshark"
CONTESTANTS = (START_UP, SMALL, CAT, SCAPY, LARGE, DPKT, PAGES, TSHARK)
CAPTURES, CONNECTIONS, STUDENTS = 5_000, 77_000, 300
MEGABYTES = 64


def where_it_goes(name: str) -> Callable[[Rounds], str]:
    """How much is start-up, and what is left for the captures."""

    def why(rounds: Rounds) -> str:
        start = seconds(rounds, START_UP)
        return (
            f"`{name}` takes {seconds(rounds, name):.2f} s and {cpu(rounds, name):.2f} s of CPU. To"
            f" start Python and load the grader takes {start:.2f} s of it; the"
            " rest is reading and judging the captures."
        )

    return why


def megabytes(rounds: Rounds) -> float:
    """The most memory that a run had; it is measured as if it were seconds."""
    return max(each.seconds for each in rounds[MEMORY])


GOALS = (
    Goal(
        f"{CAPTURES} captures of 13 packets, against reading their bytes",
        f"{SMALL} / {CAT}",
        "times",
        4.0,
        True,
        (SMALL, CAT, START_UP),
        ratio(SMALL, CAT),
        where_it_goes(SMALL),
    ),
    Goal(
        "The same, against scapy with the same check",
        f"{SCAPY} / {SMALL}",
        "times",
        20.0,
        False,
        (SMALL, SCAPY, START_UP),
        ratio(SCAPY, SMALL),
        where_it_goes(SMALL),
    ),
    Goal(
        f"One capture of {CONNECTIONS} connections, against plain dpkt",
        f"{DPKT} / {LARGE}",
        "times",
        4.0,
        False,
        (LARGE, DPKT, START_UP),
        ratio(DPKT, LARGE),
        where_it_goes(LARGE),
    ),
    Goal(
        "The same: peak memory",
        f"{MEMORY} of {LARGE}",
        "MB",
        MEGABYTES,
        True,
        (MEMORY,),
        megabytes,
        lambda _: "What is kept of the connections that are open or have just ended.",
    ),
    Goal(
        f"{STUDENTS} students with all pages, against tshark started for each capture",
        f"{TSHARK} / {PAGES}",
        "times",
        10.0,
        False,
        (PAGES, TSHARK, START_UP),
        ratio(TSHARK, PAGES),
        where_it_goes(PAGES),
    ),
)
