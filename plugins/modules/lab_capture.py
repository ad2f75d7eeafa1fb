#!/usr/bin/python
"""Ansible module lab_capture: one session of the upcall lab, captured from before to after."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_capture
short_description: Capture one exchange of the upcall lab from its handshake to its close
description:
  - Finds the lab's bridge, starts tcpdump on it, runs one exchange, waits until its close is
    captured, stops tcpdump and reads its counters.
  - Whatever fails, tcpdump and the server process that the module started are gone afterwards,
    and the containers are as they were.
  - The capture and the transcripts come back in the result. C(lab_capture_store) keeps them on
    the controller.
  - One session at a time holds the lab of a host.
  - A session that nobody waits for any more, as when its SSH connection was cut, ends by itself.
options:
  mode:
    description:
      - With V(exercise) the module starts server and client itself and types O(messages).
      - With V(watch) it keeps the window open until students' own O(exchanges) are captured, or
        O(watch_timeout) is over. It is meant to run in the background, while
        C(lab_capture_hold_window) holds the window. A window closes if it is no longer held, or if
        nobody holds it within two minutes, and sooner if another session of O(who) wants the lab.
    type: str
    choices: [exercise, watch]
    default: exercise
  messages:
    description:
      - Messages that the client sends, in this order. Each is one line of 1 to 1,024 bytes of
        UTF-8.
    type: list
    elements: str
    default: []
  exchanges:
    description:
      - In mode V(watch), the number of connections to capture from handshake to close before the
        window closes.
    type: int
    default: 1
  project:
    description: Name of the lab's compose project.
    type: str
    required: true
  server_service:
    description: Name of the server's service.
    type: str
    required: true
  client_service:
    description: Name of the client's service.
    type: str
    required: true
  server_command:
    description: Command that starts the server in its container.
    type: list
    elements: str
    required: true
  server_ready:
    description: Text that the server prints as soon as it listens.
    type: str
    required: true
  client_command:
    description: Command that starts the client in its container.
    type: list
    elements: str
    required: true
  port:
    description: TCP port of the server.
    type: int
    required: true
  who:
    description: Name of the user who takes the lab, shown to others while it is held.
    type: str
    required: true
  window_file:
    description:
      - File that exists while the window is open, for those who wait for it. Required if O(mode)
        is V(watch).
    type: path
  start_timeout:
    description: Seconds within which tcpdump must listen, and likewise the server.
    type: int
    default: 15
  exchange_timeout:
    description: Seconds that the client has for all of its messages.
    type: int
    default: 60
  watch_timeout:
    description: Seconds that the window stays open in mode V(watch).
    type: int
    default: 900
  close_timeout:
    description:
      - Seconds after the client's end within which the close must be captured, and the server must
        end.
    type: int
    default: 10
  stop_timeout:
    description: Seconds within which tcpdump must end when asked to.
    type: int
    default: 10
  size_limit:
    description: Size in bytes at which a capture is given up.
    type: int
    default: 16777216
  docker_socket:
    description: Socket on which the Docker Engine answers.
    type: path
    default: /var/run/docker.sock
attributes:
  check_mode:
    description:
      - Captures nothing in check mode, and does not check whether it could, since the lab may not
        be there yet.
    support: full
  diff_mode:
    description: Returns no difference.
    support: none
  platform:
    description: Linux with Docker Engine and tcpdump.
    support: full
    platforms: linux
notes:
  - Needs root, because capturing does.
  - Every run makes a new capture, so every run reports a change.
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Capture one exchange
  lab_capture:
    messages: [hello, upcall]
    project: upcall-lab
    server_service: upcall-server
    server_command: [python, servercall.py]
    server_ready: Upcall server listening on
    client_service: upcall-client
    client_command: [python, clientcall.py]
    port: 4141
    who: lecturer@controller
  become: true
  register: session
"""

