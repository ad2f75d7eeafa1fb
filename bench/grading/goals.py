"""The goals of grading, and what is said where one is missed."""

from __future__ import annotations

from bench.results import START_UP, Goal, Rounds, Why, cpu, ratio, seconds

SMALL, SCAPY = "grade", "scapy"
LARGE, DPKT = "grade-large", "dpkt"
PAGES, TSHARK = "grade-pages", "tshark"
CONTESTANTS = (START_UP, SMALL, SCAPY, LARGE, DPKT, PAGES, TSHARK)
CAPTURES, CONNECTIONS, STUDENTS = 5_000, 77_000, 300
MEGABYTES = 64


def where_it_goes(name: str) -> Why:
    """Say how much is start-up, and what is left for the captures."""

    def why(rounds: Rounds) -> str:
        start = seconds(rounds, START_UP)
        return (
            f"`{name}` takes {seconds(rounds, name):.2f} s and {cpu(rounds, name):.2f} s of CPU. To"
            f" start Python and load the grader takes {start:.2f} s of it; the"
            " rest is reading and judging the captures."
        )

    return why


GOALS = (
    ratio(
        f"{CAPTURES} captures of 13 packets, against scapy with the same check",
        *(SCAPY, SMALL, 8.0, where_it_goes(SMALL)),
        at_most=False,
    ),
    ratio(
        f"One capture of {CONNECTIONS} connections, against plain dpkt",
        *(DPKT, LARGE, 1.0, where_it_goes(LARGE)),
        at_most=False,
    ),
    Goal(
        "The same: peak memory",
        f"memory of {LARGE}",
        "MB",
        MEGABYTES,
        True,
        (LARGE,),
        lambda rounds: max(each.megabytes for each in rounds[LARGE]),
        lambda _: "What is kept of the connections that are open or have just ended.",
    ),
    ratio(
        f"{STUDENTS} students with all pages, against tshark started for each capture",
        *(TSHARK, PAGES, 10.0, where_it_goes(PAGES)),
        at_most=False,
    ),
)
