"""A lab host on which a user of the test's own has a password and no key yet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from testinfra.host import Host

from tests.support.first_contact import PASSWORD, USER, Room


@pytest.fixture
def room(host: Host, tmp_path: Path) -> Iterator[Room]:
    """Make a room whose user needs a password, also for sudo, and is gone after the test."""
    remove = f"pkill -KILL -u {USER}; ! id {USER} || userdel --remove {USER}"
    with host.sudo():
        host.run(remove)
        host.check_output(f"useradd --create-home --groups sudo --shell /bin/bash {USER}")
        host.check_output("echo %s | chpasswd", f"{USER}:{PASSWORD}")
    with tempfile.TemporaryDirectory(prefix="enroll-") as sockets:
        try:
            yield Room(host, tmp_path, Path(sockets))
        finally:
            with host.sudo():
                host.run(remove)
