"""What a complete exchange needs, and what is missing in a capture."""

from __future__ import annotations

from dataclasses import dataclass

from upcall_grader.capture.connections import Connection
from upcall_grader.capture.dialogue import Answer, Dialogue, Exchange


@dataclass(frozen=True, slots=True)
class Finding:
    """A thing that is not as it should be, and the frames that show it."""

    text: str
    frames: tuple[int, ...] = ()


def missing(connections: list[tuple[Connection, Dialogue]]) -> list[Finding]:
    """Everything that keeps the capture from being complete; empty if it is.

    Complete: at least one connection, and in each the handshake, at least one message, every
    message answered by its upcall, a close from both sides, and no reset.
    """
    if not connections:
        return [Finding("no packet on the lab's port")]
    findings: list[Finding] = []
    for connection, dialogue in connections:
        prefix = f"connection {connection.number}: " if len(connections) > 1 else ""
        findings.extend(
            Finding(prefix + finding.text, finding.frames)
            for finding in _missing(connection, dialogue)
        )
    return findings


def _missing(connection: Connection, dialogue: Dialogue) -> list[Finding]:
    findings = []
    handshake = connection.handshake
    if not handshake.complete:
        absent = [
            name
            for name, frame in (
                ("SYN", handshake.syn),
                ("SYN, ACK", handshake.syn_ack),
                ("ACK", handshake.ack),
            )
            if frame is None
        ]
        names = " and ".join(f"[{name}]" for name in absent)
        findings.append(Finding(f"handshake: {names} not in the capture", tuple(handshake.frames)))
    if not any(exchange.message for exchange in dialogue.exchanges):
        findings.append(Finding("messages: none in the capture"))
    findings.extend(_of_exchange(exchange) for exchange in unanswered(dialogue))
    if connection.resets:
        frames = tuple(frame for frame, _ in connection.resets)
        reason = " (nothing listened on the server's port)" if connection.refused else ""
        findings.append(Finding(f"reset: the connection was cut off{reason}", frames))
    elif not connection.closed_in_order:
        findings.append(Finding(f"close: {_close_gap(connection)}", tuple(connection.close_frames)))
    return findings


def unanswered(dialogue: Dialogue) -> list[Exchange]:
    """Exchanges without the right upcall."""
    return [exchange for exchange in dialogue.exchanges if exchange.answer is not Answer.YES]


def _of_exchange(exchange: Exchange) -> Finding:
    frames = exchange.message_frames + exchange.upcall_frames
    if exchange.message is None:
        text = "upcall: its message is not in the capture"
    elif exchange.answer is Answer.NONE:
        text = "message: no upcall answers it"
    elif exchange.answer is Answer.WRONG:
        text = "upcall: its text is not the message's"
    else:
        text = "message: bytes are missing, its upcall cannot be compared"
    return Finding(text, frames)


def _close_gap(connection: Connection) -> str:
    sides = (("client", connection.client), ("server", connection.server))
    absent = [name for name, side in sides if side.fin is None]
    if absent:
        return f"no [FIN] from {' and '.join(absent)}"
    open_end = [name for name, side in sides if side.fin_acked is None]
    return f"the [FIN] of the {' and '.join(open_end)} is not acknowledged"
