"""Coverage-guided fuzzing of everything that the grader reads.

Run by ``scripts/fuzz``. An input is a capture, unless its first bytes name something else that is
read: ``rubric.yml:``, ``manifest.json:``, ``server.log:`` or ``client.log:``; the last three lie
beside a complete capture. Whatever it is: it has to be judged without an exception, the same by the
judge's two readers, its result told in every language, and in a time that its length bounds.
"""

from __future__ import annotations

import random
import struct
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["upcall_grader"]):
    from upcall_grader.capture.reading import Capture
    from upcall_grader.judge import submission
    from upcall_grader.judge.capture_summary import summarize_capture
    from upcall_grader.judge.check import Case
    from upcall_grader.judge.default_rubric import DEFAULT
    from upcall_grader.judge.fast.reader import summarize_file
    from upcall_grader.judge.ranking import ranked_by
    from upcall_grader.judge.results import Owner
    from upcall_grader.judge.rubric_file import (
        RubricError,
        parse_rubric,
    )
    from upcall_grader.lab import UPCALL
    from upcall_grader.languages import LANGUAGES
    from upcall_grader.texts.default_rubric import default_rubric_text
    from upcall_grader.texts.wording import Wording

from tests.unit.corpus import mutants

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SECONDS, SECONDS_PER_BYTE = 2.0, 0.0005
"""CPU time that an input may take: ten times what instrumented code takes for the worst known."""
RANK = ranked_by(DEFAULT, partial(Case, port=UPCALL.port))
BESIDE = ("manifest.json", "server.log", "client.log")

complete = (CORPUS / "complete.pcap").read_bytes()
folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
capture = folder / "upcall.pcap"


def one_input(data: bytes) -> None:
    """Judge one input of libFuzzer's; an exception is a finding."""
    begun = time.process_time()
    name, _, content = data.partition(b":")
    if name == b"rubric.yml":
        read_rubric(content)
    elif name.decode("latin-1") in BESIDE:
        beside = folder / name.decode()
        beside.write_bytes(content)
        judge(complete)
        beside.unlink()
    else:
        judge(data)
    spent = time.process_time() - begun
    if spent > SECONDS + SECONDS_PER_BYTE * len(data):
        raise AssertionError(f"{len(data)} bytes took {spent:.1f} s")


def read_rubric(content: bytes) -> None:
    """Read a rubric, which is refused with its line or can be used."""
    try:
        parse_rubric(content.decode("utf-8", "replace"), "rubric.yml")
    except RubricError as error:
        if not str(error).startswith("rubric.yml"):
            raise


def judge(data: bytes) -> None:
    """Judge a capture, and put all of it into words."""
    capture.write_bytes(data)
    graded = submission.judge_file(capture, DEFAULT, Owner("student"), "upcall.pcap")
    for remark in (*graded.remarks, *(one.remark for one in graded.judgements)):
        if remark.code == "reader-failed":
            # The judge keeps a mistake of a reader from the other files; here it is looked for.
            raise AssertionError(remark.values["error"])
        for language in LANGUAGES:
            wording = Wording(language)
            wording.text(remark)
            wording.remedy(remark)
    compare()


def compare() -> None:
    """Compare both readers: the fast one gives the same result, or none."""
    with capture.open("rb", buffering=0) as stream:
        fast = summarize_file(stream.fileno(), UPCALL, RANK)
    if fast is not None:
        with capture.open("rb") as stream:
            slow = summarize_capture(Capture(stream), UPCALL, RANK)
        if fast != slow:
            raise AssertionError(f"fast: {fast}\nslow: {slow}")


def mutate(data: bytes, size: int, seed: int) -> bytes:
    """Cut, change, take out or move a whole record of a pcap every other time.

    Bytes changed blindly mostly break the chain of records, and what is in them is never reached.
    """
    choose = random.Random(seed)  # noqa: S311 (libFuzzer gives the seed, so that it can repeat)
    records = split(data)
    if not records or choose.random() < 0.5:
        return bytes(atheris.Mutate(data, size))
    place = choose.randrange(len(records))
    head, body = records[place]
    match choose.randrange(5):
        case 0:
            body = body[: choose.randrange(len(body) + 1)]
        case 1:
            body = bytes(atheris.Mutate(body, len(body) + 16))
        case 2 if body:
            at = choose.randrange(min(len(body), 80))
            body = body[:at] + choose.randbytes(1) + body[at + 1 :]
        case 3:
            records.insert(choose.randrange(len(records)), records[place])
        case _:
            head, body = records.pop(choose.randrange(len(records)))
            place = choose.randrange(len(records) + 1)
            records.insert(place, (head, body))
    records[place] = (head, body)
    packets = [head + struct.pack("<II", len(body), len(body)) + body for head, body in records]
    return (data[:24] + b"".join(packets))[:size]


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """Time and bytes of each record of a little-endian pcap that is whole; else nothing."""
    at, records = 24, []
    while data[:4] == b"\xd4\xc3\xb2\xa1" and at + 16 <= len(data):
        (captured,) = struct.unpack_from("<I", data, at + 8)
        records.append((data[at : at + 8], data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    return records if at == len(data) else []


def seeds(where: Path) -> None:
    """Write the corpus, its mutants in every form, and one of each other thing that is read."""
    original = mutants.Original(mutants.read(complete))
    paths = [*CORPUS.glob("*.pcap*"), *CORPUS.glob("regressions/*")]
    files = [path.read_bytes() for path in paths]
    files += mutants.resaved(original).values()
    files += [mutant.data for mutant in mutants.harmful(original)]
    connection = b"Connection from: ('172.27.0.3', 1)\nReceived from client: 1\n"
    files += [
        b"rubric.yml:" + default_rubric_text().encode(),
        b"server.log:" + connection,
        b"client.log:Received upcall from server: Upcall event: Processing 1\n",
        b'manifest.json:{"mode": "watch", "sha256": "0", "tcpdump": {"dropped": 1},'
        b' "network": {"subnets": ["172.27.0.0/16"]}}',
    ]
    for number, data in enumerate(files):
        where.joinpath(str(number)).write_bytes(data)


def main() -> None:
    """With libFuzzer's arguments: fuzz.

    ``--once FILE`` shows what one input does, ``--seeds FOLDER`` writes what to begin with.
    """
    if sys.argv[1:2] == ["--seeds"]:
        seeds(Path(sys.argv[2]))
        sys.exit(0)
    if sys.argv[1:2] == ["--once"]:
        try:
            one_input(Path(sys.argv[2]).read_bytes())
        except Exception:  # noqa: BLE001 (shown, whatever it is)
            traceback.print_exc()
            sys.exit(1)
        sys.exit(0)
    atheris.Setup(sys.argv, one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
