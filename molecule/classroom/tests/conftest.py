"""The room of this scenario: six lab hosts of its own, since its tests stop and break them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.rooms import Room, new_room


@pytest.fixture(scope="session")
def room() -> Iterator[Room]:
    with new_room("test-room", "test-seat", 6) as made:
        yield made
