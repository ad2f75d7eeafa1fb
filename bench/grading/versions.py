"""What grading was measured with."""

from __future__ import annotations

import importlib.metadata

from bench.grading.contestants import PEERS_PYTHON
from bench.machine import machine, said

_PEERS = (
    "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in"
    " ('dpkt', 'scapy')))"
)


def facts() -> dict[str, str]:
    """The machine and the versions. No name, address or path of it."""
    return {
        **machine(),
        "The grader's dpkt": importlib.metadata.version("dpkt"),
        "Peers": said([str(PEERS_PYTHON), "-c", _PEERS]),
        "tshark": said(["tshark", "--version"]).partition("\n")[0],
    }
