"""The handouts' example is a whole exchange, as the diagram draws any other."""

import pytest

from upcall_grader.languages import LANGUAGES
from upcall_grader.report.example import example_page
from upcall_grader.report.phrases import Phrases


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_packet_of_the_example_is_in_its_phase(language: str) -> None:
    page = example_page(Phrases(language))
    assert [(panel.kind, len(panel.arrows)) for panel in page.panels] == [
        ("handshake", 3),
        ("exchange", 4),
        ("close", 4),
    ]
    assert (page.client, page.server) == ("172.18.0.3:53426", "172.18.0.2:4141")


def test_the_examples_numbers_are_those_of_a_real_exchange() -> None:
    arrows = [arrow for panel in example_page(Phrases("en")).panels for arrow in panel.arrows]
    assert [arrow.numbers for arrow in arrows][3:8] == [
        "Seq=1 Ack=1 Len=1",
        "Seq=1 Ack=2 Len=0",
        "Seq=1 Ack=2 Len=26",
        "Seq=2 Ack=27 Len=0",
        "Seq=2 Ack=27 Len=0",
    ]
    assert [arrow.label for arrow in arrows][-4:] == [
        "Close: FIN of the client",
        "Close: ACK for the client's FIN",
        "Close: FIN of the server",
        "Close: ACK for the server's FIN",
    ]
