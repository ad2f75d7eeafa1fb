"""Firefox over its own protocol, Marionette: playwright drives no Firefox that a distribution has.

A message is its length in bytes, a colon, and JSON: ``[0, number, command, arguments]``, which is
answered by ``[1, number, error, result]``. The commands are those of WebDriver.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.chromium import program

# Any free port; it stands in MarionetteActivePort in the profile then.
_PREFERENCES = 'user_pref("marionette.port", 0);\n'
_SECONDS = 120


class Firefox:
    """A Firefox that has one window."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream.makefile("rwb")
        self._number = 0
        self._read()
        self._ask("WebDriver:NewSession")

    def open(self, file: Path) -> None:
        """Load a file as a page."""
        self._ask("WebDriver:Navigate", url=file.as_uri())

    def value(self, expression: str) -> t.Any:
        """Return what a JavaScript expression is in the page."""
        return self._ask("WebDriver:ExecuteScript", script=f"return {expression}", args=[])["value"]

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true in the page."""
        deadline = time.monotonic() + _SECONDS
        while not self.value(condition):
            assert time.monotonic() < deadline, f"not so in {_SECONDS} s: {condition}"
            time.sleep(0.05)

    def type(self, selector: str, text: str) -> None:
        """Type into an element; where files are chosen, ``text`` is a file's path."""
        found = self._ask("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self._ask("WebDriver:ElementSendKeys", id=next(iter(found.values())), text=text)

    def _ask(self, command: str, **arguments: object) -> t.Any:
        self._number += 1
        message = json.dumps([0, self._number, command, arguments]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _, number, error, result = self._read()
        assert (number, error) == (self._number, None)
        return result

    def _read(self) -> t.Any:
        length = b""
        while not length.endswith(b":"):
            length += self._stream.read(1)
        return json.loads(self._stream.read(int(length[:-1])))


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox with a new profile and home in ``folder``, without a window on the screen."""
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(_PREFERENCES, encoding="utf-8")
    command = [program("firefox", "firefox-esr"), "--headless", "--marionette", "--no-remote"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--profile", profile],
            env=os.environ | {"HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
    try:
        with socket.create_connection(("127.0.0.1", _port(profile, process))) as stream:
            yield Firefox(stream)
    finally:
        process.terminate()
        process.wait()


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    file = profile / "MarionetteActivePort"
    deadline = time.monotonic() + _SECONDS
    while not (file.exists() and (text := file.read_text("utf-8"))):
        assert process.poll() is None, "Firefox has ended"
        assert time.monotonic() < deadline, f"Firefox does not start in {_SECONDS} s"
        time.sleep(0.05)
    return int(text)
