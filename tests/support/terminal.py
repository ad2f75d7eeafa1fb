"""A user's terminal: a command on a pseudo-terminal, typed into and read from."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

TOP = Path(__file__).resolve().parents[2]

CTRL_C = b"\x03"
CTRL_D = b"\x04"
PATIENCE = 20  # seconds: generous, for it is spent only when something is broken


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """A command that runs on a pseudo-terminal, from the repository's root.

    Each wait for what the command does ends after ``patience`` seconds.

    Attributes:
        text: everything that the terminal has shown, with plain line ends and without colours.
    """

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._master, slave = pty.openpty()
        self.text = ""
        self._shown = b""
        self._read = 0
        self._patience = patience
        # The command's controlling terminal, as at a desk: programs ask for passwords at no other.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=TOP,
            env=env,
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
        # Asked first: a command with children of its own then ends them, too.
        self._process.terminate()
        try:
            self._process.wait(timeout=self._patience)
        except subprocess.TimeoutExpired:
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
        self._shown += data
        text = self._shown.decode("utf-8", "replace").replace("\r\n", "\n")
        self.text = _COLOURS.sub("", text)
        return data != b""

    def expect(self, wanted: str) -> None:
        """Wait until the terminal shows a text, after the last one that was expected."""
        deadline = time.monotonic() + self._patience
        while (at := self.text.find(wanted, self._read)) < 0:
            if not self._more(deadline):
                raise AssertionError(f"{wanted!r} was never shown:\n{self.text}")
        self._read = at + len(wanted)

    def match(self, wanted: str) -> re.Match[str]:
        """Wait until the terminal shows what a regular expression describes, as ``expect`` does."""
        deadline = time.monotonic() + self._patience
        while not (match := re.compile(wanted).search(self.text, self._read)):
            if not self._more(deadline):
                raise AssertionError(f"{wanted!r} was never shown:\n{self.text}")
        self._read = match.end()
        return match

    def await_silence(self, seconds: float) -> None:
        """Read on until nothing new was shown for so long."""
        while select.select([self._master], [], [], seconds)[0]:
            if not self._more(time.monotonic() + seconds):
                return

    def await_polling(self) -> None:
        """Wait until the command polls for keys; Ansible's prompts drop what was typed before."""
        deadline = time.monotonic() + self._patience
        info = Path("/proc", str(self._process.pid), "fdinfo", "0")
        while True:
            flags = next(ln for ln in info.read_text().splitlines() if ln.startswith("flags:"))
            if int(flags.split()[1], 8) & os.O_NONBLOCK:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"nobody waits for a key. The terminal shows:\n{self.text}")
            time.sleep(0.02)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def say(self, line: str) -> None:
        """Type a line and press Enter."""
        self.type(line.encode() + b"\n")

    def vanish(self) -> None:
        """End the command and all that runs at the terminal, without a chance to tidy up."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=self._patience)

    def send(self, number: signal.Signals) -> None:
        """Send the command a signal."""
        self._process.send_signal(number)

    def exit_status(self) -> int:
        """Wait until the command ends and return its exit status."""
        deadline = time.monotonic() + self._patience
        while self._more(deadline):
            pass
        return self._process.wait(timeout=self._patience)
