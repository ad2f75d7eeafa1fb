"""How much of one file is read at most.

A capture of the lab has some kilobytes and some dozen packets. What has more than the limits is
told as such, and a person decides.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from upcall_grader.capture.frames import CaptureError
from upcall_grader.cause import Cause

MEBIBYTE = 1024 * 1024


class LimitError(CaptureError):
    """A file is larger than what is read."""

    trouble = "unreadable-capture"


class Limits(NamedTuple):
    """How many bytes a file has at most, and how many packets."""

    size: int = 64 * MEBIBYTE
    packets: int = 200_000

    def too_large(self) -> LimitError:
        """Return the error that tells of more bytes."""
        return LimitError(Cause("too-many-bytes", {"most": self.size // MEBIBYTE}))

    def too_many(self) -> LimitError:
        """Return the error that tells of more packets."""
        return LimitError(Cause("too-many-packets", {"most": self.packets}))


DEFAULT_LIMITS = Limits()
NO_LIMITS = Limits(sys.maxsize, sys.maxsize)
"""For what is read again, and was within the limits."""
