"""Compare the grader's own reader with tshark on captures that chance makes, for some time.

Run by ``scripts/fuzz``, as ``python -m tests.fuzz.compare_with_tshark SECONDS FOLDER [SEED]``. Ends
with status 1 at the first difference, after it put the capture into the folder.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.unit.corpus import drawn
from tests.unit.corpus.second_opinion import Agreed, agree


def compare(seed: int, path: Path) -> Agreed:
    """Compare one capture. Raises AssertionError."""
    path.write_bytes(drawn.capture(seed).data)
    return agree(path, 2 * drawn.CONVERSATIONS)


def main(seconds: float, folder: Path, seed: int) -> int:
    """Compare captures from a seed on; return the exit status."""
    end, files, agreed = time.monotonic() + seconds, 0, Agreed()
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "drawn.pcap")
        while time.monotonic() < end:
            try:
                agreed += compare(seed + files, path)
            except Exception:  # noqa: BLE001 (shown, whatever it is)
                found = folder / f"drawn-{seed + files}.pcap"
                found.write_bytes(path.read_bytes())
                traceback.print_exc()
                print(f"tshark differs in {found}:", *drawn.capture(seed + files).story, sep="\n  ")
                return 1
            files += 1
    print(f"compared with tshark, from seed {seed} on: {files} files, {agreed}")
    return 0


if __name__ == "__main__":
    start = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 30)
    sys.exit(main(float(sys.argv[1]), Path(sys.argv[2]), start))
