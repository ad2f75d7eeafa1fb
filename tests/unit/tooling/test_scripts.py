"""The scripts behind make: that a failure stays a failure, and that lab hosts go away."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a folder for false programs, first on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def fake(path: Path, name: str, script: str) -> None:
    file = path / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def run(path: Path, script: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *arguments],
        env={**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def phases(path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Three phases, of which the second fails with status 3."""
    fake(path, "make", 'echo "made $2"; [ "$2" != two ] || exit 3')
    script = TOP / "scripts" / "phases"
    return run(path, script, "one", "two", "three", MAKE="make", KEEP_GOING="", **env)


def test_a_phase_that_fails_ends_the_run_and_is_the_last_word(path: Path) -> None:
    result = phases(path)
    assert result.returncode == 3
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["made", "three"] not in lines
    assert lines[-5][:2] == ["one", "passed"]
    assert lines[-4][:2] == ["two", "FAILED"]
    assert lines[-3] == ["three", "not", "run"]
    assert lines[-1] == ["FAILED:", "two"]


def test_a_failure_counts_also_when_later_phases_pass(path: Path) -> None:
    fake(path, "make", '[ "$2" != two ] || exit 3')
    result = run(
        path, TOP / "scripts" / "phases", "one", "two", "three", MAKE="make", KEEP_GOING="1"
    )
    assert result.returncode == 3
    assert ["three", "passed"] in [line.split()[:2] for line in result.stdout.splitlines()]
    assert result.stdout.endswith("FAILED: two\n")


def test_all_phases_passed(path: Path) -> None:
    fake(path, "make", "exit 0")
    result = run(path, TOP / "scripts" / "phases", "one", "two", MAKE="make")
    assert result.returncode == 0
    assert "FAILED" not in result.stdout