RETURN = r"""
complete:
  description:
    - Whether the capture holds handshake, exchange and close, and no packet was lost.
  returned: success
  type: bool
incomplete:
  description: If it is incomplete, the failed step, what was seen, and what to do.
  returned: success
  type: str
pcap:
  description: The capture, in Base64.
  returned: success, not in check mode
  type: str
server_log:
  description: The server's output, in Base64. Empty in mode V(watch).
  returned: success, not in check mode
  type: str
client_log:
  description: The client's output, in Base64. Empty in mode V(watch).
  returned: success, not in check mode
  type: str
manifest:
  description: How the capture was made.
  returned: success, not in check mode
  type: dict
ended:
  description: Command lines of an earlier session's processes, which were ended first.
  returned: success, not in check mode
  type: list
  elements: str
"""

import base64
import hashlib
import os
import pwd
import shutil
import signal
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_capture_session import (
    CutOffError,
    Result,
    Session,
    SessionError,
    Settings,
)
from ansible.module_utils.lab_capture_window import (
    Window,
    expire_abandoned_window,
    is_unread,
)
from ansible.module_utils.lab_look_docker import Docker, DockerError, Json
from ansible.module_utils.lab_look_lab import (
    NoNetworkError,
    addresses,
    describe_network,
    service_containers,
)
from ansible.module_utils.lab_look_processes import listener, processes
from ansible.module_utils.lab_look_session import (
    LOCK_PATH,
    HeldError,
    end,
    hold,
    marked,
)
from ansible.module_utils.lab_text import instant

_STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_MESSAGE_LIMIT = 1024  # bytes, what the server reads at once
_STALE_TIMEOUT = 5  # seconds
_HOLD_TIMEOUT = 10  # seconds: more than a session that was cut off needs until it has ended


def check_messages(messages: list[str]) -> None:
    """Refuse messages that would not each be one message on the wire. Raises SessionError."""
    for number, message in enumerate(messages, start=1):
        size = len(message.encode(errors="surrogateescape"))
        if not message.strip() or not message.isprintable():
            reason = "it is empty, or has a line break or another control character"
        elif message.strip().lower() == "bye":
            reason = "it ends the exchange; the client says goodbye by itself"
        elif size > _MESSAGE_LIMIT:
            reason = f"it has {size} bytes of UTF-8, more than {_MESSAGE_LIMIT}"
        else:
            continue
        raise SessionError(
            "read the messages",
            f"message {number} cannot be sent: {reason}",
            "Correct lab_capture_messages",
            trouble="messages",
        )
    if not messages:
        raise SessionError(
            "read the messages", "there are none", "Set lab_capture_messages", trouble="messages"
        )


