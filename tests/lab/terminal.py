"""A student's terminal: a command on a pseudo-terminal, typed into and read from."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.lab.compose import TOP

CTRL_C = b"\x03"
CTRL_D = b"\x04"
PATIENCE = 20  # seconds: generous, for it is spent only when something is broken


class Terminal:
    """A command that runs on a pseudo-terminal, from the repository's root.

    Attributes:
        text: everything that the terminal has shown, with plain line ends.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self._read = 0
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=TOP, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)

    def _more(self, deadline: float) -> bool:
        """Read what there is; False once the command has closed the terminal."""
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"nothing more came on the terminal. It shows:\n{self.text}")
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other end any more
            return False
        self.text += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return data != b""

    def expect(self, wanted: str) -> None:
        """Wait until the terminal shows a text, after the last one that was expected."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.text.find(wanted, self._read)) < 0:
            if not self._more(deadline):
                raise AssertionError(f"{wanted!r} was never shown:\n{self.text}")
        self._read = found + len(wanted)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def say(self, line: str) -> None:
        """Type a line and press Enter."""
        self.type(line.encode() + b"\n")

    def exit_status(self) -> int:
        """Wait until the command ends and return its exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._more(deadline):
            pass
        return self._process.wait(timeout=PATIENCE)
