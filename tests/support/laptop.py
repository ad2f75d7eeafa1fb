"""A laptop with Docker Desktop, simulated on a lab host.

The laptop has a name and a network of its own, so no bridge shows; docker's socket and all folders
are the lab host's, which stands for the machine in which Docker Desktop runs its engine.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testinfra.host import Host

from tests.support.captures import name_of
from tests.support.lab_hosts import LAB, TOP, run_command

PROGRAM = "/usr/local/bin/laptop"  # runs a command on the laptop
FOLDER = "upcall-lab"  # the clone, in the student's home folder
IMAGE = "upcall-capture:1"

_SCRIPT = """#!/bin/sh
exec ip netns exec laptop unshare --uts sh -c 'hostname laptop; exec "$@"' sh "$@"
"""


@contextmanager
def a_laptop(host: Host, user: str = "instructor") -> Iterator[None]:
    """Make the laptop, with the lab's files in a user's home folder; remove it afterwards."""
    home = f"~{user}/{FOLDER}"
    with host.sudo():
        try:
            host.check_output(f"cat > {PROGRAM} <<'END'\n{_SCRIPT}END\nchmod 755 {PROGRAM}")
            host.check_output("ip netns add laptop")
            host.check_output(f"cp -r {LAB} {home} && rm -f {home}/upcall.pcap")
            host.check_output(f"chown -R {user}: {home}")
            yield
        finally:
            host.run(f"ip netns delete laptop; rm -r {PROGRAM} {home}")


@contextmanager
def image_for_captures(host: Host, folder: Path) -> Iterator[None]:
    """Bring the image as a lecturer does where no registry answers (docs/troubles.md)."""
    archive = folder / "upcall-capture.tar"
    program = TOP / "roles" / "lab_upcall" / "files" / "make-image-root"
    sites = run_command("apt-get indextargets --format '$(SITE)' 'Component: main'").stdout.split()
    mirror = ["--mirror", sites[0]] if sites else []
    made = run_command([program, "--capture", *mirror, "--output", archive])
    assert made.returncode == 0, made.stdout
    load = ["docker", "exec", "--interactive", name_of(host), "docker", "import", "-", IMAGE]
    with archive.open("rb") as content:
        subprocess.run(load, stdin=content, check=True, capture_output=True)
    try:
        yield
    finally:
        with host.sudo():
            host.run(f"docker image rm --force {IMAGE}")
