"""Filter lab_look_findings: the findings of a lab host, each with its remedy."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

# AWX and ansible-pull install nothing of this project: its packages lie beside plugins/.
sys.path.append(str(Path(__file__).resolve().parents[2] / "src"))

from upcall_text.plain import escape_unprintable

_LONGEST = 1000  # characters of a finding, enough for any program's message

Look = dict[str, t.Any]
Findings = t.Iterator[tuple[str, str, str]]


def _engine(look: Look) -> Findings:
    engine, compose = look["engine"], look["compose"]
    if engine["elsewhere"]:
        yield (
            "engine-elsewhere",
            f"docker here uses an engine on another machine ({engine['elsewhere']}), so the lab's"
            " bridge does not show here",
            "capture in a container, as docs/laptop.en.md shows",
        )
    elif not engine["works"] and engine["daemon"]:
        start = "systemctl start docker" if look["os"]["systemd"] else "service docker start"
        yield (
            "engine-stopped",
            f"Docker Engine is installed, but does not run: {engine['error']}",
            f"start it: sudo {start}; or run playbooks/prepare.yml, which does",
        )
    elif not engine["works"]:
        lone = f" ({engine['client']} is a client, not an engine)" if engine["client"] else ""
        yield (
            "no-engine",
            f"Docker Engine does not work here{lone}: {engine['error']}",
            "run playbooks/prepare.yml, which installs and starts one",
        )
    if not compose["works"]:
        yield (
            "no-compose",
            f"docker compose v2 does not work: {compose['error']}",
            "run playbooks/prepare.yml, which installs the plugin",
        )


def _services(look: Look, compose: str) -> Findings:
    down = [name for name, service in look["services"].items() if not service["running"]]
    if down:
        yield (
            "not-running",
            f"not running: {', '.join(down)}",
            f"run playbooks/deploy.yml, or in the lab's directory: {compose} up -d",
        )
    ill = [
        name
        for name, service in look["services"].items()
        if service["running"] and service["health"] not in {"healthy", "starting"}
    ]
    if ill:
        yield (
            "unhealthy",
            f"running, but not healthy: {', '.join(ill)}",
            f"see {compose} ps, then run playbooks/reset.yml",
        )


def _networks(look: Look, compose: str) -> Findings:
    running = {name: s["networks"] for name, s in look["services"].items() if s["running"]}
    if len(running) == len(look["services"]) and not set.intersection(*map(set, running.values())):
        where = "; ".join(
            f"{name} on {', '.join(sorted(nets)) or 'none'}" for name, nets in running.items()
        )
        yield (
            "networks-differ",
            f"client and server are on different networks: {where}",
            f"recreate both: {compose} up -d --force-recreate",
        )


def _bridge(look: Look, compose: str) -> Findings:
    network = look["network"]
    if network["error"]:
        yield ("no-network", network["error"], "run playbooks/deploy.yml")
    elif not network["exists"]:
        yield (
            "bridge-missing",
            f"network {network['name']} exists, but its bridge {network['interface']} does not",
            f"make both anew: {compose} down, then {compose} up -d",
        )
    elif not network["up"]:
        yield (
            "bridge-down",
            f"bridge {network['interface']} is down",
            f"sudo ip link set {network['interface']} up",
        )


def _port(look: Look, server: str, port: int, compose: str) -> Findings:
    taker = look["port"]
    if taker and not look["session"]:
        yield (
            "port-taken",
            f"port {port} in {server} is taken by process {taker['pid']} (since {taker['since']}):"
            f" {taker['command']}",
            f"stop it with Ctrl-C where it runs, or: {compose} restart {server}",
        )


def _tcpdump(look: Look) -> Findings:
    tcpdump, bridge = look["tcpdump"], look["network"]["interface"]
    if not tcpdump["path"]:
        yield (
            "no-tcpdump",
            "tcpdump is not installed",
            "run playbooks/capture.yml, which installs it",
        )
    elif not tcpdump["permitted"]:
        yield (
            "tcpdump-not-permitted",
            "root may not capture here: the capability CAP_NET_RAW is missing",
            "if this host is a container, start it with --cap-add NET_RAW",
        )
    for process in tcpdump["running"]:
        if bridge and process["interface"] != bridge:
            yield (
                "wrong-interface",
                f"process {process['pid']} captures on"
                f" {process['interface'] or 'an interface of its own choice'}, but the lab's bridge"
                f" is {bridge}: {process['command']}",
                f"stop it with Ctrl-C, then: sudo tcpdump -nvi {bridge} -w upcall.pcap",
            )


def _disk(look: Look, disk_minimum: int) -> Findings:
    disk = look["disk"]
    if disk["free"] < disk_minimum:
        yield (
            "disk-full",
            f"{disk['path']} has {disk['free'] // 2**20} MiB of free space and needs"
            f" {disk_minimum // 2**20} MiB",
            "free some: docker system prune, then apt-get clean",
        )


def _clock(offset: float, delay: float, clock_maximum: int) -> Findings:
    # An offset that the delay alone may explain is not a finding.
    if abs(offset) - delay / 2 > clock_maximum:
        yield (
            "clock-off",
            f"the clock is {offset:+.1f} s off the controller's",
            "switch time synchronisation on: timedatectl set-ntp true",
        )


def _leftovers(look: Look) -> Findings:
    for leftover in look["leftovers"]:
        yield (
            "leftover",
            f"left behind by an earlier session: {leftover['kind']} {leftover['id']}"
            f" ({leftover['command']})",
            "run playbooks/reset.yml, which removes it",
        )
    held = look["session"]
    if held:
        yield (
            "held",
            f"a session holds the lab: {held['who']}, since {held['since']}, process {held['pid']}",
            f"wait until it has ended, or take over: sudo kill {held['pid']}",
        )


def lab_look_findings(
    look: Look,
    server: str,
    port: int,
    compose_file: str,
    clock_offset_seconds: float,
    clock_delay_seconds: float,
    disk_minimum: int,
    clock_maximum: int,
) -> list[dict[str, str]]:
    """Return a host's findings: ``id``, ``what`` was seen and the ``remedy``.

    The id is also the anchor of the finding's paragraph, which the remedy names at its end.
    ``disk_minimum`` is in bytes, ``clock_maximum`` in seconds. If no engine works, there are no
    findings about things that only an engine could show; if it runs elsewhere, none about capturing
    here.
    """
    findings = list(_engine(look))
    elsewhere = bool(look["engine"]["elsewhere"])
    if look["engine"]["works"]:
        compose = f"docker compose -f {compose_file}"
        findings += [*_services(look, compose), *_networks(look, compose)]
        if not elsewhere:
            findings += _bridge(look, compose)
        findings += _port(look, server, port, compose)
    if not elsewhere:
        findings += _tcpdump(look)
    findings += _disk(look, disk_minimum)
    findings += _clock(clock_offset_seconds, clock_delay_seconds, clock_maximum)
    findings += _leftovers(look)
    return [
        {
            "id": id_,
            "what": escape_unprintable(what, _LONGEST),
            "remedy": f"{escape_unprintable(remedy, _LONGEST)} (docs/troubles.md#{id_})",
        }
        for id_, what, remedy in findings
    ]


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters by name."""
        return {"lab_look_findings": lab_look_findings}
