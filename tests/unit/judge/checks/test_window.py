"""When the connection began."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.grader import building as b
from tests.unit.judge.talks import HIDDEN, MET, NOT, WHOLE, Ended, judged, told


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        # The capture begins at 2023-11-14 22:13:20 UTC.
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z", (MET, "window-met", (1,))),
        ("2023-11-15T05:00:00+07:00", "2023-11-15T06:00:00+07:00", (MET, "window-met", (1,))),
        ("2023-11-14T22:13:21Z", "2023-11-15T00:00:00Z", (NOT, "window-outside", (1,))),
        ("2023-11-14T00:00:00Z", "2023-11-14T22:13:19Z", (NOT, "window-outside", (1,))),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", (MET, "window-met", (1,))),
    ],
)
def test_both_ends_of_the_window_belong_to_it(
    low: str, high: str, expected: Ended, tmp_path: Path
) -> None:
    submission = judged(tmp_path, WHOLE, f"{{id: window, points: 1, from: '{low}', to: '{high}'}}")
    assert told(submission)["window"] == expected


EVER = "{id: window, points: 1, from: '2000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z'}"


def test_a_time_that_no_calendar_has_costs_nothing_but_the_window(tmp_path: Path) -> None:
    for options in (b.option(9, b"\0"), b.option(14, (2**62).to_bytes(8, "little"))):
        data = b.section() + b.interface(options=options)
        data += b"".join(b.enhanced(frame, 2**63 + at) for at, frame in enumerate(WHOLE))
        submission = judged(tmp_path, data, EVER, "{id: close, points: 1}")
        assert told(submission)["window"] == (HIDDEN, "window-no-time", (1,))
        assert told(submission)["close"] == (MET, "close-met", (10, 11, 12))


def test_simple_packet_blocks_have_no_time(tmp_path: Path) -> None:
    data = b.section() + b.interface(snap=65535) + b"".join(map(b.simple, WHOLE))
    assert told(judged(tmp_path, data, EVER))["window"] == (HIDDEN, "window-no-time", (1,))
