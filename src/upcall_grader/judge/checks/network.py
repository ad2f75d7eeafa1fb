"""Client and server in certain networks."""

from __future__ import annotations

import ipaddress

from upcall_grader.capture.packets import address_text
from upcall_grader.judge.check import Case, Check, Finding, met, not_decidable, not_met
from upcall_grader.judge.parameters import Parameter
from upcall_grader.judge.rubric import Criterion


def _find(criterion: Criterion, case: Case) -> Finding:
    names = criterion.texts("networks") or case.networks
    if not names:
        return not_decidable("network-unknown")
    networks = [ipaddress.ip_network(name) for name in names]
    client, server = (end[0] for end in (case.connection.client, case.connection.server))
    inside = all(
        any(ipaddress.ip_address(address) in network for network in networks)
        for address in (client, server)
    )
    addresses = {"client": address_text(client), "server": address_text(server)}
    frames = [case.connection.first_frame]
    if inside:
        return met("network-met", frames, **addresses)
    return not_met("network-other", frames, **addresses)


def _read_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        message = f"a network has to look like 172.18.0.0/16, not {text!r}"
        raise ValueError(message) from None


CHECK = Check(
    order=100,
    find=_find,
    parameters={"networks": Parameter(_read_network, default=(), many=True)},
)
