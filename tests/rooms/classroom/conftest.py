"""The room of this scenario: lab hosts of its own, since its tests stop and break them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rooms import Room, new_room


@pytest.fixture(scope="session")
def three_seats() -> Iterator[Room]:
    with new_room("test-room", "test-seat", 3) as made:
        yield made


@pytest.fixture(scope="session")
def four_seats(three_seats: Room) -> Room:
    """Return the same room with one seat more, which has nothing yet: two slices of two."""
    return three_seats.grown(4)
