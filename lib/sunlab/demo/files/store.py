#!/usr/bin/python3 -IS
"""The shop's service: a page that says who serves it, and a store that acknowledges a write after its fsync.

usage: store.py PORT FILE. GET / answers the page; POST /N appends N to FILE, fsyncs, and only then answers.
"""
import os
import socket
import sys
import threading

STORE_LOCK = threading.Lock()


def answer(connection: socket.socket, store: int, page: bytes) -> None:
    """One request, one answer, closed; a client that does not finish its request is dropped after a second."""
    with connection:
        connection.settimeout(1)
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(4096)
            if not part:
                return
            request += part
        method, path = request.split(b" ", 2)[:2]
        if method == b"POST":
            with STORE_LOCK:
                os.write(store, path.strip(b"/") + b"\n")
                os.fsync(store)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + page)


def attend(connection: socket.socket, store: int, page: bytes) -> None:
    try:
        answer(connection, store, page)
    except (OSError, ValueError) as problem:
        print(f"store: {problem}", file=sys.stderr, flush=True)


def main(port: str, path: str) -> None:
    store = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    page = f"{os.uname().nodename}\n".encode()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", int(port)))
    listener.listen(128)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=attend, args=(connection, store, page), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
