"""A class of submissions, judged for real: what the report's tests write pages of."""

from collections.abc import Iterable
from pathlib import Path

from tests.unit.grader import building as b
from upcall_grader.judge.assess import assess
from upcall_grader.judge.default_rubric import DEFAULT
from upcall_grader.judge.results import Assessment, Owner, Remark, Submission, Verdict

HOSTILE = (
    "<script>alert(1)</script>\"'&amp;</svg></title><!--",
    "a\x00\x1b[31m\x7f\x9b\u2028b",
    "\u202eevil\u2066 \u200f\ufeff",
    "e" + "\u0301" * 200,
    "\ufffe\U0010ffff\udcff",
    "A" * 50_000,
    "../../etc/passwd",
    "con",
)


def talk(number: int) -> b.Talk:
    """Return a connection that no other one is a copy of."""
    client = ("10.0.0.3", 40_000 + number)
    seq = 1000 + number * 7919
    return b.Talk(client=client, client_seq=seq, server_seq=9 * seq + 1)


def put(folder: Path, student: str, packets: Iterable[bytes | b.Record], link: int = 1) -> Path:
    """Lay ``student``'s capture into ``folder``."""
    file = folder / student / "upcall.pcap"
    file.parent.mkdir(parents=True)
    file.write_bytes(b.pcap(packets, link))
    return file


def complete(number: int, *messages: bytes) -> list[bytes]:
    """Return the frames of a connection with nothing wrong."""
    return b.frames(talk(number).open().say(*(messages or (b"1", b"dua"))).close().packets)


def lay(folder: Path) -> None:
    """Write one capture for each thing that a page has words for."""
    ack, push = b.ACK, b.PSH | b.ACK
    put(folder, "ani", complete(1))
    put(folder, "late", b.frames(talk(2).open().say(b"1", b"2").close().packets[3:]))
    put(folder, "early", b.frames(talk(3).open().say(b"halo", b"apa kabar").packets))
    put(folder, "reset", b.frames(talk(4).open().say(b"1", b"2").c(b.RST | ack).packets))
    wrong = talk(5).open().c(push, b"1").s(push, b.PREFIX + b"2").c(ack).say(b"x").c(push, b"y")
    put(folder, "wrong", b.frames(wrong.close().packets))
    messages = [text.encode("utf-8", "surrogatepass")[:4000] for text in HOSTILE]
    put(folder, "hostile", complete(6, *messages, b"\xff\xfe\x00"))
    put(folder, "long", complete(7, *(b"message %d" % number for number in range(300))))
    put(folder, "empty", [])
    put(folder, "web", b.frames([b.tcp(("10.0.0.1", 5555), ("10.0.0.2", 80), b.SYN, 1)]))
    same = complete(8, b"kopi", b"sama")
    put(folder, "first-copy", same)
    put(folder, "second-copy", same[:-1])
    torn = put(folder, "torn", complete(9))
    torn.write_bytes(torn.read_bytes()[:-9])
    lost = complete(10, b"1", b"2", b"3")
    put(folder, "lost", [*lost[:6], *lost[7:9], lost[8], *lost[10:]])
    text = folder / "text" / "upcall.pcap"
    text.parent.mkdir()
    text.write_text("10:00:01 IP 10.0.0.3 > 10.0.0.2\n")


def judged(folder: Path) -> Assessment:
    """Return the captures of ``lay``, and a student without one."""
    lay(folder)
    assessment = assess(folder, DEFAULT)
    owner = Owner("s0999", "Siti Nurhaliza", group="B", on_roster=True)
    missing = Submission("", owner, Verdict.MISSING, remarks=(Remark("missing"),))
    return assessment._replace(submissions=(*assessment.submissions, missing))


def of_owners(assessment: Assessment, owners: Iterable[str]) -> Assessment:
    """Return the same, with other ids, names and groups."""
    submissions = tuple(
        submission._replace(owner=Owner(text, name=text, group=text, host=text))
        for submission, text in zip(assessment.submissions, owners, strict=False)
    )
    return assessment._replace(submissions=submissions)
