"""What tells one lab's packets and talk from another's."""

from __future__ import annotations

from typing import NamedTuple


class Lab(NamedTuple):
    """A lab whose server answers each message with a phrase and the message.

    ``port`` is the server's TCP port; ``address`` its packed address, or None for any. ``answer``
    stands before the message in its answer, ``shown`` before that answer where the client prints
    it.
    """

    port: int = 4141
    address: bytes | None = None
    answer: bytes = b"Upcall event: Processing "
    shown: bytes = b"Received upcall from server:"


UPCALL = Lab()
"""The upcall lab: what is used where a rubric tells nothing else."""
