"""A rubric: what is looked for in a capture, and what it is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Union

from upcall_grader.lab import UPCALL, Lab

Value = Union[str, int, tuple[str, ...]]


class Criterion(NamedTuple):
    """One thing to look for.

    ``check`` names how it is looked for (``checks.CHECKS``); several criteria may share one, with
    other ``parameters``. ``titles`` are by language; without one the check's own title is used.
    """

    id: str
    check: str
    points: float
    titles: Mapping[str, str] = {}
    parameters: Mapping[str, Value] = {}

    def __hash__(self) -> int:
        """Return the hash of its id, as mappings have none."""
        return hash(self.id)

    def whole(self, name: str) -> int:
        """Return a parameter that is a number."""
        value = self.parameters[name]
        return value if isinstance(value, int) else 0

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a parameter that is a list of texts."""
        value = self.parameters.get(name)
        return value if isinstance(value, tuple) else ()


class Rubric(NamedTuple):
    """All criteria, in the order in which they are listed, and the lab that they are about."""

    criteria: tuple[Criterion, ...]
    lab: Lab = UPCALL

    @property
    def points(self) -> float:
        """The most that can be reached."""
        return round(sum(criterion.points for criterion in self.criteria), 2)