def program(name: str) -> str:
    """Return the path of a program. Raises SessionError."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise SessionError(
            "prepare the session",
            f"{name} is not installed",
            "Run playbooks/prepare.yml and playbooks/capture.yml, which install what is missing",
            trouble="no-tcpdump",
        )
    return path


def unprivileged(tcpdump: str) -> list[str]:
    """Return the command that runs tcpdump as its own user, with the one capability it needs.

    It would change to that user by itself, but only after its start, and a process that changes
    its user loses the signal that ends it together with this module (prctl(2), PR_SET_PDEATHSIG).
    """
    try:
        user = pwd.getpwnam("tcpdump")
    except KeyError:
        return [tcpdump, "-Z", "root"]
    return [
        program("setpriv"),
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--inh-caps=+net_raw",
        "--ambient-caps=+net_raw",
        "--pdeathsig=KILL",
        tcpdump,
    ]


class Lab(t.NamedTuple):
    """The lab as the engine describes it when the session begins."""

    network: dict[str, t.Any]
    server: Json
    client: Json


def find_lab(params: dict[str, t.Any]) -> Lab:
    """Find the bridge and both containers. Raises SessionError."""
    step = "find the lab"
    docker = Docker(params["docker_socket"])
    try:
        network = describe_network(docker.networks(params["project"]), params["project"])
        containers = service_containers(docker.containers(params["project"]))
    except NoNetworkError as error:
        raise SessionError(
            step, str(error), "Run playbooks/deploy.yml", trouble="no-network"
        ) from error
    except DockerError as error:
        raise SessionError(
            step, str(error), "Run playbooks/prepare.yml", trouble="no-engine"
        ) from error
    service_pair = []
    for service in (params["server_service"], params["client_service"]):
        container = containers.get(service)
        if container is None or not container.get("State", {}).get("Running"):
            raise SessionError(
                step,
                f"{service} is not running",
                "Run playbooks/deploy.yml",
                trouble="not-running",
            )
        if network["name"] not in addresses(container):
            raise SessionError(
                step,
                f"{service} is not on the lab's network {network['name']}",
                "Run playbooks/reset.yml, which puts it there",
                trouble="networks-differ",
            )
        service_pair.append(container)
    if not network["up"]:
        raise SessionError(
            step,
            f"the bridge {network['interface']} is missing or down",
            "Run playbooks/doctor.yml, which shows which of them, and what to do",
            trouble="bridge-down" if network["exists"] else "bridge-missing",
        )
    return Lab(network, *service_pair)


def check_port(lab: Lab, port: int) -> None:
    """Refuse to start a second server. Raises SessionError."""
    taker = listener(int(lab.server["State"]["Pid"]), port, processes())
    if taker is not None:
        raise SessionError(
            "start the server",
            f"port {port} is taken by process {taker.pid}: {taker.command}",
            "Stop that server with Ctrl-C where it runs, or run playbooks/reset.yml",
            trouble="port-taken",
        )


def settings(params: dict[str, t.Any], lab: Lab) -> Settings:
    """Return the session's settings, from the task's options and the host's lab."""
    of_host = {
        "interface": lab.network["interface"],
        "containers": {
            params["server_service"]: int(lab.server["State"]["Pid"]),
            params["client_service"]: int(lab.client["State"]["Pid"]),
        },
        "docker": program("docker"),
        "tcpdump": unprivileged(program("tcpdump")),
        "server_container": str(lab.server["Id"]),
        "client_container": str(lab.client["Id"]),
    }
    given = {name: value for name, value in params.items() if name in Settings._fields}
    return Settings(**given, **of_host)


def run_session(params: dict[str, t.Any], lab: Lab) -> Result:
    """Run the session; return its result even if a step fails."""
    window = Window(params["window_file"])
    with Session(settings(params, lab), lambda: is_unread() or window.is_abandoned()) as session:
        failed = ""
        try:
            session.open_window()
            with window:
                if params["mode"] == "watch":
                    watch(session, params)
                else:
                    exercise(session, params)
        except SessionError as error:
            failed = str(error)
        try:
            session.close_window()
        except SessionError as error:
            failed = failed or str(error)
        return session.result(failed)


def exercise(session: Session, params: dict[str, t.Any]) -> None:
    """Run the exchange, from the server's start to both ends closed. Raises SessionError."""
    session.exchange()
    if not session.await_close(1, params["close_timeout"]):
        raise SessionError(
            "see the close",
            f"no orderly close was captured within {params['close_timeout']} s",
            "Compare the lab's server and client with the originals",
            trouble="no-close",
        )
    session.finish_server()


def watch(session: Session, params: dict[str, t.Any]) -> None:
    """Wait while students type, until the last close. Raises SessionError."""
    if not session.await_close(params["exchanges"], params["watch_timeout"]):
        raise SessionError(
            "watch the students",
            f"{params['exchanges']} exchanges from handshake to close were not captured within"
            f" {params['watch_timeout']} s",
            "Open the window again; start the client only then, and end it with bye",
            trouble="window-closed",
        )


def describe_container(container: Json, network: str) -> dict[str, str]:
    """Return the manifest's entry for a container."""
    return {
        "name": str(container.get("Name", "")).lstrip("/"),
        "address": addresses(container)[network],
        "image_id": str(container.get("Image", "")),
    }


