"""The virtual machine itself: it does not outlive its tests, and its silence is explained."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.lab_hosts import TOP
from tests.vm.disk import Disk
from tests.vm.machine import BOOT_TIMEOUT, bound_to, started

STARTS = """
import signal, sys, time
from pathlib import Path
from tests.vm.disk import Disk
from tests.vm.machine import started
# Ctrl-C is passed over by what a shell has started in its background.
signal.signal(signal.SIGINT, signal.default_int_handler)
with started(Disk(Path(sys.argv[1])), Path(sys.argv[2])) as machine:
    print(machine.process.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_whoever_started_it(
    vm_disk: Disk, tmp_path: Path, number: signal.Signals
) -> None:
    with starter(vm_disk, tmp_path) as process:
        pid = started_by(process)
        await_program(pid, "qemu")
        assert ends(pid, process, number)


@pytest.mark.parametrize(
    ("starter", "said"), [(os.getpid(), "run\n"), (os.getppid(), "")], ids=["there", "gone"]
)
def test_it_does_not_start_for_a_starter_that_is_gone(starter: int, said: str) -> None:
    command = bound_to(starter, ["echo", "run"])
    assert subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout == said


def test_one_that_does_not_boot_is_told_with_its_console(vm_disk: Disk, tmp_path: Path) -> None:
    with started(vm_disk, tmp_path) as machine:
        deadline = time.monotonic() + BOOT_TIMEOUT
        while not (said := machine.console.read_text(errors="backslashreplace").strip()):
            assert time.monotonic() < deadline, "the console says nothing"
            time.sleep(0.1)
        with pytest.raises(AssertionError, match="no SSH within 0 s") as told:
            machine.await_boot(0)
    assert said in str(told.value)


def test_one_that_ends_is_told_at_once(vm_disk: Disk, tmp_path: Path) -> None:
    begun = time.monotonic()
    with started(vm_disk, tmp_path) as machine:
        machine.process.kill()
        machine.process.wait()
        with pytest.raises(AssertionError, match="QEMU ended"):
            machine.await_boot()
    assert time.monotonic() - begun < 30


@contextlib.contextmanager
def starter(disk: Disk, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Yield a process that starts a virtual machine, says its process id, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, str(disk.folder), str(folder)],
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def started_by(process: subprocess.Popen[str]) -> int:
    """Return the id of the process that becomes the virtual machine."""
    assert process.stdout is not None
    return int(process.stdout.readline())


def await_program(pid: int, name: str) -> None:
    """Wait until a process runs a program whose name begins so."""
    comm = Path(f"/proc/{pid}/comm")
    deadline = time.monotonic() + 30
    while not comm.read_text().startswith(name):
        assert time.monotonic() < deadline, f"{pid} is {comm.read_text()}"
        time.sleep(0.05)


def ends(pid: int, process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Return whether a process ends, in time, once its starter got a signal."""
    ending = os.pidfd_open(pid)
    process.send_signal(number)
    process.wait(timeout=30)
    # Readable when the process has ended, also where nobody has asked how.
    ended = bool(select.select([ending], [], [], 30)[0])
    if not ended:
        signal.pidfd_send_signal(ending, signal.SIGKILL)
    return ended
