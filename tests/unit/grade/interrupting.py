"""``upcall-grade --out``, ended at each of its steps on files: a forked process for each.

``python -m tests.unit.grade.interrupting HOW [missing] [no-exchange]`` prints a line of JSON for
each step. The captures of the earlier and the later run lie in ``one/`` and ``two/`` where it runs.
"""

from __future__ import annotations

import errno
import functools
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from upcall_files import whole
from upcall_grader.grade.command import main
from upcall_grader.judge.earlier_results import RESULTS
from upcall_grader.report import rendering

WRITING = ("os.mkdir", "os.link")
STEPS = (
    *WRITING,
    *("open", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.truncate", "ctypes.dlsym"),
    *("os.listdir", "os.scandir", "shutil.rmtree", "fcntl.flock"),
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OUT = Path("out")


def run(captures: str, out: Path = OUT) -> int:
    """Grade in this process, which tells nothing."""
    return main([captures, "--out", str(out)])


def interrupt(how: str, number: int) -> None:
    """Have the step of this number end the process, or find the disk full from there on."""
    steps = itertools.count()

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event not in STEPS or (step := next(steps)) < number:
            return
        if how == "full":
            makes = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
            if makes or event in WRITING:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
        elif step == number:
            os.kill(os.getpid(), signal.SIGKILL if how == "kill" else SIGNALS[number % 3])

    sys.addaudithook(hook)


def forked(captures: str, how: str = "", number: int = -1) -> int:
    """Grade in a process of its own; returns its exit status, negative for a signal."""
    process = os.fork()
    if process == 0:
        if how:
            interrupt(how, number)
        os._exit(run(captures))
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def results(out: Path = OUT) -> dict[str, str]:
    """Return the results that a folder shows."""
    return {
        str(path.relative_to(out)): path.read_text("utf-8")
        for path in out.rglob("*")
        if path.is_file() and path.relative_to(out).parts[0] in RESULTS
    }


def others() -> list[str]:
    """Return everything else that lies there."""
    found = (path for path in Path().rglob("*") if path.is_file())
    return sorted(
        str(path)
        for path in found
        if not (path.is_relative_to(OUT) and path.relative_to(OUT).parts[0] in RESULTS)
    )


def steps(how: str, earlier: bool) -> Iterator[dict[str, object]]:
    """Interrupt a run at each of its steps, and yield what was found after each."""
    saved = Path("..", "saved").resolve()
    if earlier:
        forked("one")
        (OUT / "notes.txt").write_text("mine")
        (OUT / "mine").mkdir()
        (OUT / "mine" / "thesis.txt").write_text("years of work")
        shutil.move(OUT, saved)
    restore(saved)
    old, before = results(), others()
    forked("two")
    new = results()
    for number in itertools.count():
        restore(saved)
        status = forked("two", how, number)
        if status == 0:
            return
        shown, left = results(), sorted(set(others()) ^ set(before))
        if how == "kill":
            forked("two")
        yield {
            "status": status,
            "shown": "old" if shown == old else "new" if shown == new else sorted(shown),
            "left": left,
            "later": results() == new,
            "later_left": sorted(set(others()) ^ set(before)),
        }


def restore(saved: Path) -> None:
    """Lay what was there before the run."""
    if OUT.exists():
        shutil.rmtree(OUT)
    if saved.exists():
        shutil.copytree(saved, OUT)


if __name__ == "__main__":
    told = os.fdopen(os.dup(1), "w")
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    for each in SIGNALS:
        # Under nohup a hang-up would end nothing.
        signal.signal(each, signal.SIG_DFL if each != signal.SIGINT else signal.default_int_handler)
    if "no-exchange" in sys.argv:
        whole._exchange_names = lambda one, other: False  # noqa: ARG005
    # Templates are compiled once, and what is imported late is imported now.
    rendering._environment = functools.cache(rendering._environment)
    run("one", Path("warm"))
    shutil.rmtree("warm")
    with told:
        for step in steps(sys.argv[1], "missing" not in sys.argv):
            told.write(json.dumps(step) + "\n")