def manifest(
    params: dict[str, t.Any], lab: Lab, result: Result, started: str, version: str
) -> dict[str, t.Any]:
    """Return how the capture was made, without what only the controller knows."""
    network = lab.network["name"]
    return {
        "mode": params["mode"],
        "started": started,
        "stopped": instant(time.time(), milliseconds=True),
        "complete": not result.incomplete,
        "incomplete": result.incomplete,
        "interface": lab.network["interface"],
        "network": {name: lab.network[name] for name in ("name", "id", "subnets")},
        "containers": {
            "server": describe_container(lab.server, network),
            "client": describe_container(lab.client, network),
        },
        "tcpdump": {"version": version, **result.counters},
        "connections": result.connections,
        "messages": params["messages"] if params["mode"] == "exercise" else [],
        "sha256": hashlib.sha256(result.pcap).hexdigest(),
        "size": len(result.pcap),
    }


def capture(params: dict[str, t.Any], tcpdump_version: str) -> dict[str, t.Any]:
    """Hold the lab, end stale sessions, find the lab, capture. Raises SessionError."""
    if params["mode"] == "exercise":
        check_messages(params["messages"])
    started = instant(time.time(), milliseconds=True)
    expire_abandoned_window(params["who"])
    try:
        held = hold(params["who"], started, _HOLD_TIMEOUT)
    except HeldError as error:
        by = error.holder
        raise SessionError(
            "take the lab",
            f"{by['who']} has held it since {by['since']} (process {by['pid']})",
            f"Wait until that session has ended, or take over: sudo kill {by['pid']}",
            trouble="held",
        ) from error
    with held:
        leftovers = marked()
        end(leftovers, _STALE_TIMEOUT)
        for stale in Path(LOCK_PATH).parent.glob("window-*"):
            stale.unlink()
        lab = find_lab(params)
        if params["mode"] == "exercise":
            check_port(lab, params["port"])
        result = run_session(params, lab)
        return {
            "complete": not result.incomplete,
            "incomplete": result.incomplete,
            "pcap": base64.b64encode(result.pcap).decode("ascii"),
            "server_log": base64.b64encode(result.server_log).decode("ascii"),
            "client_log": base64.b64encode(result.client_log).decode("ascii"),
            "manifest": manifest(params, lab, result, started, tcpdump_version),
            "ended": [process.command for process in leftovers],
        }


def stop(number: int, _: object) -> t.NoReturn:
    """End the module upon a signal and let it clean up; further signals change nothing."""
    for other in _STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "mode": {"type": "str", "choices": ["exercise", "watch"], "default": "exercise"},
            "messages": {"type": "list", "elements": "str", "default": []},
            "exchanges": {"type": "int", "default": 1},
            "project": {"type": "str", "required": True},
            "server_service": {"type": "str", "required": True},
            "client_service": {"type": "str", "required": True},
            "server_command": {"type": "list", "elements": "str", "required": True},
            "server_ready": {"type": "str", "required": True},
            "client_command": {"type": "list", "elements": "str", "required": True},
            "port": {"type": "int", "required": True},
            "who": {"type": "str", "required": True},
            "window_file": {"type": "path"},
            "start_timeout": {"type": "int", "default": 15},
            "exchange_timeout": {"type": "int", "default": 60},
            "watch_timeout": {"type": "int", "default": 900},
            "close_timeout": {"type": "int", "default": 10},
            "stop_timeout": {"type": "int", "default": 10},
            "size_limit": {"type": "int", "default": 16777216},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
        },
        required_if=[("mode", "watch", ["window_file"])],
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(
            changed=True, complete=False, incomplete="nothing is captured in check mode"
        )
    for number in _STOPPING:
        signal.signal(number, stop)
    try:
        _, version, _ = module.run_command([program("tcpdump"), "--version"])
        captured = capture(module.params, version.partition("\n")[0])
    except CutOffError:
        module.fail_json(
            msg="Nobody is waiting for this session any more: it was ended and left nothing behind."
            " Run playbooks/capture.yml again (docs/troubles.md#connection-broke)"
        )
    except SessionError as error:
        module.fail_json(msg=str(error), step=error.step, seen=error.seen, remedy=error.remedy)
    module.exit_json(changed=True, **captured)


if __name__ == "__main__":
    main()
