"""A folder of results that is exchanged in one step: all of its files are old, or all are new.

The new files are written beside it, in ``.<name>.upcall-grade``. What a killed run left there is
removed by the next one; files of somebody else in the folder stay in it. The new files are on the
medium before they take the place of the old ones, and that before those are removed: a power loss
leaves one of both. What is wrong is an OSError.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import filecmp
import os
import shutil
import signal
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

LOCK = ".lock"
_ENDING = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


class LockError(OSError):
    """The lock of a folder is no regular file."""


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, whatever the umask."""
    folder.mkdir(mode=0o700)
    folder.chmod(0o700)


def save(file: Path, data: bytes) -> None:
    """Write a new file for its owner alone, whatever the umask."""
    save_pieces(file, (data,))


def save_pieces(file: Path, pieces: Iterable[bytes]) -> None:
    """Write the same from pieces, of which no two need to be there at once."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(descriptor, 0o600)
        stream.writelines(pieces)


@contextlib.contextmanager
def alone(folder: Path, ours: Collection[str], waits: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock, and have no leftovers of a killed run beside it.

    ``waits`` is called with the process that has the lock, if it has to be waited for. A folder
    that was made for the lock goes again if nothing else came into it.
    """
    with _signals(signal.SIG_BLOCK):
        if not folder.exists() and _is_own(_old(folder)):
            _old(folder).rename(folder)
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        descriptor = _lock(folder, waits)
        try:
            _clear(folder, ours)
            with _signals(signal.SIG_UNBLOCK):
                yield
        finally:
            os.ftruncate(descriptor, 0)
            if made and [entry.name for entry in folder.iterdir()] == [LOCK]:
                (folder / LOCK).unlink()
                with contextlib.suppress(OSError):
                    for path in made:
                        path.rmdir()
            os.close(descriptor)


def replace_folder(folder: Path, ours: Collection[str], write: Callable[[Path], None]) -> bool:
    """Have ``write`` fill a new folder, and put it in the place of ``folder``, which is locked.

    ``ours`` are the names in it that are replaced; everything else is carried over. Returns whether
    anything is new; if not, the folder is left as it is.
    """
    new = _new(folder)
    # A signal that ends the program can do so while the files are written, at no other moment.
    with _signals(signal.SIG_BLOCK):
        make_folder(new)
        try:
            with _signals(signal.SIG_UNBLOCK):
                write(new)
            if _is_same(new, folder, ours):
                return False
            # Where there are no hard links, runs that wait see that the lock is another one.
            with contextlib.suppress(OSError):
                os.link(folder / LOCK, new / LOCK)
            _flush(new)
            _exchange(new, folder)
            _flush(folder)
            return True
        finally:
            _clear(folder, ours)


@contextlib.contextmanager
def _signals(how: int) -> Iterator[None]:
    """Have signals that end the program wait (SIG_BLOCK), or come through (SIG_UNBLOCK)."""
    before = signal.pthread_sigmask(how, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _lock(folder: Path, waits: Callable[[str], None]) -> int:
    """Return a descriptor of the folder's lock, with which it is held."""
    while True:
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                make_folder(folder)
        try:
            descriptor = _open_lock(folder / LOCK)
        except FileNotFoundError:
            continue  # The run that had made the folder has removed it.
        try:
            _wait(descriptor, waits)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), (folder / LOCK).lstat()):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open_lock(file: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(file, flags, 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _no_lock(file) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_lock(file)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _no_lock(file: Path) -> LockError:
    return LockError(errno.EINVAL, "the lock is no regular file", str(file))


def _wait(descriptor: int, waits: Callable[[str], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with _signals(signal.SIG_UNBLOCK):
            waits(os.pread(descriptor, 20, 0).decode("ascii", "replace"))
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def _new(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.upcall-grade")


def _old(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.upcall-grade-old")


def _is_own(place: Path) -> bool:
    """Return whether this is a folder of this user, and no link to one."""
    try:
        status = place.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _clear(folder: Path, ours: Collection[str]) -> None:
    """Remove what lies beside the folder; what is not ours comes back into it."""
    for place in filter(_is_own, (_new(folder), _old(folder))):
        for entry in list(place.iterdir()):
            if entry.name not in ours and entry.name != LOCK:
                target = folder / entry.name
                while os.path.lexists(target):
                    target = target.with_name(f"{target.name}~")
                entry.rename(target)
        shutil.rmtree(place)


def _is_same(new: Path, folder: Path, ours: Collection[str]) -> bool:
    """Return whether the folder holds the same files already, for its owner alone."""
    modes = _modes(new, ours)
    return modes == _modes(folder, ours) and all(
        filecmp.cmp(new / name, folder / name, shallow=False)
        for name, mode in modes.items()
        if stat.S_ISREG(mode)
    )


def _modes(folder: Path, ours: Collection[str]) -> dict[Path, int]:
    paths = [folder, *(folder / name for name in ours if os.path.lexists(folder / name))]
    paths += [path for top in paths[1:] if not top.is_symlink() for path in top.rglob("*")]
    return {path.relative_to(folder): path.lstat().st_mode for path in paths}


def _exchange(new: Path, folder: Path) -> None:
    """Give each folder the other's name; where the file system cannot, move one after the other."""
    if _exchange_names(new, folder):
        return
    old = _old(folder)
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _flush(folder: Path) -> None:
    """Wait until all that was written where a folder lies is on the medium (syncfs(2)).

    That is one call, where each of some thousand pages would be waited for by itself.
    """
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        os.sync()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if call(descriptor) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(descriptor)


def _exchange_names(one: Path, other: Path) -> bool:
    """Do it in one step, or return False where kernel or file system have no such step."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if call(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), str(other))
