#!/usr/bin/python
"""Ansible module lab_look_info: the one look at a lab host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: lab_look_info
short_description: Read the whole state of the upcall lab on a host at once
description:
  - Looks in one visit to the host at everything that the lab's roles need for their decisions.
    It changes nothing.
  - Something that cannot be seen is returned as such and never fails the module, so it works on a
    blank host too.
options:
  project:
    description: Name of the lab's compose project.
    type: str
    required: true
  services:
    description: Names of the lab's services, the server first.
    type: list
    elements: str
    required: true
  image:
    description: Name and tag of the lab's image.
    type: str
    required: true
  directory:
    description: Folder of the lab files on the host.
    type: path
    required: true
  files:
    description: Lab files to take the digests of, absolute or relative to O(directory).
    type: list
    elements: str
    default: []
  port:
    description: TCP port of the lab's server.
    type: int
    required: true
  apt_proxy_file:
    description: File of apt's configuration that holds the room's proxy, if there is one.
    type: path
    required: true
  docker_socket:
    description: Socket on which the Docker Engine answers.
    type: path
    default: /var/run/docker.sock
  docker_host:
    description:
      - The variable C(DOCKER_HOST) of the user at the controller, where that is the host itself.
        The action plugin sets it.
    type: str
    default: ""
  timeout:
    description: Seconds within which the engine, or a command, must give each answer.
    type: int
    default: 10
  wait:
    description:
      - Seconds to wait for an engine that was just started. It is asked again until it answers.
    type: int
    default: 0
attributes:
  check_mode:
    description: Can run in check mode, and does the same there.
    support: full
  diff_mode:
    description: Returns no difference, since it changes nothing.
    support: none
  platform:
    description: Linux, since it reads /proc and /sys.
    support: full
    platforms: linux
notes:
  - Needs root, because it reads the engine's socket and other users' processes.
author:
  - upcall-lab contributors (!UNKNOWN)
"""

EXAMPLES = r"""
- name: Look at the lab
  lab_look_info:
    project: upcall-lab
    services: [upcall-server, upcall-client]
    image: upcall-lab:1
    directory: /opt/upcall-lab
    files: [compose/upcall.yml, Upcall/servercall.py]
    port: 4141
    apt_proxy_file: /etc/apt/apt.conf.d/80upcall-lab
  become: true
  register: lab_look_host_state
"""

RETURN = r"""
clock_offset_seconds:
  description:
    - Seconds by which the host's clock is ahead of the controller's, give or take half of
      RV(clock_delay_seconds).
  returned: always
  type: float
clock_delay_seconds:
  description: Seconds that the way to the host and back took.
  returned: always
  type: float
look:
  description: The state of the lab on the host.
  returned: always
  type: dict
  contains:
    os:
      description:
        - C(id), C(version), C(codename) and C(like) from os-release, the user who logged in
          before sudo (C(login)), whether C(systemd) runs the host, and whether
          C(python_debian), which Ansible needs for apt's sources, is installed.
      type: dict
    engine:
      description:
        - Whether a Docker Engine C(works), its C(version), or else the C(error), and the paths
          of the C(client) and the C(daemon), empty where one is not installed. If docker uses an
          engine on another machine, C(elsewhere) is that machine's name or the engine's address.
      type: dict
    compose:
      description: Whether C(docker compose) v2 C(works), its C(version), or else the C(error).
      type: dict
    image:
      description:
        - Whether the image is C(present), its C(id), the digests of its C(layers), which name the
          same content in every engine, and its C(size) in bytes.
      type: dict
    files:
      description:
        - For each of O(files) whether it is C(regular), and if so its C(sha256), C(mode) and
          C(owner); nothing for a file that is missing, or a link.
      type: dict
    services:
      description:
        - For each of O(services) C(running), C(paused), C(health), C(image_id), C(networks) (name
          to address), C(id) and C(pid).
      type: dict
    network:
      description:
        - The lab's network, its C(name), C(id), C(subnets) and C(interface), and whether that
          C(exists) and is C(up); or else C(error).
      type: dict
    port:
      description:
        - The process that listens on the lab's port inside the server's container, C(pid),
          C(command) and C(since); empty if there is none.
      type: dict
    tcpdump:
      description:
        - Its C(path) and C(version), whether capturing is C(permitted), and which of its processes
          are C(running), on which interface.
      type: dict
    disk:
      description: Bytes that are C(free) on the file system that C(path) is on.
      type: dict
    session:
      description: The session that holds the lab (C(who), C(since), C(pid)); empty if none does.
      type: dict
    leftovers:
      description: Leftovers of an earlier session, each with C(kind), C(id) and C(command).
      type: list
      elements: dict
    docker_users:
      description: Users who may use Docker as members of the group docker.
      type: list
      elements: str
    apt_proxy:
      description: The proxy named in O(apt_proxy_file), empty without that file.
      type: str
"""

