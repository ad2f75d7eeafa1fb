"""In which networks client and server were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.judge.talks import HIDDEN, MET, NOT, WHOLE, Ended, Records, judged, told


@pytest.mark.parametrize(
    ("records", "networks", "manifest", "expected"),
    [
        (WHOLE, "[10.0.0.0/24]", None, (MET, "network-met", (1,))),
        (WHOLE, "[192.168.0.0/16, 10.0.0.2/31]", None, (MET, "network-met", (1,))),
        (WHOLE, "[10.0.0.2/32]", None, (NOT, "network-other", (1,))),
        (WHOLE, "['fd00::/64', 10.0.0.0/24]", None, (MET, "network-met", (1,))),
        (WHOLE, "['::/0']", None, (NOT, "network-other", (1,))),
        (WHOLE, "", {"network": {"subnets": ["10.0.0.0/24"]}}, (MET, "network-met", (1,))),
        (WHOLE, "", {"network": {"subnets": ["fd00::/8"]}}, (NOT, "network-other", (1,))),
        (WHOLE, "", {"network": {"subnets": [7, "x", None]}}, (HIDDEN, "network-unknown", ())),
        (WHOLE, "", {"network": []}, (HIDDEN, "network-unknown", ())),
        (WHOLE, "", None, (HIDDEN, "network-unknown", ())),
        (
            WHOLE,
            "[10.9.0.0/24]",
            {"network": {"subnets": ["10.0.0.0/24"]}},
            (NOT, "network-other", (1,)),
        ),
    ],
)
def test_both_ends_have_to_be_in_the_networks(
    records: Records, networks: str, manifest: object, expected: Ended, tmp_path: Path
) -> None:
    beside: dict[str, Any] = {} if manifest is None else {"manifest": manifest}
    told_here = f", networks: {networks}" if networks else ""
    submission = judged(tmp_path, records, f"{{id: network, points: 1{told_here}}}", **beside)
    assert told(submission)["network"] == expected


def test_what_the_instructor_did_not_tell_is_no_cause_to_capture_again(tmp_path: Path) -> None:
    submission = judged(tmp_path, WHOLE, "{id: network, points: 1}")
    assert submission.verdict == "graded"
    assert submission.needs_person
