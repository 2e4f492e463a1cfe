import struct

import pytest

from cluster.lifecycle import dns


def packet(flags=0x8180, answers=1, number=0x7F0B):
    return struct.pack(">6H", number, flags, 1, answers, 0, 0)


def test_the_question_is_as_the_standard_has_it():
    assert dns.question("a.bc") == (
        b"\x7f\x0b\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02bc\x00\x00\x01\x00\x01"
    )


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param(packet(), True, id="an answer with a record"),
        pytest.param(packet(answers=0), False, id="no record"),
        pytest.param(packet(flags=0x8183), False, id="the name does not exist"),
        pytest.param(packet(flags=0x0100), False, id="a question is not an answer"),
        pytest.param(packet(number=1), False, id="the answer to another question"),
        pytest.param(b"short", False, id="a packet cut short"),
    ],
)
def test_is_answer(received, expected):
    assert dns.is_answer(received) is expected


def test_nobody_answers_for_a_process_that_is_gone():
    assert not dns.answers(2**22 + 1)
