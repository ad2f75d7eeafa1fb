"""A student's own token: made from the student's id and a secret of the class."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path

from upcall_grader.troubles import TroubleError

_LENGTH = 10
_LEAST_SECRET = 8


class SecretError(TroubleError):
    """A secret that cannot be used; the message names cause and remedy."""

    trouble = "class-secret"


def token(secret: bytes, student: str) -> str:
    """Return a student's token: ten letters and digits, of which 50 bits cannot be guessed.

    Source: RFC 2104 (HMAC), RFC 4648 section 6 (base32).
    """
    digest = hmac.new(secret, student.casefold().encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:_LENGTH].lower()


def read_secret(path: Path) -> bytes:
    """Return the secret in a file, without the line's end. Raises SecretError."""
    try:
        with path.open("rb") as stream:
            secret = re.sub(rb"[\r\n]+\Z", b"", stream.read(4096))
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise SecretError(
            f"{path}: the secret cannot be read ({cause}); write a line of your own choice into"
            " that file, and keep it"
        ) from error
    if len(secret) < _LEAST_SECRET:
        raise SecretError(
            f"{path}: the secret has {len(secret)} bytes; use at least {_LEAST_SECRET}, so that"
            " students cannot guess it"
        )
    return secret
