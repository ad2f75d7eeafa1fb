"""The Docker Engine, asked through its API on its Unix socket.

One connection answers a request in a millisecond or two; a start of the ``docker`` client costs
fifty times as much, and its tables are made for people. Paths have no version, so that the engine
answers with its newest API.
"""

from __future__ import annotations

import http.client
import json
import socket
import typing as t
from urllib.parse import quote, urlencode

Json = dict[str, t.Any]

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
ONE_OFF_LABEL = "com.docker.compose.oneoff"


class DockerError(Exception):
    """The engine could not be reached, or answered with an error; the text says which."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Docker:
    """Requests to one engine. ``timeout`` (seconds) bounds each of them."""

    def __init__(self, path: str = "/var/run/docker.sock", timeout: float = 10.0) -> None:
        self._path = path
        self._timeout = timeout

    def get(self, path: str, **query: str) -> t.Any:
        """Return the decoded JSON answer, or None if the engine knows no such object.

        Raises DockerError if no engine answers, or it answers with anything but success.
        """
        connection = _UnixConnection(self._path, self._timeout)
        try:
            connection.request("GET", path + ("?" + urlencode(query) if query else ""))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise DockerError(f"no answer on {self._path}: {error}") from error
        finally:
            connection.close()
        if response.status == http.client.NOT_FOUND:
            return None
        if response.status != http.client.OK:
            text = body.decode(errors="replace").strip()
            raise DockerError(f"{path} was answered with {response.status}: {text}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise DockerError(f"{path} was not answered with JSON: {error}") from error

    def version(self) -> Json:
        """Return the engine's version information."""
        return t.cast(Json, self.get("/version"))

    def info(self) -> Json:
        """Return what the engine tells of its machine, for which it starts programs of its own."""
        return t.cast(Json, self.get("/info"))

    def image(self, name: str) -> Json | None:
        """Return one image, or None."""
        return t.cast("Json | None", self.get(f"/images/{quote(name, safe='')}/json"))

    def containers(self, project: str) -> list[Json]:
        """Return every container of a compose project, running or not, as ``inspect`` shows it."""
        label = json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})
        listed = t.cast(list[Json], self.get("/containers/json", all="1", filters=label) or [])
        details = (self.get(f"/containers/{entry['Id']}/json") for entry in listed)
        # A container that was removed between the two requests is left out.
        return [detail for detail in details if detail is not None]

    def networks(self, project: str) -> list[Json]:
        """Return the networks of a compose project."""
        label = json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})
        return t.cast(list[Json], self.get("/networks", filters=label) or [])

    def bridges(self) -> list[Json]:
        """Return all bridge networks of the engine."""
        return t.cast(
            list[Json], self.get("/networks", filters=json.dumps({"driver": ["bridge"]})) or []
        )


def labels(container: Json) -> dict[str, str]:
    """Return the labels of an inspected container."""
    return t.cast("dict[str, str]", container.get("Config", {}).get("Labels") or {})
