"""The virtual machine's disk: Debian 12 with a kernel, systemd, sshd, sudo and Python, no more.

It is made without a mount and without a boot loader, and kept until what it is made from changes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
STATE = TOP / ".cache" / "vm"

LOGIN_KEY = STATE / "id_ed25519"
HOST_KEY = STATE / "ssh_host_ed25519_key"

# Not Debian 13: its kernel, 6.12, corrupts memory under QEMU's emulation.
SUITE = "bookworm"
PACKAGES = (
    "initramfs-tools",
    "linux-image-cloud-amd64",
    "openssh-server",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
)
SIZE = "4G"

ACCOUNT = TOP / "sandbox" / "roles" / "sandbox_host" / "files" / "finish-image.sh"
FINISH = Path(__file__).with_name("finish-root.sh")

# What the guest of QEMU's user network calls the machine that it runs on.
OUTSIDE = "10.0.2.2"
LOOPBACK = re.compile(r"(?<=[/@])(localhost|127(\.\d+){3}|\[::1\])(?=[:/]|$)")


@dataclasses.dataclass(frozen=True)
class Disk:
    """A folder with the disk, and with the kernel and initial RAM disk that start it."""

    folder: Path

    @property
    def image(self) -> Path:
        """The whole disk: one ext4 file system."""
        return self.folder / "disk.img"

    @property
    def kernel(self) -> Path:
        """The kernel that the root filesystem has the modules for."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """What that kernel finds the disk with."""
        return self.folder / "initrd.img"


def disk() -> Disk:
    """Return the disk, made if there is none of the present recipe."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    for key in (LOGIN_KEY, HOST_KEY):
        if not key.exists():
            comment = ("-C", key.name)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", *comment, "-f", str(key))
    lines, ways = sources(), proxies()
    files = (Path(__file__), ACCOUNT, FINISH, public(HOST_KEY), public(LOGIN_KEY))
    recipe = json.dumps([lines, ways, [file.read_text() for file in files]])
    made = Disk(STATE / f"disk-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}")
    if not made.folder.exists():
        for earlier in STATE.glob("disk-*"):
            shutil.rmtree(earlier)
        make(made, lines, ways)
    return made


def make(wanted: Disk, lines: list[str], ways: dict[str, str]) -> None:
    """Make the root filesystem and the disk; the folder gets its name when all of it is there."""
    making = STATE / "making"
    # Never into a file system that an interrupted making may have left mounted there.
    run("rm", "-rf", "--one-file-system", str(making))
    making.mkdir()
    part = Disk(making)
    root = making / "root"
    bootstrap(root, lines, ways)
    shutil.copy(next((root / "boot").glob("vmlinuz-*")), part.kernel)
    shutil.copy(next((root / "boot").glob("initrd.img-*")), part.initrd)
    run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(part.image), SIZE)
    run("rm", "-rf", "--one-file-system", str(root))
    making.rename(wanted.folder)


def bootstrap(root: Path, lines: list[str], ways: dict[str, str]) -> None:
    """Install the packages into an empty folder; account, keys and network as the last step."""
    proxy = root.with_name("proxy.conf")
    proxy.write_text(guest_proxies(ways))
    uploads = {
        ACCOUNT: "/root/finish-image.sh",
        HOST_KEY: "/etc/ssh/ssh_host_ed25519_key",
        public(HOST_KEY): "/etc/ssh/ssh_host_ed25519_key.pub",
        public(LOGIN_KEY): "/home/instructor/.ssh/authorized_keys",
        proxy: "/etc/apt/apt.conf.d/90proxy",
        FINISH: "/root/finish-root.sh",
    }
    hooks = []
    for file, place in uploads.items():
        hooks.append(f"upload {shlex.quote(str(file))} {place}")
        if place.endswith(".sh"):
            hooks.append(f'chroot "$1" sh {place} && rm "$1"{place}')
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        # As on any machine in use, apt has its lists; without translations it is quicker.
        "--skip=cleanup/apt/lists",
        '--aptopt=Acquire::Languages "none"',
        f"--include={','.join(PACKAGES)}",
        *(f"--customize-hook={hook}" for hook in hooks),
        SUITE,
        str(root),
        *lines,
        env={f"{scheme}_proxy": proxy for scheme, proxy in ways.items()},
    )


def public(key: Path) -> Path:
    """Return the public half of a key."""
    return key.with_suffix(".pub")


def sources() -> list[str]:
    """Return the suite's lines for apt, with the sources of this machine's own apt.

    No line at all stands for mmdebstrap's own choice. Both this machine and the virtual one use
    them, so a place on this machine's loopback is left out.
    """
    wanted = ("Identifier: Packages", "Origin: Debian")
    told = run("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", *wanted)
    places: dict[str, str] = {}
    for label, place in (line.split() for line in told.splitlines()):
        if place.startswith("http") and not LOOPBACK.search(place):
            places.setdefault(label, place)
    suites = {
        "Debian": (SUITE, f"{SUITE}-updates"),
        "Debian-Security": (f"{SUITE}-security",),
    }
    return [
        f"deb {places[label]} {suite} main"
        for label, names in suites.items()
        if label in places
        for suite in names
    ]


def proxies() -> dict[str, str]:
    """Return the proxies that this machine's apt uses, by scheme."""
    ways = {}
    for scheme in ("http", "https"):
        told = run("apt-config", "dump", "--format", "%v%n", f"Acquire::{scheme}::Proxy").strip()
        way = told or os.environ.get(f"{scheme}_proxy", "")
        if way not in {"", "DIRECT"}:
            ways[scheme] = way
    return ways


def guest_proxies(ways: dict[str, str]) -> str:
    """Return the same proxies as the virtual machine's apt has to be told of them."""
    return "".join(
        f'Acquire::{scheme}::Proxy "{LOOPBACK.sub(OUTSIDE, way)}";\n'
        for scheme, way in ways.items()
    )


def run(*command: str, env: t.Mapping[str, str] | None = None) -> str:
    """Return what a program says; what it complains about is shown, and its failure raised."""
    # mke2fs is in /usr/sbin, which not every user has on PATH.
    paths = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return subprocess.run(
        command,
        env={**os.environ, "PATH": paths, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
