"""Schema validation: all packets that are sent pass, and errors name the path and the broken rule."""

import json

import pytest
from golden.make_binary_packets import valid_datagrams_in_binary
from golden.make_packets import malformed_cases, valid_datagrams

from realtime_pose.communication.packets.schema_check import SchemaCheck
from realtime_pose.errors import PacketError


@pytest.fixture(scope="module")
def check():
    return SchemaCheck()


@pytest.mark.parametrize("datagrams", [valid_datagrams(), valid_datagrams_in_binary()], ids=["json", "binary"])
def test_datagrams_of_the_program_are_valid(check, datagrams):
    for datagram in datagrams:
        check(datagram)


@pytest.mark.parametrize(
    "case", [case for case in malformed_cases() if case.refused_by != "decoder"], ids=lambda case: case.name
)
def test_invalid_datagrams_are_refused_in_a_plain_sentence(check, case):
    with pytest.raises(PacketError) as caught:
        check(case.datagram)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_the_place_and_the_rule_are_named(check):
    pose = json.loads(valid_datagrams()[1])
    pose["scores"][3] = 1.5
    with pytest.raises(PacketError, match=r"^the schema refuses a packet at scores/3: it breaks 'maximum'$"):
        check(json.dumps(pose, separators=(",", ":")).encode())
    del pose["root"]
    pose["scores"][3] = 1.0
    with pytest.raises(PacketError, match="at its top level: it breaks 'required'"):
        check(json.dumps(pose, separators=(",", ":")).encode())


def test_nothing_of_what_a_stranger_wrote_is_repeated(check):
    hello = json.loads(valid_datagrams()[0])
    hello["parts"] = {"\x1b[2J": ["left_heel"]}
    with pytest.raises(PacketError) as caught:
        check(json.dumps(hello, separators=(",", ":")).encode())
    assert "\x1b" not in str(caught.value)


def test_a_malformed_binary_packet_is_refused(check):
    with pytest.raises(PacketError, match="shorter than its header says"):
        check(valid_datagrams_in_binary()[0][:-1])
