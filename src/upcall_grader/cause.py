"""Why something cannot be used, without words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Cause(NamedTuple):
    """Why a file cannot be read, or not further, or not used.

    ``code`` names a text and, in some, a remedy (``texts/causes.*.toml``); ``values`` fill them in.
    """

    code: str
    values: Mapping[str, str | int] = {}
