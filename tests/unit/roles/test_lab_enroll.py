"""What a host key's fetching decides, held against OpenSSH's own programs."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleActionFail

from tests.support.loading import load

plugin = load("plugins/action/lab_enroll_host_key_info.py")

KINDS = ("ed25519", "ecdsa", "rsa")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two keys of each type, as OpenSSH makes them."""
    path = tmp_path_factory.mktemp("keys")
    for kind in KINDS:
        for name in ("own", "other"):
            file = path / f"{name}-{kind}"
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", file], check=True)
    return path


def key(folder: Path, name: str) -> t.Any:
    return plugin.parse((folder / f"{name}.pub").read_text().split())


def offered(folder: Path, *names: str) -> list[t.Any]:
    return [key(folder, name) for name in names]


def known(folder: Path, *lines: str) -> list[t.Any]:
    """Return what a file with these lines holds for the name ``seat``; {x} is a key's body."""
    bodies = {
        file.stem.replace("-", "_"): " ".join(file.read_text().split()[:2])
        for file in folder.glob("*.pub")
    }
    file = folder / "known_hosts"
    file.write_text("".join(line.format(**bodies) + "\n" for line in lines))
    return list(plugin.look_up("seat", str(file)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(folder: Path, kind: str) -> None:
    file = folder / f"own-{kind}.pub"
    shown = subprocess.run(
        ["ssh-keygen", "-lf", file], capture_output=True, text=True, check=True
    ).stdout.split()
    assert str(key(folder, f"own-{kind}")) == f"{shown[1]} {shown[-1]}"


@pytest.mark.parametrize(
    "words",
    [
        ["ssh-dss", "AAAAB3NzaC1kc3M="],
        ["ssh-ed25519"],
        ["ssh-ed25519", "AAAA\x1b[2J"],
        ["ssh-ed25519", "AAAAB3NzaC1yc2EAAAA="],
        [],
    ],
)
def test_what_is_no_host_key_is_passed_over(words: list[str]) -> None:
    assert plugin.parse(words) is None


@pytest.mark.parametrize(
    "lines",
    [
        ("seat {own_ed25519}",),
        ("other,seat {own_ed25519} by hand", "# seat"),
        ("*.example.org {other_ed25519}", "se?t {own_ed25519}"),
        ("seat {other_ed25519}", "seat {own_ed25519}"),
        ("seat {own_ed25519}", "@revoked seat {other_ed25519}"),
    ],
)
def test_a_known_key_is_recognised(folder: Path, lines: tuple[str, ...]) -> None:
    shown = offered(folder, "own-ed25519", "own-rsa")
    assert plugin.compare("seat", "seat", shown, known(folder, *lines)) is True


def test_a_hashed_name_is_found(folder: Path) -> None:
    known(folder, "seat {own_rsa}")
    file = folder / "known_hosts"
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "seat" not in file.read_text()
    (line,) = plugin.look_up("seat", str(file))
    assert line.place == f"{file} line 1"
    assert plugin.compare("seat", "seat", offered(folder, "own-rsa"), [line]) is True


@pytest.mark.parametrize(
    "lines", [(), ("another {other_ed25519}",), ("@cert-authority seat {other_ed25519}",)]
)
def test_a_host_without_a_line_is_new(folder: Path, lines: tuple[str, ...]) -> None:
    shown = offered(folder, "own-ed25519")
    assert plugin.compare("seat", "seat", shown, known(folder, *lines)) is False


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ("seat {other_ed25519}",),
            r"NOT the one that is known.*line 1 has SHA256.*ssh-keygen -R seat",
        ),
        (("seat {other_ecdsa}",), "NOT the one that is known"),
        (("seat {own_ed25519}", "seat {other_rsa}"), "line 2 has"),
        (("@revoked seat {own_ed25519}",), "revoked in .*known_hosts line 1"),
        (("seat {own_ed25519}", "@revoked seat {own_rsa}"), "revoked in .* line 2"),
    ],
)
def test_a_key_that_is_not_the_known_one_is_refused(
    folder: Path, lines: tuple[str, ...], said: str
) -> None:
    """The second is a host that shows no key of the known type: none in common is no better."""
    shown = offered(folder, "own-ed25519", "own-rsa")
    with pytest.raises(AnsibleActionFail, match=said):
        plugin.compare("seat", "seat", shown, known(folder, *lines))


def test_one_key_is_asked_about_the_same_whatever_the_order(folder: Path) -> None:
    names = ["own-rsa", "own-ecdsa", "own-ed25519"]
    for turn in range(3):
        shown = offered(folder, *names[turn:], *names[:turn])
        assert plugin.choose("seat", shown, None) == key(folder, "own-ed25519")


def test_the_key_with_the_read_fingerprint_is_taken_and_no_other(folder: Path) -> None:
    shown = offered(folder, "own-ed25519", "own-rsa")
    read = key(folder, "own-rsa").fingerprint
    assert plugin.choose("seat", shown, read) == key(folder, "own-rsa")
    with pytest.raises(AnsibleActionFail, match="shows a host key other than"):
        plugin.choose("seat", shown, key(folder, "other-rsa").fingerprint)


def settings(folder: Path, *options: str, host: str = "Seat-1") -> t.Any:
    """Return the settings that OpenSSH tells for a host, with known_hosts in the folder."""
    files = ["-o", f"UserKnownHostsFile={folder / 'known'}", "-o", "GlobalKnownHostsFile=none"]
    settings = plugin.output_of(["ssh", "-F", "none", *options, *files, "-G", host])
    return plugin.read_settings(host, settings)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ((), "seat-1"),
        (("-p", "2222"), "[seat-1]:2222"),
        (("-o", "HostName=192.0.2.7"), "192.0.2.7"),
        (("-p", "2222", "-o", "HostKeyAlias=Front"), "front"),
    ],
)
def test_the_name_is_the_one_that_ssh_looks_for(
    folder: Path, options: tuple[str, ...], name: str
) -> None:
    ssh = settings(folder, *options)
    assert (ssh.name, ssh.files) == (name, [ssh.record])
    assert ssh.record == str(folder / "known")


def test_a_link_to_known_hosts_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "known").symlink_to("dotfiles")
    assert settings(tmp_path).record == str(tmp_path / "dotfiles")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("-o", "StrictHostKeyChecking=no"), "checking is switched off"),
        (("-J", "jump.example.org"), "through another machine"),
        (("-o", "ProxyCommand=nc %h %p"), "through another machine"),
        (("-o", "UserKnownHostsFile=/dev/null"), "/dev/null, which is not a file"),
        (("-o", "UserKnownHostsFile=none"), "none, which is not a file"),
        (("-o", "UserKnownHostsFile=/nowhere/known"), "mkdir -m 700 /nowhere"),
    ],
)
def test_what_enrolling_cannot_rest_on_is_refused(
    folder: Path, options: tuple[str, ...], said: str
) -> None:
    with pytest.raises(AnsibleActionFail, match=said):
        settings(folder, *options)


def test_hashing_is_as_the_user_has_it(folder: Path) -> None:
    hashed = [settings(folder, "-o", f"HashKnownHosts={word}").hash for word in ("yes", "no")]
    assert hashed == [True, False]
