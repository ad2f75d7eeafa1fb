"""Echo client: sends each line you type to the server and prints what comes back."""

import socket
import sys

SERVER = "echo-server"
PORT = 2222


def main() -> None:
    with socket.create_connection((SERVER, PORT)) as connection:
        for line in sys.stdin:
            connection.sendall(line.rstrip("\n").encode())
            print("Received from server:", connection.recv(2048).decode())


if __name__ == "__main__":
    main()
