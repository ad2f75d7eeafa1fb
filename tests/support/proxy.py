"""A room's proxy for packages: it hands on what apt asks for, and counts it."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import typing as t
import urllib.error
import urllib.request


class _Handler(http.server.BaseHTTPRequestHandler):
    """A forward proxy's GET: the request line holds the whole address (RFC 9112, section 3.2.2)."""

    def do_GET(self) -> None:
        t.cast(Proxy, self.server).asked.append(self.path)
        request = urllib.request.Request(self.path)  # noqa: S310 - apt asks for http alone
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                self._answer(answer.status, answer.headers, answer)
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.headers, error)

    def _answer(self, status: int, headers: t.Any, body: t.Any) -> None:
        self.send_response(status)
        for name in ("Content-Length", "Last-Modified", "Content-Type"):
            if name in headers:
                self.send_header(name, headers[name])
        self.send_header("Connection", "close")
        self.end_headers()
        shutil.copyfileobj(body, self.wfile)

    def log_message(self, format: str, *arguments: t.Any) -> None:  # noqa: A002 - its name there
        pass


class Proxy(http.server.ThreadingHTTPServer):
    """``asked`` holds the addresses that were asked for so far."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.asked: list[str] = []
        self.uri = f"http://{address}:{self.server_address[1]}"


@contextlib.contextmanager
def proxy() -> t.Iterator[Proxy]:
    """Yield a proxy that lab hosts reach at their network's gateway, which is this machine."""
    inspected = subprocess.run(
        ["docker", "network", "inspect", "upcall-lab-test-hosts"],
        capture_output=True,
        check=True,
    )
    subnet = json.loads(inspected.stdout)[0]["IPAM"]["Config"][0]
    gateway = subnet.get("Gateway") or subnet["Subnet"].partition("/")[0].rpartition(".")[0] + ".1"
    with Proxy(gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
