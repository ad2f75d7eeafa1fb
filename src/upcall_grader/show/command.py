"""``upcall-show``: a capture on the terminal, and whether it is complete.

Exit status: 0 shown (with ``--check``: complete), 1 not complete (``--check`` only), 2 wrong use or
unreadable file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from upcall_grader.capture.connections import Connection, Follower
from upcall_grader.capture.dialogue import Answer, Dialogue, Exchange, read_dialogue
from upcall_grader.capture.frames import LINK_NAMES
from upcall_grader.capture.packets import Decoder, Other, Packet, Segment, endpoint_text, tcp_name
from upcall_grader.capture.reading import Capture, CaptureError, open_capture
from upcall_grader.lab import UPCALL
from upcall_grader.show.missing import Finding, missing
from upcall_grader.show.table import Glyphs, Row, Table, label_rows
from upcall_grader.terminal import Painter, wants_colour
from upcall_grader.troubles import Parser, place
from upcall_text.plain import escape_unprintable

_MAX_FRAMES = 12
_MAX_PAIRS = 6
Conversation = tuple[Connection, Dialogue]


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; returns the exit status."""
    options = _options(arguments)
    painter = Painter(wants_colour(options.color, sys.stdout))
    # A message may hold characters that the output's encoding lacks: they show as escapes.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _show(Path(options.file), options.port, options.check, painter)
        sys.stdout.flush()
    except CaptureError as error:
        name = escape_unprintable(options.file)
        told = f"upcall-show: {name}: {error.cause}.\nRemedy: {error.remedy}."
        print(told + place(error.trouble), file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not complain while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if not options.check else 1
    except KeyboardInterrupt:
        return 130
    return status


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="upcall-show",
        description="Show the packets of an upcall capture: handshake, messages, upcalls, close.",
        epilog="Frame numbers are Wireshark's. Exit status: 0 shown (--check: complete), "
        "1 something is missing (--check), 2 wrong use or unreadable file.",
    )
    parser.add_argument("file", metavar="FILE", help="capture file, pcap or pcapng")
    parser.add_argument(
        "--port",
        type=_port,
        default=UPCALL.port,
        help="the server's TCP port (default: %(default)s)",
    )
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colours; auto: on a terminal, unless NO_COLOR is set (default: auto)",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit 0 only if handshake, messages with their upcalls and an orderly close are there",
    )
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no TCP port; give a number from 1 to 65535")
    return int(text)


def _show(path: Path, port: int, check: bool, paint: Painter) -> int:
    glyphs = Glyphs.for_encoding(sys.stdout.encoding)
    stream, capture = open_capture(path)
    with stream:
        rows, connections = _read(capture, port)
    conversations = [
        (connection, read_dialogue(connection, UPCALL.answer)) for connection in connections
    ]
    label_rows(rows, conversations)
    findings = missing(conversations)
    if rows:
        table = Table(rows, shutil.get_terminal_size((120, 24)).columns, paint, glyphs)
        lines = table.lines()
        for line in [*_legend(conversations, table.named), *lines, ""]:
            print(line)
    _print_summary(conversations, rows, port, paint, glyphs)
    _print_end(path, capture, len(rows), paint, glyphs)
    if check and findings:
        print(paint("bad", "Incomplete: ") + "; ".join(_finding(finding) for finding in findings))
    return 1 if check and findings else 0


def _read(capture: Capture, port: int) -> tuple[list[Row], list[Connection]]:
    decoder, follower = Decoder(), Follower(port)
    rows: list[Row] = []
    try:
        rows.extend(_row(decoder.decode(frame), follower, port) for frame in capture)
    except OSError as error:
        raise CaptureError(
            f"reading stopped after frame {len(rows)} ({error.strerror or error})",
            "copy the file to a local disk and try again",
        ) from error
    return rows, follower.finish()


def _row(packet: Packet, follower: Follower, port: int) -> Row:
    if isinstance(packet, Segment):
        if packet.on_port(port):
            return Row(packet.frame, packet.time_ns, follower.add(packet), None)
        packet = Other(
            packet.frame,
            packet.time_ns,
            tcp_name(packet.source_port, packet.destination_port),
            endpoint_text(packet.source, packet.source_port),
            endpoint_text(packet.destination, packet.destination_port),
        )
    return Row(packet.frame, packet.time_ns, None, packet)


def _legend(conversations: list[Conversation], named: bool) -> list[str]:
    if not named:
        return []
    many = len(conversations) > 1
    return [
        f"  client{f' {connection.number}' if many else ''} = {connection.client}, "
        f"server = {connection.server}"
        for connection, _ in conversations
    ]


# -- the summary