import contextlib
import grp
import hashlib
import os
import pwd
import re
import shlex
import shutil
import socket
import stat
import subprocess
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lab_look_docker import (
    ONE_OFF_LABEL,
    SERVICE_LABEL,
    Docker,
    DockerError,
    Json,
    labels,
)
from ansible.module_utils.lab_look_elsewhere import chosen_endpoint, engine_machine
from ansible.module_utils.lab_look_lab import (
    NoNetworkError,
    addresses,
    describe_network,
    service_containers,
)
from ansible.module_utils.lab_look_processes import Process, listener, processes
from ansible.module_utils.lab_look_session import holder, marked
from ansible.module_utils.lab_text import instant

_ETH_P_ALL = 0x0003  # packet(7)
# apt.conf(5); only this one line is read, since only lab_docker writes the file.
_APT_PROXY = re.compile(r'^Acquire::http::Proxy "([^"]*)";$', re.MULTILINE)
_FILE_LIMIT = 1 << 20  # a lab file has a few kilobytes; nobody can make this module hash a disk

Look = dict[str, t.Any]

NO_IMAGE: Look = {"present": False, "id": "", "layers": [], "size": 0}

NO_SERVICE: Look = {
    "running": False,
    "paused": False,
    "health": "",
    "image_id": "",
    "networks": {},
    "id": "",
    "pid": 0,
}


def look_at_os() -> Look:
    """Return the distribution, as os-release(5) names it."""
    release = {}
    for place in ("/etc/os-release", "/usr/lib/os-release"):
        with contextlib.suppress(OSError, ValueError):
            words = shlex.split(Path(place).read_text(encoding="utf-8"), comments=True)
            release = dict(word.split("=", 1) for word in words)
            break
    return {
        "id": release.get("ID", "unknown"),
        "version": release.get("VERSION_ID", ""),
        "codename": release.get("VERSION_CODENAME", ""),
        "like": release.get("ID_LIKE", "").split(),
        "systemd": os.path.isdir("/run/systemd/system"),  # sd_booted(3)
        "login": login(),
        "python_debian": os.path.isdir("/usr/lib/python3/dist-packages/debian"),
    }


def login() -> str:
    """Return the user who logged in, before sudo."""
    return os.environ.get("SUDO_USER") or name_of(pwd.getpwuid, os.getuid())


def home(user: str) -> str:
    """Return a user's home folder; one that does not exist for a user without an entry."""
    try:
        return pwd.getpwnam(user).pw_dir
    except KeyError:
        return "/nonexistent"


def look_at_engine(docker: Docker, wait: int) -> Look:
    """Return whether an engine answers within ``wait`` seconds. A client alone is not an engine."""
    deadline = time.monotonic() + wait
    programs = {
        "client": find_program("docker"),
        "daemon": find_program("dockerd"),
        "elsewhere": "",
    }
    while True:
        try:
            version = str(docker.version().get("Version", ""))
        except DockerError as error:
            if time.monotonic() >= deadline:
                return programs | {"works": False, "version": "", "error": str(error)}
            time.sleep(0.2)
        else:
            return programs | {"works": True, "version": version, "error": ""}


