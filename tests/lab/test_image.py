"""make-image-root: the lab's image from Debian packages alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.compose import IMAGE, inspect, run
from tests.lab.conftest import MAKE_IMAGE_ROOT

MEGABYTE = 1_000_000


@pytest.fixture
def nobodys() -> Iterator[Path]:
    """Yield a directory that the user nobody owns, with the program in it."""
    folder = Path(tempfile.mkdtemp(prefix="make-image-root-test-"))
    shutil.copy(MAKE_IMAGE_ROOT, folder)
    os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder)


def processes_below(folder: Path) -> list[int]:
    """Return ids of the processes that were started with a path of folder in their environment."""
    ids = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it has just ended
            if str(folder).encode() in environ.read_bytes():
                ids.append(int(environ.parent.name))
    return ids


def test_root_and_nobody_make_the_same_bytes(tmp_path: Path, nobodys: Path, mirror: str) -> None:
    ours, theirs = tmp_path / "root.tar", nobodys / "nobody.tar"
    arguments = ("--suite", "trixie", "--mirror", mirror, "--output")
    done = run(str(MAKE_IMAGE_ROOT), *arguments, str(ours))
    assert done.returncode == 0, done.stderr.decode()
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    program = str(nobodys / MAKE_IMAGE_ROOT.name)
    env = {**os.environ, "HOME": "/nonexistent", "TMPDIR": str(nobodys)}
    done = run(*nobody, program, *arguments, str(theirs), env=env, cwd=Path("/"))
    assert done.returncode == 0, done.stderr.decode()
    assert ours.read_bytes() == theirs.read_bytes()
    assert 10 * MEGABYTE < ours.stat().st_size < 23 * MEGABYTE
    assert sorted(path.name for path in nobodys.iterdir()) == [MAKE_IMAGE_ROOT.name, "nobody.tar"]


def test_dead_mirror_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket() as held:  # bound, but it does not listen: whoever connects is refused
        held.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{held.getsockname()[1]}/debian"
        target = str(tmp_path / "image.tar")
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        done = run(str(MAKE_IMAGE_ROOT), "--mirror", mirror, "--output", target, env=env)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert mirror in said
    assert "--mirror" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_and_nothing_is_left(tmp_path: Path, number: signal.Signals) -> None:
    with socket.socket() as silent:  # takes a connection and never answers: apt waits
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/debian"
        command = [
            str(MAKE_IMAGE_ROOT),
            "--mirror",
            mirror,
            "--output",
            str(tmp_path / "image.tar"),
        ]
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        with subprocess.Popen(command, env=env, start_new_session=True) as child:
            silent.settimeout(20)
            peer, _ = silent.accept()
            with peer:
                child.send_signal(number)
                assert child.wait(timeout=5) == 128 + number
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []


def test_archive_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path, mirror: str) -> None:
    target = tmp_path / "image.tar"
    target.mkdir()
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = run(str(MAKE_IMAGE_ROOT), "--mirror", mirror, "--output", str(target), env=env)
    assert done.returncode == 1
    assert "Is a directory" in done.stderr.decode()
    assert list(tmp_path.iterdir()) == [target]


def test_missing_mmdebstrap_is_named_with_its_remedy(tmp_path: Path) -> None:
    env = {**os.environ, "PATH": str(tmp_path)}
    target = str(tmp_path / "image.tar")
    done = run(sys.executable, str(MAKE_IMAGE_ROOT), "--output", target, env=env)
    assert done.returncode == 1
    assert "apt-get install mmdebstrap" in done.stderr.decode()


def test_image_in_use_is_small_and_has_what_experiments_need() -> None:
    assert inspect(IMAGE)["Size"] < 23 * MEGABYTE
    modules = (
        "argparse asyncio collections datetime errno http.server json logging math os queue random"
        " re select selectors shutil signal socket socketserver statistics struct subprocess sys"
        " tempfile threading time unittest"
    )
    code = f"import {modules.replace(' ', ', ')}; print(socket.gethostbyname('localhost'))"
    box = ("docker", "run", "--rm", "--network", "none", "--read-only", IMAGE)
    done = run(*box, "python", "-c", code)
    assert (done.returncode, done.stdout) == (0, b"127.0.0.1\n"), done.stderr.decode()
