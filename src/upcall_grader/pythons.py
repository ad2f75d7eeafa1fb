"""What Python 3.9 and 3.10 lack of what the grader uses.

Students check their captures with the Python of their machine (``selfcheck``).
"""

from __future__ import annotations

import enum
import sys

SLOTS = {"slots": True} if sys.version_info >= (3, 10) else {}
"""Has a dataclass of which there are many use less memory: ``@dataclass(**SLOTS)``."""

if sys.version_info >= (3, 11):
    StrEnum = enum.StrEnum
else:

    class StrEnum(str, enum.Enum):
        """An enumeration of texts; each member prints as its value."""

        __str__ = str.__str__