def find_program(name: str) -> str:
    """Return the path of a program, even if only root has it on its path; empty if missing."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or ""


def start(*arguments: str) -> subprocess.Popen[str] | OSError:
    """Start a command whose output is fetched later; return it, or why it does not start."""
    try:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return error


def finish(command: subprocess.Popen[str] | OSError, timeout: int) -> tuple[bool, str]:
    """Return whether a started command succeeded, and its output."""
    if isinstance(command, OSError):
        return False, str(command)
    try:
        output, _ = command.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        command.kill()
        command.communicate()
        return False, f"no answer within {timeout} s"
    return command.returncode == 0, output.strip()


def compose_answer(command: subprocess.Popen[str] | OSError, timeout: int) -> Look:
    """Return whether the client has the compose plugin (``docker compose version --short``)."""
    works, output = finish(command, timeout)
    if works:
        return {"works": True, "version": output, "error": ""}
    # A client without the plugin takes "compose" or its option for a wrong word.
    wrong_word = ("unknown flag", "unknown command", "not a docker command")
    if any(words in output for words in wrong_word):
        output = "the docker client has no plugin named compose"
    first = output.splitlines()[0] if output else "it printed nothing"
    return {"works": False, "version": "", "error": first}


def look_at_image(docker: Docker, name: str) -> Look:
    """Return the state of the lab's image."""
    image = docker.image(name)
    if image is None:
        return NO_IMAGE
    return {
        "present": True,
        "id": str(image["Id"]),
        "layers": list(image.get("RootFS", {}).get("Layers") or []),
        "size": int(image.get("Size", 0)),
    }


def name_of(lookup: t.Callable[[int], tuple[t.Any, ...]], number: int) -> str:
    """Return the name of a user or group, or its number if it has none."""
    try:
        return str(lookup(number)[0])
    except KeyError:
        return str(number)


def look_at_file(path: Path) -> Look:
    """Return digest, mode and owner of a regular file; nothing if it is missing, or a link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return {}
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return {"regular": False}
        digest = hashlib.sha256(os.read(descriptor, _FILE_LIMIT)).hexdigest()
    finally:
        os.close(descriptor)
    return {
        "regular": True,
        "sha256": digest if status.st_size <= _FILE_LIMIT else "",
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": name_of(pwd.getpwuid, status.st_uid),
    }


def look_at_service(container: Json | None) -> Look:
    """Return the state of one service's container."""
    if container is None:
        return NO_SERVICE
    state = container.get("State", {})
    return {
        # Docker calls a paused container running, too.
        "running": state.get("Status") == "running",
        "paused": bool(state.get("Paused")),
        "health": str((state.get("Health") or {}).get("Status", "none")),
        "image_id": str(container.get("Image", "")),
        "networks": addresses(container),
        "id": str(container["Id"]),
        "pid": int(state.get("Pid") or 0),
    }


def look_at_network(docker: Docker, project: str) -> Look:
    """Return the state of the lab's network and the bridge behind it."""
    try:
        return describe_network(docker.networks(project), project) | {"error": ""}
    except NoNetworkError as error:
        return no_network(str(error))


def no_network(error: str) -> Look:
    """Return the state of a network that cannot be seen."""
    return {
        "name": "",
        "id": "",
        "subnets": [],
        "interface": "",
        "exists": False,
        "up": False,
        "error": error,
    }


def look_at_port(server: Look, port: int, running: list[Process]) -> Look:
    """Return the process that has the lab's port inside the server's container."""
    taker = listener(server["pid"], port, running) if server["pid"] else None
    if taker is None:
        return {}
    return {"pid": taker.pid, "command": taker.command, "since": instant(taker.started)}


def capture_interface(arguments: list[str]) -> str:
    """Return the interface that a tcpdump command line names (``-i x``, ``-nvi x``, ``-ix``)."""
    words = iter(arguments[1:])
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--interface":
            return value if equals else next(words, "")
        if word.startswith("-") and not word.startswith("--") and "i" in word:
            return word.partition("i")[2] or next(words, "")
    return ""


