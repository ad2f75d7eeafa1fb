"""Who holds the lab: one session at a time, and the next one waits a moment for it to end."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.loading import load_utility

load_utility("lab_look_processes")
session = load_utility("lab_look_session")


@pytest.fixture(autouse=True)
def _lock_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LOCK_PATH", str(tmp_path / "lab" / "session.lock"))


def test_a_second_session_is_told_who_holds_the_lab() -> None:
    with session.hold("ani@desk", "2026-01-01T18:00:00Z", 0):
        with pytest.raises(session.HeldError) as told:
            session.hold("budi@desk", "2026-01-01T18:05:00Z", 0)
        holder = {"who": "ani@desk", "since": "2026-01-01T18:00:00Z", "pid": os.getpid()}
        assert told.value.holder == session.holder() == holder
    assert session.holder() is None


def test_a_second_session_waits_for_one_that_ends() -> None:
    first = session.hold("ani@desk", "2026-01-01T18:00:00Z", 0)
    asked = time.monotonic()
    end = threading.Timer(0.3, first.close)
    end.start()
    with session.hold("ani@desk", "2026-01-01T18:05:00Z", 30):
        assert time.monotonic() - asked >= 0.3
        assert json.loads(Path(session.LOCK_PATH).read_text())["since"] == "2026-01-01T18:05:00Z"
    end.join()
