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
def six_seats(three_seats: Room) -> Room:
    """The same room with three seats more, which have nothing yet."""
    return three_seats.grown(6)