def _print_summary(
    conversations: list[Conversation], rows: list[Row], port: int, paint: Painter, glyphs: Glyphs
) -> None:
    if not conversations:
        what = "no packet at all, only a file header" if not rows else "no packet of the lab"
        others = sorted({row.other.protocol for row in rows if row.other is not None})
        seen = f"; what is there: {', '.join(others[:8])}" if others else ""
        _fact(paint, glyphs, False, "Traffic", f"{what} (TCP port {port}){seen}", ())
        return
    for connection, dialogue in conversations:
        if len(conversations) > 1:
            title = f"Connection {connection.number}: {connection.client} {glyphs.arrow} "
            print(paint("bold", title + str(connection.server)))
        _handshake(connection, paint, glyphs)
        _exchanges(dialogue, paint, glyphs)
        _close(connection, paint, glyphs)


def _handshake(connection: Connection, paint: Painter, glyphs: Glyphs) -> None:
    complete = connection.handshake.complete
    text = "complete: yes" if complete else "complete: no"
    _fact(paint, glyphs, complete, "Handshake", text, connection.handshake.frames)


def _exchanges(dialogue: Dialogue, paint: Painter, glyphs: Glyphs) -> None:
    exchanges = dialogue.exchanges
    answered = [exchange for exchange in exchanges if exchange.answer is Answer.YES]
    count = len([exchange for exchange in exchanges if exchange.message is not None])
    messages = f"{count} message{'' if count == 1 else 's'}"
    if not exchanges:
        text = "no message in the capture"
    elif len(answered) == len(exchanges):
        text = f"{messages}, {'each ' if count > 1 else ''}answered by its upcall"
    else:
        unseen = [exchange for exchange in exchanges if exchange.answer is Answer.UNKNOWN]
        text = f"{messages}, {len(answered)} answered by the right upcall"
        text += f", {len(unseen)} not observable" if unseen else ""
    good = bool(exchanges) and len(answered) == len(exchanges)
    _fact(paint, glyphs, good, "Exchanges", text + _pairs(exchanges, glyphs), ())


def _pairs(exchanges: Sequence[Exchange], glyphs: Glyphs) -> str:
    """Which frames hold each message and its upcall."""
    if not exchanges:
        return ""
    shown = [
        f"{_ends(exchange.message_frames)} {glyphs.arrow} {_ends(exchange.upcall_frames)}"
        for exchange in exchanges[:_MAX_PAIRS]
    ]
    more = f" and {len(exchanges) - _MAX_PAIRS} more" if len(exchanges) > _MAX_PAIRS else ""
    return f" (frames {', '.join(shown)}{more})"


def _ends(frames: Sequence[int]) -> str:
    if not frames:
        return "?"
    return str(frames[0]) if len(frames) == 1 else f"{frames[0]}-{frames[-1]}"


def _close(connection: Connection, paint: Painter, glyphs: Glyphs) -> None:
    frames: Sequence[int] = connection.close_frames
    if connection.resets:
        by = "client" if connection.resets[0][1] else "server"
        text = f"reset by the {by}"
        if connection.refused:
            text = "connection refused: nothing listened on the server's port"
        frames = [frame for frame, _ in connection.resets]
    elif connection.closed_in_order:
        client_fin, server_fin = connection.client.fin or 0, connection.server.fin or 0
        first = "client" if client_fin < server_fin else "server"
        text = f"orderly, {len(frames)} segments, {first} first"
    elif frames:
        text = "begun, not finished"
    else:
        text = "missing"
    _fact(paint, glyphs, connection.closed_in_order, "Close", text, frames)


def _fact(
    paint: Painter, glyphs: Glyphs, good: bool, name: str, text: str, frames: Sequence[int]
) -> None:
    mark = paint("good", glyphs.yes) if good else paint("bad", glyphs.no)
    print(f"{mark} {paint('bold', f'{name:<9}')}  {text}{_frames(frames)}")


def _frames(frames: Sequence[int]) -> str:
    if not frames:
        return ""
    shown = ", ".join(str(frame) for frame in frames[:_MAX_FRAMES])
    more = f" and {len(frames) - _MAX_FRAMES} more" if len(frames) > _MAX_FRAMES else ""
    return f" (frame{'' if len(frames) == 1 else 's'} {shown}{more})"


def _finding(finding: Finding) -> str:
    return finding.text + _frames(finding.frames)


def _print_end(path: Path, capture: Capture, count: int, paint: Painter, glyphs: Glyphs) -> None:
    links = ", ".join(LINK_NAMES.get(link, f"link type {link}") for link in capture.link_types)
    kind = f"{count} packet{'' if count == 1 else 's'}, {capture.file_format}"
    name = escape_unprintable(str(path))
    print(f"  {paint('bold', 'File     ')}  {name} ({kind}{', ' + links if links else ''})")
    if capture.damage is not None:
        damage = capture.damage
        print(
            f"{paint('bad', glyphs.no)} {paint('bold', 'File end ')}  {damage.reason}; what stands "
            f"above was before it (frame {damage.after_frame}, byte {damage.offset})"
        )


if __name__ == "__main__":
    raise SystemExit(main())
