"""upcall_board.board: what it tells of a room once a run has ended."""

from __future__ import annotations

from upcall_board.board import Board, Seat
from upcall_board.progress import Progress


def test_the_three_hosts_whose_tasks_took_longest_are_named() -> None:
    board = Board(Progress())
    board.seats = {
        host: Seat(worked=seconds) for host, seconds in zip("abcd", (9, 61.9, 5, 600), strict=True)
    }
    assert board.longest() == "Longest at work: d 10:00, b 1:01, a 0:09"
