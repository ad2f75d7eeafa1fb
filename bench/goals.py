"""The goals of a room, and what is said where one is missed."""

from __future__ import annotations

from bench.results import START_UP, Goal, Rounds, Why, cpu, ratio, seconds

CONNECT = "connect"
FLOOR, PYINFRA, WARM, UNTRUSTED = "floor", "pyinfra", "warm", "look-off"
MANY, CAPTURE, CAPTURE_SSH = "warm-48", "capture", "capture-ssh"
CONTESTANTS = (
    *(START_UP, CONNECT, FLOOR, PYINFRA, WARM, MANY, UNTRUSTED),
    *(CAPTURE, CAPTURE_SSH),
)
HOSTS, ALIASES = 6, 48


def cpu_of_a_further_host(rounds: Rounds) -> float:
    """Return CPU seconds that each host beyond the first six costs the controller."""
    return (cpu(rounds, MANY) - cpu(rounds, WARM)) / (ALIASES - HOSTS)


def without_start_up(name: str) -> Why:
    """Say how much of a contestant is Ansible's start-up, which no role can make shorter."""

    def why(rounds: Rounds) -> str:
        whole, start = seconds(rounds, name), seconds(rounds, START_UP)
        return (
            f"Of `{name}`'s {whole:.2f} s, Ansible's start-up with no task takes {start:.2f} s;"
            f" the other {whole - start:.2f} s are work for each host and task."
        )

    return why


def without_connection(rounds: Rounds) -> str:
    """Say how much of a host's CPU time is the SSH connection's, which every tool pays."""
    share = cpu(rounds, CONNECT) / HOSTS
    return (
        f"An SSH connection alone costs {share:.3f} s of CPU, most of it the key exchange; the rest"
        " is a process that Ansible forks for each host and task, and the look's result."
    )


def untrusted_is_short(rounds: Rounds) -> str:
    """Say what both have in common."""
    return (
        f"`{UNTRUSTED}` takes {seconds(rounds, UNTRUSTED):.2f} s, `{WARM}`"
        f" {seconds(rounds, WARM):.2f} s; start-up, {seconds(rounds, START_UP):.2f} s, and the look"
        " itself are in both."
    )


def many_on_few_cores(rounds: Rounds) -> str:
    """Say where the time of 48 goes."""
    return (
        f"`{MANY}` used {cpu(rounds, MANY):.2f} s of CPU on the controller within"
        f" {seconds(rounds, MANY):.2f} s; the hosts, which do 8 times the work of the 6, have the"
        " same cores."
    )


GOALS = (
    ratio(
        "Warm site.yml without the capture, against the parallel-ssh floor",
        *(WARM, FLOOR, 3.0, without_start_up(WARM)),
        at_most=True,
    ),
    ratio(
        "The same, against pyinfra with the same checks",
        *(WARM, PYINFRA, 1.0, without_start_up(WARM)),
        at_most=True,
    ),
    ratio(
        "The same roles with the look switched off, against it",
        *(UNTRUSTED, WARM, 8.0, untrusted_is_short),
        at_most=False,
    ),
    ratio(
        "A capture session on 6 hosts, against one ssh script",
        *(CAPTURE, CAPTURE_SSH, 6.0, without_start_up(CAPTURE)),
        at_most=True,
    ),
    Goal(
        "Controller CPU for each further host",
        f"(CPU of {MANY} - CPU of {WARM}) / {ALIASES - HOSTS}",
        "s",
        0.1,
        True,
        (MANY, WARM, CONNECT),
        cpu_of_a_further_host,
        without_connection,
    ),
    ratio(
        "48 aliases of the 6 hosts, against the 6",
        *(MANY, WARM, 6.0, many_on_few_cores),
        at_most=True,
    ),
)
