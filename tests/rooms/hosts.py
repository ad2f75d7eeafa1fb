"""The lab hosts of the suites, as all processes of one test run share them."""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.lab_hosts import CAPTURES, IMAGE_ARCHIVE, STATE, environment, run_command
from tests.support.on_lab_hosts import NAMES

# Which test run uses the lab hosts. Beside their folder, which goes and comes with them.
MARK = STATE.with_name(f"{STATE.name}.used")


def make(run: str) -> None:
    """Make the lab hosts that are not there and bring the lab to them, once for each test run."""
    with _one_at_a_time():
        if MARK.exists() and MARK.read_text() == f"{run} ready":
            return
        MARK.write_text(run)
        if not all(map(_let_in, NAMES)):
            made = _play("create")
            assert made.returncode == 0, made.stdout
        places = {
            "lab_capture_directory": str(CAPTURES),
            "lab_upcall_image_archive": str(IMAGE_ARCHIVE),
        }
        done = run_command(
            [
                *["ansible-playbook", f"--inventory={STATE / 'inventory.yml'}"],
                *[f"--extra-vars={json.dumps(places)}", "site.yml"],
            ],
            timeout=540,
        )
        assert done.returncode == 0, done.stdout
        MARK.write_text(f"{run} ready")


def are_used() -> bool:
    """Return whether a test has asked for the lab hosts since ``forget``."""
    return MARK.exists()


def forget() -> None:
    """Begin a test run, in which nobody has asked for the lab hosts."""
    MARK.unlink(missing_ok=True)


def remove() -> bool:
    """Remove the lab hosts; return whether they are gone. What went wrong is printed."""
    gone = _play("destroy")
    if gone.returncode != 0:
        print(f"\nThe lab hosts could not be removed:\n{gone.stdout}")
        return False
    forget()
    return True


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    STATE.parent.mkdir(exist_ok=True)
    with STATE.with_name(f"{STATE.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _let_in(host: str) -> bool:
    """Return whether a lab host runs and is the one that the generated files speak of."""
    config = str(STATE / "ssh_config")
    return (
        run_command(["ssh", "-F", config, "-o", "ConnectTimeout=5", host, "true"]).returncode == 0
    )


def _play(playbook: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of sandbox/; output and errors come back together."""
    quiet = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_CALLBACKS_ENABLED": "default"}
    return run_command(
        ["ansible-playbook", "--inventory=nobody,", f"sandbox/{playbook}.yml"],
        timeout=900,
        env=environment() | quiet,
    )
