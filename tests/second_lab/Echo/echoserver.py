"""Echo server: takes one client and repeats each of its messages."""

import socket

HOST = "0.0.0.0"  # every address of this machine
PORT = 2222


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, PORT))
        listener.listen(1)
        print(f"Echo server listening on {HOST}:{PORT}")
        connection, address = listener.accept()
        print("Connection from:", address)
        with connection:
            while data := connection.recv(1024):
                print("Received from client:", data.decode())
                connection.sendall(b"Echo: " + data)


if __name__ == "__main__":
    main()
