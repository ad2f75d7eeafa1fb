"""Upcall server: takes one client and answers each of its messages with an upcall.

Start it before the client. It serves one connection, until either side closes, and ends.
Ctrl-C closes in order (the client sees a FIN), also while it waits for a client.

Exit status: 0 the client closed; 1 the port was taken, or the connection broke; 130 Ctrl-C.
"""

import errno
import socket
import sys

HOST = "0.0.0.0"  # every address of this machine
PORT = 4141
LIMIT = 1024  # bytes read at once

MORE = "More about it: handout.md"

PORT_TAKEN = f"""Address already in use (Errno 98): another server holds port {PORT}.
Press Ctrl-C in its window. If you cannot find that window:
  docker compose -f compose/upcall.yml top upcall-server        shows what runs there
  docker compose -f compose/upcall.yml restart upcall-server    stops it; then start yours again
{MORE}"""

BROKEN = f"""The connection broke off: %s.
Start this server again, then the client.
{MORE}"""


def open_listener() -> socket.socket:
    """Return a socket that waits for clients on PORT."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Bind even while the last session's connection still waits in TIME-WAIT on this port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, PORT))
        listener.listen(1)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            sys.exit(PORT_TAKEN)
        sys.exit(f"Cannot listen on {HOST}:{PORT}: {error}")
    print(f"Upcall server listening on {HOST}:{PORT}")
    return listener


def serve(connection: socket.socket) -> None:
    """Answer each message of one client, until it closes."""
    while True:
        data = connection.recv(LIMIT)
        if data == b"":  # the client sent a FIN: no more data will come
            print("Client closed the connection.")
            return
        # Only for our eyes: what is no UTF-8 is shown as U+FFFD, but answered as it came.
        print("Received from client:", data.decode("utf-8", "replace"))
        connection.sendall(b"Upcall event: Processing " + data)


def main() -> None:
    listener = open_listener()
    try:
        connection, address = listener.accept()
        print("Connection from:", address)
        try:
            serve(connection)
        finally:
            connection.close()  # sends our FIN
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C.")
        sys.exit(130)
    except OSError as error:
        sys.exit(BROKEN % error)
    finally:
        listener.close()


if __name__ == "__main__":
    main()
