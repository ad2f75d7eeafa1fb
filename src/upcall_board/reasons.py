"""Why a task failed or a host could not be reached, in one line, from the task's result."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from upcall_text.plain import escape_unprintable

LONGEST = 300
END = 140


class Remedy(NamedTuple):
    """What ssh says in its last line, what to do about it, and its paragraph's anchor."""

    cause: str
    words: str
    trouble: str


UNKNOWN_KEY = "compare and record its host key with playbooks/enroll.yml"
NO_LOGIN = "check ansible_user, and install your key with playbooks/enroll.yml"
NO_SERVER = "no SSH server answers there: start it, or check ansible_port"
NO_NAME = "correct its name, or set ansible_host in the inventory"
NO_FOLDER = "is its disk full, or the home folder of ansible_user not writable?"

REMEDIES = (
    Remedy("Host key verification failed", UNKNOWN_KEY, trouble="host-key-unknown"),
    Remedy("Permission denied", NO_LOGIN, trouble="login-refused"),
    Remedy("Connection refused", NO_SERVER, trouble="host-off"),
    # What Ansible says of the same where ssh ended before it was told anything.
    Remedy("Data could not be sent", NO_SERVER, trouble="host-off"),
    Remedy("Could not resolve hostname", NO_NAME, trouble="host-name"),
    Remedy("No route to host", "is it switched on and on this network?", trouble="host-off"),
    Remedy(
        "Network is unreachable", "is this machine on the network of the room?", trouble="host-off"
    ),
    Remedy(
        "timed out", "is it switched on, and does its firewall let SSH through?", trouble="host-off"
    ),
    Remedy("temporary directory", NO_FOLDER, trouble="disk-full"),
    Remedy("onnection", "the connection broke: repeat the run for it", trouble="connection-broke"),
)


def one_line(text: object) -> str:
    """Return one printable line of bounded length, whatever a host said.

    Of a longer one the middle is left out: its remedy stands at the end.
    """
    said = str(text)
    if len(said) > 10 * LONGEST:
        said = f"{said[: 5 * LONGEST]} {said[-5 * LONGEST :]}"
    folded = " ".join(said.split())
    shown = escape_unprintable(folded)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 5 - END]} ... {shown[-END:]}"


def last_line(text: object) -> str:
    """Return the last line with anything in it."""
    return (str(text or "").strip().splitlines() or [""])[-1].strip()


def failed_part(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the item that failed, of a loop's result; any other result as it is."""
    items = result.get("results")
    if "censored" in result or not isinstance(items, list):
        return result
    marks = ("failed_when_result", "failed", "unreachable")
    failed = (item for item in items if isinstance(item, dict) and any(map(item.get, marks)))
    return next(failed, result)


def why_failed(result: Mapping[str, Any]) -> str:
    """Return a failed task's reason, from its result; of a hidden result only that it is hidden."""
    part = failed_part(result)
    if "censored" in part:
        return one_line(part["censored"])
    message = part.get("msg") or part.get("reason") or ""
    message = "; ".join(map(str, message)) if isinstance(message, list) else str(message)
    message = re.sub(r"^(Task failed: |Module failed: )+", "", message)
    said = last_line(part.get("stderr") or part.get("module_stderr"))
    if message == "non-zero return code":
        return one_line(f"exit status {part.get('rc')}: {said or 'nothing on stderr'}")
    if said and re.match("MODULE FAILURE|Module result deserialization failed", message):
        return one_line(said)
    accepted = "its result is not one that the task accepts (failed_when)"
    return one_line(message or said or accepted)


def why_unreachable(result: Mapping[str, Any]) -> str:
    """Return what ssh said at last, and the remedy."""
    part = failed_part(result)
    if "censored" in part:
        return one_line(part["censored"])
    said = one_line(re.sub(r"^.*\bssh: |^Task failed: ", "", last_line(part.get("msg"))))
    for remedy in REMEDIES:
        if remedy.cause in said:
            return f"{said.rstrip('.')}; {remedy.words} (docs/troubles.md#{remedy.trouble})"
    return f"{said} (docs/troubles.md#connection-broke)"
