"""Upcall client: sends each line you type to the server and prints the upcall that comes back.

Start the server first. A line that says bye, or the end of input (Ctrl-D), closes the connection
in order; so does Ctrl-C, at any moment.

Exit status: 0 closed in order; 1 no connection, or the server went away; 130 Ctrl-C.
"""

import socket
import sys

SERVER = "upcall-server"
PORT = 4141
LIMIT = 1024  # bytes of one message: what the server reads at once
PATIENCE = 5  # seconds to wait for the connection

COMPOSE = "docker compose -f compose/upcall.yml"
MORE = "More about it: handout.md"

NO_SERVER = f"""Connection refused: {SERVER} is there, but no server listens on port {PORT}.
Start it first: {COMPOSE} exec upcall-server python servercall.py
{MORE}"""

NO_NAME = f"""Name not resolved: nothing that is called {SERVER} can be found from here.
Start the lab:  {COMPOSE} up -d
and the client inside it:  {COMPOSE} exec upcall-client python clientcall.py
{MORE}"""

NO_ANSWER = f"""No answer: {SERVER} has an address, but cannot be reached there (%s).
Make the network anew:  {COMPOSE} down  and then  {COMPOSE} up -d
{MORE}"""

GONE = f"""The server closed the connection: your last message got no upcall.
Start the server again, then this client.
{MORE}"""


def ask(prompt: str) -> bytes:
    """Return the next message, or b"" when the user wants to close."""
    while True:
        try:
            line = input(prompt)
        except EOFError:
            print()
            return b""
        if line.strip().lower() == "bye":
            return b""
        # The very bytes that were typed: Python keeps those that are no UTF-8 as surrogates.
        message = line.encode("utf-8", "surrogateescape")
        if message == b"":
            print("An empty line sends nothing. Type a message, or bye to close.")
        elif len(message) > LIMIT:
            print(f"Not sent: {len(message)} bytes of UTF-8, a message has at most {LIMIT}.")
        else:
            return message


def talk(connection: socket.socket) -> None:
    """Send each message and print its upcall, until the user wants to close."""
    prompt = "Enter message: "
    while message := ask(prompt):
        connection.sendall(message)
        upcall = connection.recv(2 * LIMIT)
        if upcall == b"":  # the server sent a FIN instead
            sys.exit(GONE)
        print("Received upcall from server:", upcall.decode("utf-8", "replace"))
        prompt = "Enter another message: "


def main() -> None:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect((SERVER, PORT))
        connection.settimeout(None)  # connected: from here on wait as long as it takes
        talk(connection)
        print("Connection closed.")
    except KeyboardInterrupt:
        print("\nStopped by Ctrl-C.")
        sys.exit(130)
    except socket.gaierror:
        sys.exit(NO_NAME)
    except ConnectionRefusedError:
        sys.exit(NO_SERVER)
    except (ConnectionResetError, BrokenPipeError):
        sys.exit(GONE)
    except OSError as error:
        sys.exit(NO_ANSWER % error)
    finally:
        connection.close()  # sends our FIN


if __name__ == "__main__":
    main()
