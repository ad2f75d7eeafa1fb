"""Captures made once for all tests of the grader."""

from dataclasses import dataclass

import pytest

from tests.unit.grader import live

MESSAGES = (b"1", b"two words", "selamat pagi \u2600".encode(), b"x" * 1024)


@dataclass(frozen=True)
class Real:
    data: bytes
    port: int
    messages: tuple[bytes, ...] = MESSAGES


@pytest.fixture(scope="session")
def real() -> Real:
    return Real(*live.capture(MESSAGES))


@pytest.fixture(scope="session")
def real_any() -> Real:
    """Linux cooked v2, nanoseconds, IPv6."""
    return Real(*live.capture(MESSAGES, ["-i", "any", "--nano"], "::1"))
