"""Whether docker on a host uses an engine on another machine, where the bridges are, too.

So it is with Docker Desktop, whose engine has a machine of its own, with ``DOCKER_HOST``, and with
a context of the user's (docker-context(1)).
"""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
from pathlib import Path

from ansible.module_utils.lab_look_docker import PROJECT_LABEL, Docker
from ansible.module_utils.lab_look_lab import bridge_name

_LIMIT = 1 << 20  # bytes of a file of docker's settings


def engine_machine(docker: Docker, project: str) -> str:
    """Return the name of the engine's machine; empty if that is this one.

    An engine on this machine has its name, or shows the bridge of the lab here; before the lab has
    a network, any bridge of the engine's. Raises DockerError.
    """
    networks = docker.bridges()
    ours = [each for each in networks if (each.get("Labels") or {}).get(PROJECT_LABEL) == project]
    interfaces = [bridge_name(network) for network in ours or networks]
    if not interfaces or any(os.path.isdir(f"/sys/class/net/{name}") for name in interfaces):
        return ""
    name = str(docker.info().get("Name", ""))
    return "" if name == os.uname().nodename else name


def chosen_endpoint(home: str, docker_host: str, own_socket: str) -> str:
    """Return the address of the engine that a user's docker asks; empty if it is ``own_socket``.

    It is what ``DOCKER_HOST`` says, else the context in the user's settings below ``home``.
    """
    endpoint = docker_host or _context_endpoint(Path(home, ".docker"))
    path = endpoint.removeprefix("unix://") if endpoint.startswith("unix://") else ""
    same = not endpoint or os.path.realpath(path or "/") == os.path.realpath(own_socket)
    return "" if same else endpoint


def _context_endpoint(settings: Path) -> str:
    """Return the address in the user's current context; empty if that is docker's default."""
    context = _read(settings / "config.json").get("currentContext")
    if not isinstance(context, str) or context in ("", "default"):
        return ""
    folder = hashlib.sha256(context.encode()).hexdigest()
    endpoint: t.Any = _read(settings / "contexts" / "meta" / folder / "meta.json")
    for key in ("Endpoints", "docker", "Host"):
        endpoint = endpoint.get(key) if isinstance(endpoint, dict) else None
    return endpoint if isinstance(endpoint, str) else ""


def _read(path: Path) -> dict[str, t.Any]:
    """Return what a file of docker's settings holds; nothing if it is missing or no such file."""
    try:
        # Users choose what lies there: neither a link nor a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = json.loads(file.read(_LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
