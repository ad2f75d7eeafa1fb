"""One session on a lab host: tcpdump from before the exchange until after its close.

One thread moves all bytes: it reads the output of tcpdump, server and client as it comes, and every
wait is for something in that output, with a deadline.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import selectors
import signal
import subprocess
import tempfile
import time
import typing as t
import uuid

from ansible.module_utils.lab_capture_pcap import CaptureFormatError, PcapFollower
from ansible.module_utils.lab_look_session import MARK, end, marked

_PR_SET_PDEATHSIG = 1  # prctl(2)
_READ = 1 << 16
_LOG_LIMIT = 1 << 20  # bytes of a transcript; a program gone wild does not fill the controller

# tcpdump(1), "OUTPUT FORMAT": the counters that it reports when it finishes.
_COUNTERS = {
    "captured": re.compile(r"^(\d+) packets? captured", re.MULTILINE),
    "received": re.compile(r"^(\d+) packets? received by filter", re.MULTILINE),
    "dropped": re.compile(r"^(\d+) packets? dropped by kernel", re.MULTILINE),
}


class SessionError(Exception):
    """A step of the session failed: which one, what was seen, and what to do.

    ``trouble`` is the anchor of its paragraph in docs/troubles.md.
    """

    def __init__(self, step: str, seen: str, remedy: str, trouble: str) -> None:
        super().__init__(f"{step}: {seen}. {remedy} (docs/troubles.md#{trouble})")
        self.step = step
        self.seen = seen
        self.remedy = remedy


class CutOffError(Exception):
    """Nobody is waiting for the session any more."""


class Settings(t.NamedTuple):
    """What a session does. Every timeout is in seconds."""

    interface: str
    containers: dict[str, int]  # service → the first process of its container
    port: int
    docker: str
    tcpdump: list[str]
    server_container: str
    server_command: list[str]
    server_ready: str
    client_container: str
    client_command: list[str]
    messages: list[str]
    start_timeout: int
    exchange_timeout: int
    close_timeout: int
    stop_timeout: int
    size_limit: int


class Result(t.NamedTuple):
    """The result of a session: the capture, the transcripts, tcpdump's counters."""

    pcap: bytes
    server_log: bytes
    client_log: bytes
    counters: dict[str, int | None]
    connections: list[str]
    incomplete: str  # why the capture is incomplete; empty if it is complete


