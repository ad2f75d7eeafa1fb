"""One connection as a capture shows it: what the criteria decide from."""

from __future__ import annotations

from typing import NamedTuple

from upcall_grader.capture.connections import Connection, Endpoint, Handshake
from upcall_grader.capture.dialogue import Answer, Exchange, read_dialogue
from upcall_grader.judge.results import Conversation


class End(NamedTuple):
    """How one side closed: the frame of its FIN, and that of the FIN's acknowledgement."""

    fin: int | None = None
    acked: int | None = None


class ConnectionSummary(NamedTuple):
    """A connection, after its last segment.

    Times are nanoseconds since 1970 UTC, or None. ``resets`` are frames, and whether the client
    sent it. ``strays`` are bytes of the server before its first upcall. ``whole``: no byte is
    missing between the first and the last of each side. ``answered``: the server sent anything,
    captured or acknowledged. ``last_options`` are the last segment's TCP options.
    """

    number: int
    client: Endpoint
    server: Endpoint
    first_frame: int
    last_frame: int
    first_time: int | None
    last_time: int | None
    handshake: Handshake
    client_end: End
    server_end: End
    resets: tuple[tuple[int, bool], ...]
    refused: bool
    exchanges: tuple[Exchange, ...]
    strays: tuple[tuple[bytes, tuple[int, ...]], ...]
    whole: bool
    answered: bool = True
    last_options: bytes = b""

    @property
    def conversation(self) -> Conversation:
        """Which connection this is."""
        return Conversation(
            self.number, self.client, self.server, self.first_frame, self.last_frame
        )

    @property
    def close_frames(self) -> tuple[int, ...]:
        """Frames of the FINs and their acknowledgements, in order."""
        ends = (self.client_end, self.server_end)
        frames = {frame for end in ends for frame in (end.fin, end.acked) if frame is not None}
        return tuple(sorted(frames))

    @property
    def closed(self) -> bool:
        """Both sides sent FIN and had it acknowledged before any reset (RFC 9293 section 3.6)."""
        last = max(self.client_end.acked or 0, self.server_end.acked or 0)
        both = self.client_end.acked is not None and self.server_end.acked is not None
        return both and all(frame > last for frame, _ in self.resets)

    @property
    def to_the_end(self) -> bool:
        """Whether all behind its first packet here is in the capture, up to its end."""
        return self.whole and (self.closed or bool(self.resets))

    @property
    def from_start_to_end(self) -> bool:
        """Whether all of the connection is in the capture: what is not there did not happen."""
        return self.handshake.syn is not None and self.to_the_end

    @property
    def server_gone(self) -> bool:
        """Whether the server closed first, and later reset what the client still sent."""
        server, client = self.server_end.fin, self.client_end.fin
        later = any(not by_client and frame > (server or 0) for frame, by_client in self.resets)
        return server is not None and client is None and later

    @property
    def messages(self) -> list[bytes]:
        """The messages, in order."""
        return [one.message for one in self.exchanges if one.message is not None]

    @property
    def answered_messages(self) -> int:
        """How many messages came back in their upcalls."""
        return sum(exchange.answer is Answer.YES for exchange in self.exchanges)

    @property
    def message_frames(self) -> list[int]:
        """The frames of all messages, in the messages' order."""
        return [frame for exchange in self.exchanges for frame in exchange.message_frames]

    @property
    def evidence(self) -> frozenset[int]:
        """The frames from which most criteria decide: handshake, messages, upcalls, close."""
        upcalls = (frame for one in self.exchanges for frame in one.upcall_frames)
        return frozenset(
            (*self.handshake.frames, *self.message_frames, *upcalls, *self.close_frames)
        )

    @property
    def reset_frames(self) -> tuple[int, ...]:
        """The frames of the resets, in order."""
        return tuple(frame for frame, _ in self.resets)

    @property
    def reset_by(self) -> str:
        """Which side sent the first reset: client or server, "" if none did."""
        sides = ("client" if from_client else "server" for _, from_client in self.resets)
        return next(sides, "")


def summarize_connection(connection: Connection, phrase: bytes) -> ConnectionSummary:
    """Return the summary of a finished connection (``Connection.finish``).

    ``phrase`` stands before a message in its upcall.
    """
    dialogue = read_dialogue(connection, phrase)
    client, server = connection.client, connection.server
    return ConnectionSummary(
        number=connection.number,
        client=client.endpoint,
        server=server.endpoint,
        first_frame=connection.first.frame,
        last_frame=connection.last.frame,
        first_time=connection.first.time_ns,
        last_time=connection.last.time_ns,
        handshake=connection.handshake,
        client_end=End(client.fin, client.fin_acked),
        server_end=End(server.fin, server.fin_acked),
        resets=tuple(connection.resets),
        refused=connection.refused,
        exchanges=dialogue.exchanges,
        strays=dialogue.strays,
        whole=dialogue.whole,
        answered=server.base is not None,
        last_options=connection.last.options,
    )
