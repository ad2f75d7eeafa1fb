"""The virtual machine: started from a fresh disk, reached over SSH, gone with its starter."""

from __future__ import annotations

import collections
import contextlib
import os
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.vm.disk import HOST_KEY, LOGIN_KEY, Disk, public

NAME = "lab-vm"

# What was seen to be stable without hardware's help; with kvm, the machine's own processor.
ACCELERATORS = {
    "tcg": ("-accel", "tcg,thread=single", "-cpu", "qemu64"),
    "kvm": ("-accel", "kvm", "-cpu", "host"),
}

# Seconds until SSH answers. Emulated it took 25 on an idle machine of two cores.
BOOT_TIMEOUT = 300.0


class Machine:
    """A virtual machine that runs, and how to reach it."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.inventory = folder / "inventory.yml"
        self.ssh_config = folder / "ssh_config"
        self.console = folder / "console.log"

    def ssh(self, command: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a shell command there, as the instructor; its failure is told, not raised."""
        return subprocess.run(
            ["ssh", "-F", self.ssh_config, NAME, command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def say(self, command: str) -> str:
        """Return what a shell command says there.

        Raises:
            AssertionError: the command failed.
        """
        done = self.ssh(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def await_boot(self, seconds: float = BOOT_TIMEOUT, unlike: str = "") -> str:
        """Wait for SSH, then for systemd to have started everything; the boot's id comes back.

        Args:
            seconds: the most to wait for SSH.
            unlike: a boot that does not count, since it is the one before.

        Raises:
            AssertionError: the machine ended, or does not answer; with the end of its console.
        """
        boot = ""
        deadline = time.monotonic() + seconds
        while not boot or boot == unlike:
            assert self.process.poll() is None, f"QEMU ended\n{self.last_words()}"
            told = f"no SSH within {seconds:g} s\n{self.last_words()}"
            assert time.monotonic() < deadline, told
            with contextlib.suppress(subprocess.TimeoutExpired):
                boot = self.ssh("cat /proc/sys/kernel/random/boot_id", 10).stdout.strip()
            time.sleep(0.5)
        rest = self.ssh("sudo systemctl is-system-running --wait", BOOT_TIMEOUT)
        failed = self.ssh("sudo systemctl list-units --failed --plain --no-legend").stdout
        assert rest.stdout.strip() == "running", f"systemd: {rest.stdout}{rest.stderr}{failed}"
        return boot

    def last_words(self, lines: int = 30) -> str:
        """Return the end of what QEMU and the virtual machine's console have said."""
        with self.console.open(errors="backslashreplace") as console:
            said = "".join(collections.deque(console, lines))
        return f"{self.console} ends with:\n{said}"


@contextlib.contextmanager
def started(disk: Disk, folder: Path) -> Iterator[Machine]:
    """Yield a virtual machine whose every change is forgotten, from power on to power off.

    Args:
        disk: what it starts from; it is only read.
        folder: where console.log is written, and what SSH and Ansible need to reach the machine.

    Raises:
        KeyError: VM_ACCEL names no way to run a virtual machine.
    """
    port = free_port()
    write_access(folder, port)
    accelerator = ACCELERATORS[os.environ.get("VM_ACCEL", "tcg")]
    command = ["qemu-system-x86_64", *accelerator, "-m", "2048", "-smp", "1"]
    command += ["-kernel", disk.kernel.name, "-initrd", disk.initrd.name]
    command += ["-append", "root=/dev/vda rw console=ttyS0 nokaslr quiet"]
    command += ["-drive", f"file={disk.image.name},format=raw,if=virtio,snapshot=on"]
    network = f"user,id=net0,ipv6=off,hostfwd=tcp:127.0.0.1:{port}-:22"
    command += ["-netdev", network, "-device", "virtio-net-pci,netdev=net0"]
    command += ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    with (folder / "console.log").open("w") as console:
        process = subprocess.Popen(
            bound_to(os.getpid(), command),
            cwd=disk.folder,
            # Where what it writes to the disk is kept, in files that have no name.
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        yield Machine(process, folder)
    finally:
        process.kill()
        process.wait()


def bound_to(starter: int, command: list[str]) -> list[str]:
    """Return a command that the kernel kills when its starter ends, however that ends.

    A starter may be killed before the kernel was told so; then the command is not run at all.

    Args:
        starter: the process id of whoever will run this command.
        command: what to run.
    """
    present = '[ "$PPID" = "$0" ] && exec "$@"'
    return ["setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", present, str(starter), *command]


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_access(folder: Path, port: int) -> None:
    """Write what SSH and Ansible need: address, user, key, and the one host key that is right."""
    known_hosts = folder / "known_hosts"
    ssh_config = folder / "ssh_config"
    options = {
        "HostName": "127.0.0.1",
        "Port": port,
        "HostKeyAlias": NAME,
        "User": "instructor",
        "IdentityFile": f'"{LOGIN_KEY}"',
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "BatchMode": "yes",
        "ConnectTimeout": 30,
        "UserKnownHostsFile": f'"{known_hosts}"',
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "UpdateHostKeys": "no",
    }
    lines = [f"Host {NAME}", *(f"    {name} {value}" for name, value in options.items())]
    ssh_config.write_text("\n".join(lines) + "\n")
    known_hosts.write_text(f"{NAME} {public(HOST_KEY).read_text()}")
    (folder / "inventory.yml").write_text(
        f"""---
lab_hosts:
  hosts:
    {NAME}:
      ansible_user: instructor
      ansible_ssh_common_args: -F {shlex.quote(str(ssh_config))}
      ansible_python_interpreter: /usr/bin/python3
"""
    )
