"""Server log and client transcript, compared with the wire.

What they hold was printed by programs on a lab host, from messages that anybody may have sent: it
is compared as text, never trusted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from upcall_grader.capture.packets import address_text
from upcall_grader.judge.connection_summary import ConnectionSummary
from upcall_grader.judge.results import Remark
from upcall_grader.terminal import quoted

SERVER_LOG, CLIENT_LOG = "server.log", "client.log"

_CONNECTION = re.compile(rb"Connection from: \('([0-9a-fA-F.:]{2,45})', ([0-9]{1,5})\)")
_RECEIVED = re.compile(rb"Received from client: ?(.*)", re.DOTALL)
_PROMPTS = rb"(?:Enter (?:another )?message: )*"
_SHOWN = 40  # columns of a message in a sentence
_MAX_NAMED = 10


class _LoggedConnection(NamedTuple):
    """What the server's log says of one connection."""

    client: tuple[str, int]
    messages: list[bytes]


def disagreements(
    summary: ConnectionSummary, server_log: bytes, client_log: bytes, shown: bytes
) -> list[Remark]:
    """Return where the logs say something else than the wire; an empty log says nothing.

    ``shown`` is what the client prints before an upcall.
    """
    remarks: list[Remark] = []
    if server_log:
        remarks += _server(summary, _connections(server_log))
    if client_log:
        upcall = re.compile(_PROMPTS + re.escape(shown) + rb" ?(.*)", re.DOTALL)
        matches = (_match(upcall, line) for line in _lines(client_log))
        logged = [match for match in matches if match is not None]
        remarks += _compare("witness-client", CLIENT_LOG, summary, _upcalls(summary), logged)
    return remarks


def _server(
    summary: ConnectionSummary, connections: Sequence[_LoggedConnection]
) -> Iterator[Remark]:
    client = (address_text(summary.client[0]), summary.client[1])
    own = [one for one in connections if one.client == client]
    if own:
        yield from _compare(
            "witness-server", SERVER_LOG, summary, _messages(summary), own[-1].messages
        )
        return
    clients = ", ".join(f"{one.client[0]}:{one.client[1]}" for one in connections[:_MAX_NAMED])
    values: dict[str, str | int] = {"log": SERVER_LOG, "told": clients or "no connection"}
    yield Remark("witness-other", values, needs_person=True)


def _connections(log: bytes) -> list[_LoggedConnection]:
    connections: list[_LoggedConnection] = []
    for line in _lines(log):
        opened = _CONNECTION.fullmatch(line)
        if opened:
            connections.append(_LoggedConnection((opened[1].decode(), int(opened[2])), []))
            continue
        message = _match(_RECEIVED, line)
        if message is not None and connections:
            connections[-1].messages.append(message)
    return connections


def _lines(log: bytes) -> list[bytes]:
    # Only where every line ends so was the log saved on Windows: a message may end with \r.
    windows = log.count(b"\r\n") == log.count(b"\n")
    return log.split(b"\r\n" if windows else b"\n")


def _match(pattern: re.Pattern[bytes], line: bytes) -> bytes | None:
    match = pattern.fullmatch(line)
    return match[1] if match else None


def _printed(data: bytes) -> bytes:
    """Return bytes of the wire as the lab's programs print them."""
    return data.decode("utf-8", "replace").encode()


def _compare(
    code: str, log: str, summary: ConnectionSummary, wire: Sequence[bytes], logged: Sequence[bytes]
) -> Iterator[Remark]:
    if not summary.from_start_to_end and _in_order(wire, logged):
        # What the capture does not hold cannot speak against the log.
        return
    if len(wire) != len(logged):
        values: dict[str, str | int] = {"log": log, "told": len(logged), "held": len(wire)}
        yield Remark("witness-count", values, needs_person=True)
    pairs = [
        (number, held, said)
        for number, (held, said) in enumerate(zip(wire, logged), 1)
        if held != said
    ]
    # Where one is left out all that follow differ: only the first of them means something.
    for number, held, said in pairs[: _MAX_NAMED if len(wire) == len(logged) else 1]:
        values = {"number": number, "wire": quoted(held, _SHOWN), "log": quoted(said, _SHOWN)}
        yield Remark(code, values, needs_person=True)


def _in_order(wire: Iterable[bytes], logged: Iterable[bytes]) -> bool:
    """Return whether all of ``wire`` is in ``logged``, in this order."""
    rest = iter(logged)
    return all(held in rest for held in wire)


def _messages(summary: ConnectionSummary) -> list[bytes]:
    return [_printed(message) for message in summary.messages]


def _upcalls(summary: ConnectionSummary) -> list[bytes]:
    return [_printed(one.upcall) for one in summary.exchanges if one.upcall is not None]