def _die_with_parent() -> None:
    """Have the kernel end the child when this process dies, however that happens."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A process whose output is collected, one buffer for each of its pipes."""

    def __init__(
        self,
        arguments: list[str],
        environment: dict[str, str],
        stdin: t.IO[bytes] | int = subprocess.DEVNULL,
        stderr: int = subprocess.STDOUT,
    ) -> None:
        self.said = bytearray()
        self.process = subprocess.Popen(
            arguments,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, **environment},
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - a module has one thread
        )

    @property
    def text(self) -> str:
        """Return its output so far."""
        return self.said.decode(errors="replace")

    @property
    def last_words(self) -> str:
        """Return its last line, for an error message."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it printed nothing"


class Session:
    """A running session, a context manager: whatever happens, it leaves nothing behind."""

    def __init__(self, settings: Settings, is_cut_off: t.Callable[[], bool]) -> None:
        self.id = uuid.uuid4().hex
        self.pcap = bytearray()
        self.follower = PcapFollower(settings.port)
        self._settings = settings
        self._is_cut_off = is_cut_off
        self._selector = selectors.DefaultSelector()
        self._environment = {MARK: self.id, "LC_ALL": "C"}
        self._children: list[Child] = []
        self._tcpdump: Child | None = None
        self._server: Child | None = None
        self._client: Child | None = None
        self._counters: dict[str, int | None] = dict.fromkeys(_COUNTERS)

    def __enter__(self) -> Session:  # noqa: PYI034 - Self is newer than the hosts' Python
        """Begin; nothing is started yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End everything that was started, here and in the containers."""
        if self._tcpdump is not None:
            self._kill(self._tcpdump)
        self._await_started()
        for child in self._children:
            self._kill(child)
        # The processes inside the containers do not notice the end of the docker client.
        end(marked(session=self.id), self._settings.stop_timeout)
        self._selector.close()

    @staticmethod
    def _kill(child: Child) -> None:
        with contextlib.suppress(ProcessLookupError):
            child.process.kill()
        child.process.wait()

    def _await_started(self) -> None:
        """Wait until the engine has started what it was asked to: it would even without its client.

        That process is in its container, so it is not a child of this module.
        """
        children = {child.process.pid for child in self._children}
        deadline = time.monotonic() + self._settings.stop_timeout
        while time.monotonic() < deadline:
            asked = sum(not _ended(child) for child in (self._server, self._client) if child)
            if asked <= sum(process.pid not in children for process in marked(session=self.id)):
                return
            time.sleep(0.05)

    def open_window(self) -> None:
        """Start tcpdump and wait until it listens."""
        settings = self._settings
        # Its output is a pipe, so it needs no file of its own and ends when its reader does;
        # packets come one by one (--immediate-mode) and are written at once (-U).
        options = ["--immediate-mode", "-U", "-n", "-i", settings.interface, "-w", "-"]
        child = self._start([*settings.tcpdump, *options], stderr=subprocess.PIPE)
        self._tcpdump = child
        self._listen(child.process.stdout, self._take_packets)
        self._listen(child.process.stderr, child.said.extend)
        if not self._until(lambda: "listening on" in child.text, settings.start_timeout, child):
            raise SessionError(
                "open the window",
                f"tcpdump on {settings.interface} {_how_far(child, settings.start_timeout)}",
                "Run playbooks/doctor.yml to see what stands in its way",
                trouble="tcpdump-ends",
            )

    def exchange(self) -> None:
        """Start the server, wait for it, then run the client with the messages."""
        settings = self._settings
        server = self._exec(settings.server_container, settings.server_command)
        self._server = server
        ready = settings.server_ready
        if not self._until(lambda: ready in server.text, settings.start_timeout, server):
            self._check_containers()
            raise SessionError(
                "start the server",
                f"it did not print '{ready}': it {_how_far(server, settings.start_timeout)}",
                "Stop a server that is still running, or run playbooks/reset.yml",
                trouble="server-does-not-start",
            )
        with tempfile.TemporaryFile() as lines:
            lines.write("".join(f"{message}\n" for message in settings.messages).encode())
            lines.seek(0)
            client = self._exec(settings.client_container, settings.client_command, lines)
        self._client = client
        in_time = self._until(lambda: _ended(client), settings.exchange_timeout)
        if not in_time or client.process.returncode != 0:
            self._check_containers()
            raise SessionError(
                "run the client",
                f"it {_how_far(client, settings.exchange_timeout)}",
                "See client.log and server.log beside the incomplete capture",
                trouble="client-fails",
            )

    def await_close(self, connections: int, timeout: float) -> bool:
        """Wait until that many connections are captured from handshake to close.

        Raises SessionError when tcpdump, or one of the lab's containers, ends first.
        """

        def closed() -> bool:
            if self.follower.completed >= connections:
                return True
            self._check_containers()
            return False

        if self._until(closed, timeout, self._tcpdump):
            return True
        if self._tcpdump is not None and _ended(self._tcpdump):
            raise SessionError(
                "capture",
                f"tcpdump on {self._settings.interface} ended: {self._tcpdump.last_words}",
                "Run playbooks/doctor.yml to see what stands in its way, then the capture again",
                trouble="tcpdump-ends",
            )
        return False

    def _check_containers(self) -> None:
        """Refuse to go on when a container has ended. Raises SessionError."""
        for service, pid in self._settings.containers.items():
            if not _has_memory(pid):
                raise SessionError(
                    "capture",
                    f"the container of {service} was stopped in the middle of the session",
                    "Run playbooks/deploy.yml, then the capture again",
                    trouble="not-running",
                )

    def close_window(self) -> None:
        """Stop tcpdump as Ctrl-C does and read its counters."""
        child = self._tcpdump
        if child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.process.send_signal(signal.SIGINT)
        if not self._until(lambda: _ended(child), self._settings.stop_timeout):
            raise SessionError(
                "close the window",
                f"tcpdump did not end within {self._settings.stop_timeout} s",
                "It was killed; run the capture again",
                trouble="tcpdump-ends",
            )
        self._drain()
        for name, pattern in _COUNTERS.items():
            counted = pattern.search(child.text)
            self._counters[name] = int(counted[1]) if counted else None

    def finish_server(self) -> None:
        """Wait until the server has noticed the close and ended."""
        server = self._server
        if server is not None and not self._until(
            lambda: _ended(server), self._settings.close_timeout
        ):
            raise SessionError(
                "end the server",
                f"it still runs {self._settings.close_timeout} s after the close:"
                f" {server.last_words}",
                "It was stopped; restore the lab files with playbooks/reset.yml",
                trouble="no-close",
            )

    def result(self, incomplete: str = "") -> Result:
        """Return the result so far, complete or not."""
        return Result(
            pcap=bytes(self.pcap),
            server_log=bytes(self._server.said) if self._server else b"",
            client_log=bytes(self._client.said) if self._client else b"",
            counters=self._counters,
            connections=[connection.name for connection in self.follower.connections],
            incomplete=incomplete or self._what_is_missing(),
        )

    def _what_is_missing(self) -> str:
        if not self.follower.completed:
            return "no connection was captured from its handshake to its close"
        if any(count is None for count in self._counters.values()):
            return "tcpdump did not report its counters"
        if self._counters["dropped"]:
            return f"the kernel dropped {self._counters['dropped']} packets"
        if not self.follower.records == self._counters["captured"] == self._counters["received"]:
            return (
                f"{self._counters['received']} packets were received by the filter,"
                f" {self.follower.records} are in the capture"
            )
        return ""

    def _start(
        self,
        arguments: list[str],
        stdin: t.IO[bytes] | int = subprocess.DEVNULL,
        stderr: int = subprocess.STDOUT,
    ) -> Child:
        child = Child(arguments, self._environment, stdin, stderr)
        self._children.append(child)
        return child

    def _exec(
        self, container: str, command: list[str], stdin: t.IO[bytes] | int = subprocess.DEVNULL
    ) -> Child:
        mark = f"{MARK}={self.id}"
        interactive = [] if stdin == subprocess.DEVNULL else ["-i"]
        child = self._start(
            [self._settings.docker, "exec", *interactive, "-e", mark, container, *command], stdin
        )
        self._listen(child.process.stdout, lambda data: _append(child.said, data))
        return child

    def _listen(self, pipe: t.IO[bytes] | None, sink: t.Callable[[bytes], None]) -> None:
        if pipe is not None:
            self._selector.register(pipe, selectors.EVENT_READ, sink)

    def _take_packets(self, data: bytes) -> None:
        if len(self.pcap) + len(data) > self._settings.size_limit:
            raise SessionError(
                "capture",
                f"the capture is larger than {self._settings.size_limit} bytes",
                "Something else uses the lab's network, or lab_capture_size_limit is too small",
                trouble="capture-incomplete",
            )
        self.pcap += data
        try:
            self.follower.feed(data)
        except CaptureFormatError as error:
            raise SessionError(
                "capture",
                f"tcpdump's output on {self._settings.interface} cannot be read: {error}",
                "Run playbooks/doctor.yml, which names the lab's bridge",
                trouble="tcpdump-ends",
            ) from error

    def _until(
        self, condition: t.Callable[[], bool], timeout: float, needs: Child | None = None
    ) -> bool:
        """Read until a condition holds; return False at the deadline or when ``needs`` has ended.

        Raises CutOffError as soon as nobody is waiting for the session any more.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if self._is_cut_off():
                raise CutOffError
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # A child that ends closes its pipes, which wakes the selector; the cap is for a child
            # whose own children keep them open.
            self._read(min(left, 0.05))
            if needs is not None and _ended(needs):
                self._drain()
                return condition()
        return True

    def _read(self, timeout: float) -> bool:
        """Pass on the content of the pipes; return whether there was any."""
        if not self._selector.get_map():
            time.sleep(min(timeout, 0.02))  # only the ends of processes are left to wait for
            return False
        ready = self._selector.select(timeout)
        for key, _ in ready:
            data = os.read(key.fd, _READ)
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def _drain(self) -> None:
        while self._read(0) and self._selector.get_map():
            pass


def _has_memory(pid: int) -> bool:
    """Return whether a process runs; a zombie, or one that ends, has no memory (proc(5))."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return bool(line.read(1))
    except OSError:
        return False


def _append(log: bytearray, data: bytes) -> None:
    log += data[: max(0, _LOG_LIMIT - len(log))]


def _ended(child: Child) -> bool:
    return child.process.poll() is not None


def _how_far(child: Child, timeout: int) -> str:
    """Return how a child failed, for an error message."""
    if _ended(child):
        return f"ended with status {child.process.returncode}: {child.last_words}"
    return f"did not get there within {timeout} s: {child.last_words}"