def test_phases_run_side_by_side_where_one_may_fail(path: Path, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(
        "one:\n\tuntil test -e two; do sleep 0.01; done\ntwo:\n\ttouch two\nbad:\n\texit 3\n"
    )
    (tmp_path / "scripts").mkdir()
    script = shutil.copy(TOP / "scripts" / "phases", tmp_path / "scripts")
    result = run(path, Path(script), "one+two", "one+bad", KEEP_GOING="")
    assert result.returncode == 2, result.stdout
    lines = [line.split()[:2] for line in result.stdout.splitlines()]
    assert lines[-4:-2] == [["one+two", "passed"], ["one+bad", "FAILED"]]


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    """Return a project with the scenarios one and two, beside default; two comes first."""
    top = tmp_path / "project"
    (top / "scripts").mkdir(parents=True)
    shutil.copy(TOP / "scripts" / "molecule-all", top / "scripts")
    (top / "sandbox").mkdir()
    (top / "sandbox" / "order.yml").write_text("scenario_order: [two]\n")
    for name in ("default", "one", "two"):
        (top / "molecule" / name / "tests").mkdir(parents=True)
        (top / "molecule" / name / "molecule.yml").write_text("{}\n")
        (top / "molecule" / name / "tests" / f"test_{name}.py").write_text("")
    return top


def molecule_all(
    path: Path, top: Path, failing: str = "none", **env: str
) -> tuple[int, list[str], str]:
    """Run it with a false molecule; return its status, what molecule was told, and the errors."""
    calls = top / "calls"
    failure = "FAILED tests/test_it.py::test_it"
    fake(
        path,
        "molecule",
        f'echo "$*" >> {calls}; case "$*" in {failing}) echo "{failure}"; exit 1 ;; esac',
    )
    result = run(path, top / "scripts" / "molecule-all", **env)
    said = calls.read_text().splitlines() if calls.exists() else []
    return result.returncode, said, result.stderr


CREATE = "create --scenario-name default"
DESTROY = "destroy --scenario-name default"
ONE = "test --destroy never --scenario-name one"
TWO = "test --destroy never --scenario-name two"


def test_each_scenario_runs_between_create_and_destroy(path: Path, scenarios: Path) -> None:
    assert molecule_all(path, scenarios) == (0, [DESTROY, CREATE, TWO, ONE, DESTROY], "")


def test_a_failed_scenario_fails_the_run_and_the_hosts_go(path: Path, scenarios: Path) -> None:
    status, calls, errors = molecule_all(path, scenarios, failing="*one")
    assert status == 1
    assert calls == [DESTROY, CREATE, TWO, ONE, DESTROY]
    assert "one failed" in errors
    assert "FAILED tests/test_it.py::test_it" in errors


def test_hosts_that_could_not_be_made_are_removed_too(path: Path, scenarios: Path) -> None:
    status, calls, _ = molecule_all(path, scenarios, failing="create*")
    assert status != 0
    assert calls == [DESTROY, CREATE, DESTROY]


def lab_hosts(path: Path, top: Path, answering: str) -> None:
    """Lay out a room of the lab hosts a and b, of which those named let ssh in."""
    (top / ".cache" / "lab-hosts").mkdir(parents=True, exist_ok=True)
    (top / ".cache" / "lab-hosts" / "ssh_config").write_text("Host a 1\nHost b 2\nHost *\n")
    fake(path, "ssh", f'case "$5" in [{answering}]) ;; *) exit 255 ;; esac')


def test_hosts_that_stay_behind_fail_the_run(path: Path, scenarios: Path) -> None:
    lab_hosts(path, scenarios, answering="ab")
    status, _, errors = molecule_all(path, scenarios, failing="destroy*")
    assert status == 1
    assert "could not be removed" in errors


def test_hosts_are_kept_when_asked(path: Path, scenarios: Path) -> None:
    status, calls, _ = molecule_all(path, scenarios, KEEP="1", SCENARIOS="two")
    assert status == 0
    assert calls == [DESTROY, CREATE, TWO]


def test_hosts_are_handed_over_only_when_all_passed(path: Path, scenarios: Path) -> None:
    status, calls, _ = molecule_all(path, scenarios, HAND_OVER="1")
    assert (status, calls) == (0, [DESTROY, CREATE, TWO, ONE])
    (scenarios / "calls").unlink()
    status, calls, _ = molecule_all(path, scenarios, failing="*two", HAND_OVER="1")
    assert (status, calls) == (1, [DESTROY, CREATE, TWO, ONE, DESTROY])


def test_a_scenario_is_told_what_passed_before_it(path: Path, scenarios: Path) -> None:
    fake(
        path, "molecule", 'echo "have:$LAB_HOSTS_HAVE, $*"; case "$*" in *two) exit "$TWO" ;; esac'
    )
    for two, have in {"0": " two", "1": ""}.items():
        said = run(path, scenarios / "scripts" / "molecule-all", TWO=two).stdout
        assert f"have:{have}, {ONE}" in said.splitlines()


def test_only_hosts_that_are_all_there_are_taken_as_they_are(path: Path, scenarios: Path) -> None:
    lab_hosts(path, scenarios, answering="ab")
    assert molecule_all(path, scenarios)[1] == [CREATE, TWO, ONE, DESTROY]
    (scenarios / "calls").unlink()
    lab_hosts(path, scenarios, answering="a")
    assert molecule_all(path, scenarios)[1] == [DESTROY, CREATE, TWO, ONE, DESTROY]


def test_a_scenario_without_tests_is_refused_before_anything_is_made(
    path: Path, scenarios: Path
) -> None:
    (scenarios / "molecule" / "two" / "tests" / "test_two.py").unlink()
    status, calls, errors = molecule_all(path, scenarios)
    assert status == 1
    assert calls == []
    assert "molecule/two" in errors


@pytest.mark.parametrize(
    ("sudo", "said"),
    [("exit 0", ""), ("exit 1", "--ask-become-pass\n")],
    ids=["without a password", "with a password"],
)
def test_a_user_is_asked_for_the_password_only_where_sudo_asks(
    path: Path, sudo: str, said: str
) -> None:
    fake(path, "id", "echo 1000")
    fake(path, "sudo", sudo)
    result = run(path, TOP / "scripts" / "become")
    assert (result.returncode, result.stdout) == (0, said)


def test_root_needs_no_sudo(path: Path) -> None:
    fake(path, "id", "echo 0")
    fake(path, "sudo", "echo not to be asked; exit 1")
    result = run(path, TOP / "scripts" / "become")
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("mode", [0o757, 0o755])
def test_a_clone_that_anybody_may_write_to_is_told(path: Path, tmp_path: Path, mode: int) -> None:
    clone = tmp_path / "clone"
    (clone / "scripts").mkdir(parents=True)
    clone.chmod(mode)
    shutil.copy(TOP / "scripts" / "become", clone / "scripts")
    fake(path, "id", "echo 0")
    result = run(path, clone / "scripts" / "become")
    assert (result.returncode, result.stdout) == (0, "")
    told = f"anybody may write to {clone}, " in result.stderr
    assert told == (mode == 0o757), result.stderr


def test_a_user_without_sudo_is_told(path: Path) -> None:
    fake(path, "id", "echo 1000")
    result = subprocess.run(
        ["/bin/sh", TOP / "scripts" / "become"],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "no sudo" in result.stderr


def test_packages_that_are_there_are_not_installed(path: Path) -> None:
    for program in (
        "chromium",
        "firefox",
        "mmdebstrap",
        "node",
        "npm",
        "shellcheck",
        "ssh",
        "tcpdump",
        "tshark",
    ):
        fake(path, program, "exit 0")
    fake(path, "apt-get", "echo called; exit 1")
    result = run(path, TOP / "scripts" / "test-packages")
    assert (result.returncode, result.stdout) == (0, "")


def missing_packages(path: Path, apt: str | None, *of: str) -> subprocess.CompletedProcess[str]:
    """Run it where nothing is there, as root, with such an apt-get or none."""
    fake(path, "id", "echo 0")
    fake(path, "env", 'shift; exec "$@"')
    if apt is not None:
        fake(path, "apt-get", apt)
    # The script looks in the system's sbin too; in a folder of its own it finds nothing there.
    script = (TOP / "scripts" / "test-packages").read_text().replace(":/usr/sbin:/sbin", "")
    return subprocess.run(
        ["/bin/sh", "-c", script, "test-packages", *of],
        env={"PATH": str(path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_packages_are_installed_with_apt(path: Path) -> None:
    result = missing_packages(path, 'echo "apt-get $*" >&2')
    assert result.returncode == 0, result.stderr
    assert "apt-get install" in result.stderr
    assert "tshark" in result.stderr
    assert "qemu" not in result.stderr


def test_the_virtual_machines_packages_are_a_set_of_their_own(path: Path) -> None:
    result = missing_packages(path, 'echo "apt-get $*" >&2', "vm")
    assert result.returncode == 0, result.stderr
    assert "qemu-system-x86" in result.stderr
    assert "shellcheck" not in result.stderr


def test_an_unknown_set_of_packages_installs_nothing(path: Path) -> None:
    result = missing_packages(path, 'echo "apt-get $*" >&2', "wm")
    assert (result.returncode, result.stdout) == (2, "")
    assert "apt-get" not in result.stderr


def test_an_installation_that_fails_is_a_failure(path: Path) -> None:
    result = missing_packages(path, "exit 100")
    assert result.returncode == 1
    assert "the tests need: chromium" in result.stderr


def test_a_system_without_apt_is_told_what_is_missing(path: Path) -> None:
    result = missing_packages(path, None)
    assert result.returncode == 1
    assert "which are not here: chromium" in result.stderr
    for package in ("chromium", "firefox-esr", "nodejs", "npm", "poppler-utils", "openssh-client"):
        assert f" {package} " in result.stderr
