"""The lab on a host: its services, its network, the bridge to capture on."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible.module_utils.lab_look_docker import (
    ONE_OFF_LABEL,
    SERVICE_LABEL,
    Json,
    labels,
)

_BRIDGE_OPTION = "com.docker.network.bridge.name"
_IFF_UP = 0x1  # include/uapi/linux/if.h


class NoNetworkError(Exception):
    """The lab has no network, or several; the text says which, and what to do."""


def service_containers(containers: list[Json]) -> dict[str, Json]:
    """Return each service's container, without those that ``docker compose run`` started."""
    return {
        labels(container)[SERVICE_LABEL]: container
        for container in containers
        if SERVICE_LABEL in labels(container)
        and labels(container).get(ONE_OFF_LABEL, "False") != "True"
    }


def addresses(container: Json) -> dict[str, str]:
    """Return the container's address on each network, by name (empty while it has none)."""
    networks = container.get("NetworkSettings", {}).get("Networks") or {}
    return {name: str(entry.get("IPAddress") or "") for name, entry in networks.items()}


def bridge_name(network: Json) -> str:
    """Return a bridge network's interface: its option, else ``br-`` and 12 digits of its id.

    Source: Docker's documentation of the bridge network driver and its ``bridge.name`` option.
    """
    option = (network.get("Options") or {}).get(_BRIDGE_OPTION)
    return str(option) if option else "br-" + str(network["Id"])[:12]


def is_up(interface: str) -> bool:
    """Return whether an interface exists and is administratively up (netdevice(7), IFF_UP)."""
    # A name is one part of a path; the engine's answer may be something else.
    if not interface or "/" in interface or interface in {".", ".."}:
        return False
    try:
        flags = Path("/sys/class/net", interface, "flags").read_text(encoding="ascii")
    except OSError:
        return False
    return bool(int(flags, 16) & _IFF_UP)


def describe_network(networks: list[Json], project: str) -> dict[str, t.Any]:
    """Return name, id, subnets and interface of the lab's network. Raises NoNetworkError."""
    bridges = [network for network in networks if network.get("Driver") == "bridge"]
    if not bridges:
        raise NoNetworkError(
            f"the compose project {project} has no bridge network: start the lab with"
            " docker compose up -d of its compose file"
        )
    if len(bridges) > 1:
        names = ", ".join(sorted(str(network["Name"]) for network in bridges))
        raise NoNetworkError(
            f"the compose project {project} has several networks ({names}): remove those that the "
            "lab does not use with docker network rm"
        )
    network = bridges[0]
    interface = bridge_name(network)
    return {
        "name": str(network["Name"]),
        "id": str(network["Id"]),
        "subnets": [
            str(entry["Subnet"])
            for entry in (network.get("IPAM", {}).get("Config") or [])
            if "Subnet" in entry
        ],
        "interface": interface,
        "exists": os.path.isdir(f"/sys/class/net/{interface}"),
        "up": is_up(interface),
    }