def may_capture() -> bool:
    """Return whether root may capture here, which needs CAP_NET_RAW in a container."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)).close()
    except OSError:
        return False
    return True


def look_at_tcpdump(running: list[Process], timeout: int) -> Look:
    """Return the path of tcpdump, and those of its processes that no session of ours started."""
    path = find_program("tcpdump")
    _, output = finish(start(path, "--version"), timeout) if path else (False, "")
    ours = {process.pid for process in marked(running)}
    return {
        "path": path,
        "version": output.splitlines()[0] if output else "",
        "permitted": may_capture(),
        "running": [
            {
                "pid": process.pid,
                "command": process.command,
                "interface": capture_interface(process.arguments),
            }
            for process in running
            if os.path.basename(process.arguments[0]) == "tcpdump" and process.pid not in ours
        ],
    }


def look_at_disk(directory: str) -> Look:
    """Return the free space where the lab files lie, or would lie."""
    path = Path(directory)
    while not path.exists():
        path = path.parent
    return {"path": str(path), "free": shutil.disk_usage(path).free}


def look_at_leftovers(
    containers: list[Json], services: list[str], running: list[Process]
) -> list[Look]:
    """Return the leftovers of a session that was cut off: processes and one-off containers.

    A one-off container of another service is a student's own, such as a capture.
    """
    leftovers = [
        {"kind": "process", "id": str(process.pid), "command": process.command}
        for process in marked(running)
    ]
    for container in containers:
        labelled = labels(container)
        if labelled.get(ONE_OFF_LABEL) == "True" and labelled.get(SERVICE_LABEL) in services:
            name = str(container.get("Name", "")).lstrip("/")
            leftovers.append({"kind": "container", "id": name, "command": "docker compose run"})
    return leftovers


def look_at_docker_users() -> list[str]:
    """Return the members of the group docker."""
    try:
        return sorted(grp.getgrnam("docker").gr_mem)
    except KeyError:
        return []


def look_at_apt_proxy(path: str) -> str:
    """Return the proxy that the lab's own file sets for apt; empty if there is no such file."""
    try:
        content = Path(path).read_bytes()[:_FILE_LIMIT].decode(errors="replace")
    except OSError:
        return ""
    line = _APT_PROXY.search(content)
    return line[1] if line else "unreadable"


def look(params: dict[str, t.Any]) -> Look:
    """Return the whole host state."""
    timeout = params["timeout"]
    # This is by far the slowest command, so it is started first and its output is fetched last.
    compose = start("docker", "compose", "version", "--short")
    docker = Docker(params["docker_socket"], timeout)
    engine = look_at_engine(docker, params["wait"])
    running = processes()
    image, network = NO_IMAGE, no_network("no Docker Engine answers")
    containers: list[Json] = []
    if engine["works"]:
        try:
            image = look_at_image(docker, params["image"])
            network = look_at_network(docker, params["project"])
            containers = docker.containers(params["project"])
            engine["elsewhere"] = engine_machine(docker, params["project"])
        except DockerError as error:
            engine |= {"works": False, "error": str(error)}
    else:
        engine["elsewhere"] = chosen_endpoint(
            home(login()), params["docker_host"], params["docker_socket"]
        )
    by_name = service_containers(containers)
    services = {name: look_at_service(by_name.get(name)) for name in params["services"]}
    held = holder()
    return {
        "os": look_at_os(),
        "engine": engine,
        "image": image,
        "files": {name: look_at_file(Path(params["directory"], name)) for name in params["files"]},
        "services": services,
        "network": network,
        "port": look_at_port(services[params["services"][0]], params["port"], running),
        "tcpdump": look_at_tcpdump(running, timeout),
        "disk": look_at_disk(params["directory"]),
        "session": held or {},
        "leftovers": [] if held else look_at_leftovers(containers, params["services"], running),
        "docker_users": look_at_docker_users(),
        "apt_proxy": look_at_apt_proxy(params["apt_proxy_file"]),
        "compose": compose_answer(compose, timeout),
    }


def main() -> None:
    """Run the module."""
    started = time.time()
    module = AnsibleModule(
        argument_spec={
            "project": {"type": "str", "required": True},
            "services": {"type": "list", "elements": "str", "required": True},
            "image": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "required": True},
            "apt_proxy_file": {"type": "path", "required": True},
            "docker_socket": {"type": "path", "default": "/var/run/docker.sock"},
            "docker_host": {"type": "str", "default": ""},
            "timeout": {"type": "int", "default": 10},
            "wait": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    host_state = look(module.params)
    module.exit_json(changed=False, look=host_state, clock=[started, time.time()])


if __name__ == "__main__":
    main()
