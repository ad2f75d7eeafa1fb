"""Action plugin lab_enroll_host_key_info: a host's SSH key, compared with the known ones."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import typing as t
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

# As ssh-keygen -l names them. Others (certificates, DSA) are not recorded.
_TYPES = {
    "ssh-ed25519": "ED25519",
    "ecdsa-sha2-nistp256": "ECDSA",
    "ecdsa-sha2-nistp384": "ECDSA",
    "ecdsa-sha2-nistp521": "ECDSA",
    "ssh-rsa": "RSA",
}
_PATIENCE = 30  # seconds for a program that does not use the network


@dataclasses.dataclass(frozen=True)
class Key:
    """A public host key: its type and its body, as in ``known_hosts``."""

    type: str
    body: str

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint as ``ssh-keygen -l`` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        """Return the fingerprint and the type's short name, for messages."""
        return f"{self.fingerprint} ({_TYPES[self.type]})"


@dataclasses.dataclass(frozen=True)
class Known:
    """A key in a file: where, and whether it is marked as revoked."""

    key: Key
    place: str
    file: str
    revoked: bool


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings that ``ssh -G`` prints for the connection to a host."""

    address: str
    port: int
    name: str
    record: str
    files: list[str]
    hash: bool


class ActionModule(ActionBase):
    """Runs on the controller alone; reads the connection's options and does not open it."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        """Fetch the host's keys, look them up, and compare."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _, arguments = self.validate_argument_spec(
            argument_spec={
                "fingerprint": {"type": "str"},
                "timeout": {"type": "int", "default": 10},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", ""))
        for program in ("ssh", "ssh-keyscan", "ssh-keygen"):
            if not shutil.which(program):
                raise AnsibleActionFail(
                    f"The controller has no {program}: install OpenSSH's client (on Debian and"
                    " Ubuntu, the package openssh-client). (docs/troubles.md#no-packages)"
                )
        settings = read_settings(host, output_of(self._command(host)))
        known = [entry for file in settings.files for entry in look_up(settings.name, file)]
        # Each type takes a connection, and a busy machine drops some: if keys are known, only the
        # types that can be compared are asked for.
        wanted = {entry.key.type for entry in known}
        if arguments["fingerprint"] is not None or all(entry.revoked for entry in known):
            wanted = set(_TYPES)
        offered = scan(settings, arguments["timeout"], wanted)
        offered = offered or scan(settings, arguments["timeout"], set(_TYPES) - wanted)
        if not offered:
            raise AnsibleActionFail(
                f"{host} does not answer: no SSH server answered at {settings.address}, port"
                f" {settings.port}, within {arguments['timeout']} s. Is the machine on, is its"
                " address right, and does sshd run on it? Then run this again; the others need"
                " not wait for it. (docs/troubles.md#host-off)"
            )
        same = compare(host, settings.name, offered, known)
        key = choose(host, offered, arguments["fingerprint"])
        return result | {
            "changed": False,
            "known": same,
            "confirmed": arguments["fingerprint"] is not None,
            "name": settings.name,
            "file": settings.record,
            "hash": settings.hash,
            "line": f"{settings.name} {key.type} {key.body}",
            "type": _TYPES[key.type],
            "fingerprint": key.fingerprint,
        }

    def _command(self, host: str) -> list[str]:
        """Return ``ssh -G`` with the options of the connection, in the connection's own order."""
        if self._connection.transport != "ssh":
            raise AnsibleActionFail(
                f"{host} is not reached over SSH (its connection is {self._connection.transport}),"
                " so there is nothing to enroll. Name the room: -i inventory/classroom.yml"
                " (docs/troubles.md#cannot-be-enrolled)"
            )
        option = self._connection.get_option
        command = [option("ssh_executable"), *shlex.split(option("ssh_args") or "")]
        if option("host_key_checking") is False:
            command += ["-o", "StrictHostKeyChecking=no"]
        if option("port") is not None:
            command += ["-o", f"Port={option('port')}"]
        if option("remote_user"):
            command += ["-o", f'User="{option("remote_user")}"']
        command += shlex.split(option("ssh_common_args") or "")
        command += shlex.split(option("ssh_extra_args") or "")
        return [*command, "-G", option("host")]


def output_of(command: Sequence[str]) -> str:
    """Return the output of a program on the controller. Raises AnsibleActionFail if it fails."""
    done = run(command, _PATIENCE)
    if done.returncode != 0:
        raise AnsibleActionFail(
            f"{shlex.join(command)} ended with {done.returncode}: {done.stderr.strip()}"
            " (docs/troubles.md#ssh-options)"
        )
    return done.stdout


def run(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Raises AnsibleActionFail if that takes too long."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AnsibleActionFail(
            f"{shlex.join(command)}: {error} (docs/troubles.md#ssh-options)"
        ) from error


def read_settings(host: str, text: str) -> Settings:
    """Return the settings in the output of ``ssh -G``.

    Raises:
        AnsibleActionFail: the host's key could not be fetched from here, or would not be checked.
    """
    lines = (line.partition(" ") for line in text.splitlines())
    values = {name: value.strip() for name, _, value in lines}
    if values.get("stricthostkeychecking") in ("no", "off", "false"):
        raise AnsibleActionFail(
            f"Host key checking is switched off for {host}, and enrolling depends on it. Take"
            " StrictHostKeyChecking out of ansible_ssh_common_args, or of your ssh_config."
            " (docs/troubles.md#ssh-options)"
        )
    if {values.get("proxyjump", "none"), values.get("proxycommand", "none")} != {"none"}:
        raise AnsibleActionFail(
            f"{host} is reached through another machine (ProxyJump or ProxyCommand), so its key"
            " cannot be fetched. Log in once by hand with ssh, compare the"
            " fingerprint that it shows, and run this again. (docs/troubles.md#cannot-be-enrolled)"
        )
    address, port = values["hostname"], int(values["port"])
    plain = address if port == 22 else f"[{address}]:{port}"
    users = values.get("userknownhostsfile", "none").split()
    others = values.get("globalknownhostsfile", "").split()
    return Settings(
        address=address,
        port=port,
        # In known_hosts, ssh looks for the name in lower case.
        name=values.get("hostkeyalias", plain).lower(),
        record=place_to_record(users[0]),
        files=[real(file) for file in users + others if file != "none"],
        hash=values.get("hashknownhosts") == "yes",
    )


def real(file: str) -> str:
    """Return a file's own path, so that a link to it stays a link when the file is replaced."""
    return os.path.realpath(Path(file).expanduser())


def place_to_record(file: str) -> str:
    """Return the file to record keys in. Raises AnsibleActionFail if it cannot be used."""
    path = Path(real(file))
    if file == "none" or (path.exists() and not path.is_file()):
        raise AnsibleActionFail(
            f"ssh is set to keep host keys in {file}, which is not a file. Name one in"
            " UserKnownHostsFile (ansible_ssh_common_args, or your ssh_config)."
            " (docs/troubles.md#known_hosts)"
        )
    if not path.parent.is_dir():
        raise AnsibleActionFail(
            f"There is no folder for {path}, where host keys are kept. Make it:"
            f" {shlex.join(['mkdir', '-m', '700', str(path.parent)])}"
            " (docs/troubles.md#known_hosts)"
        )
    return str(path)


def parse(words: Sequence[str]) -> Key | None:
    """Return a key from its type and body; None if its type is not recorded or it is damaged."""
    if len(words) < 2 or words[0] not in _TYPES:
        return None
    try:
        data = base64.b64decode(words[1], validate=True)
    except (ValueError, binascii.Error):
        return None
    # The body begins with the type, again, after its length in four bytes (RFC 4253, section 6.6).
    name = words[0].encode()
    whole = data.startswith(len(name).to_bytes(4, "big") + name)
    return Key(words[0], words[1]) if whole else None


def scan(settings: Settings, timeout: int, types: set[str]) -> list[Key]:
    """Return the keys of these types that a host shows within the timeout; none if it is off."""
    kinds = ",".join(sorted({_TYPES[kind].lower() for kind in types}))
    if not kinds:
        return []
    command = ["ssh-keyscan", "-T", str(timeout), "-p", str(settings.port), "-t", kinds]
    # The name may have several addresses, and each gets the whole time.
    output = run([*command, settings.address], _PATIENCE + 10 * timeout).stdout
    keys = [parse(line.split()[1:]) for line in output.splitlines() if not line.startswith("#")]
    return [key for key in keys if key is not None]


def look_up(name: str, file: str) -> Iterator[Known]:
    """Yield the keys of a name in a ``known_hosts``. Raises AnsibleActionFail if unreadable."""
    if not Path(file).exists():
        return
    command = ["ssh-keygen", "-F", name, "-f", file]
    done = run(command, _PATIENCE)
    if done.returncode not in (0, 1) or done.stderr:
        raise AnsibleActionFail(
            f"{shlex.join(command)}: {done.stderr.strip()} (docs/troubles.md#known_hosts)"
        )
    place = file
    for line in done.stdout.splitlines():
        if number := re.match(r"# Host .* found: line (\d+)", line):
            place = f"{file} line {number[1]}"
            continue
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        key = parse(words[1:])
        # A host does not show a certificate authority's key.
        if key is not None and marker in ("", "@revoked"):
            yield Known(key, place, file, revoked=bool(marker))


def compare(host: str, name: str, offered: Sequence[Key], known: Sequence[Known]) -> bool:
    """Return whether the host's key is known.

    Raises:
        AnsibleActionFail: a key is revoked, or differs from the known one.
    """
    for entry in known:
        if entry.revoked and entry.key in offered:
            raise AnsibleActionFail(
                f"{host} shows a host key that is revoked in {entry.place}: {entry.key}. Another"
                " machine may have that key and pose as this one; do not connect to it."
                " (docs/troubles.md#host-key-changed)"
            )
    trusted = [entry for entry in known if not entry.revoked]
    if not trusted:
        return False
    common = {entry.key.type for entry in trusted if entry.key in offered}
    types = {key.type for key in offered}
    for entry in trusted:
        # No key in common is as bad as a different one: the machine that answers has no known key.
        if entry.key.type not in common and (entry.key.type in types or not common):
            shown = ", ".join(str(key) for key in offered)
            raise AnsibleActionFail(
                f"The host key of {host} is NOT the one that is known. {entry.place} has"
                f" {entry.key}, the machine shows {shown}. Either it was reinstalled, or another"
                " machine answers in its place and would get your password. Compare at the machine"
                " itself: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Only if it is the"
                " machine's own, remove the old one and run this again:"
                f" {shlex.join(['ssh-keygen', '-R', name, '-f', entry.file])}"
                " (docs/troubles.md#host-key-changed)"
            )
    return True


def choose(host: str, offered: Sequence[Key], fingerprint: str | None) -> Key:
    """Return the key to record: that of the fingerprint, else the first type of ``_TYPES``.

    Raises:
        AnsibleActionFail: no key that the host shows has the fingerprint.
    """
    if fingerprint is None:
        order = list(_TYPES)
        return min(offered, key=lambda key: order.index(key.type))
    for key in offered:
        if key.fingerprint == fingerprint.strip():
            return key
    raise AnsibleActionFail(
        f"{host} shows a host key other than the one in lab_enroll_fingerprints. There it is"
        f" {fingerprint.strip()}, the machine shows {', '.join(map(str, offered))}. Read it again"
        " at the machine (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if it still differs,"
        " another machine answers in its place. (docs/troubles.md#host-key-changed)"
    )
