"""PosePacket's wire format: encoded packets are valid and fit; decoding gives a packet or a PacketError."""

import json
from dataclasses import replace

import numpy as np
import pytest
from golden.make_packets import (
    MALFORMED,
    VALID,
    Malformed,
    longest_pose,
    malformed_cases,
    malformed_line,
    valid_datagrams,
)
from jsonschema import Draft202012Validator

from realtime_pose.communication.packets.pose_packet import (
    MAX_DATAGRAM_BYTES,
    HelloPacket,
    PartPacket,
    PosePacket,
    decode,
    encode,
)
from realtime_pose.errors import PacketError
from realtime_pose.utils.paths import data_path

VALID_LINES = VALID.read_bytes().splitlines()


@pytest.fixture(scope="module")
def schema():
    schema = json.loads(data_path("schema/pose-packet-v1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_golden_files_are_what_the_program_sends_today():
    assert valid_datagrams() == VALID_LINES
    assert [malformed_line(case) for case in malformed_cases()] == MALFORMED.read_text(encoding="ascii").splitlines()


@pytest.mark.parametrize("datagram", VALID_LINES, ids=range(len(VALID_LINES)))
def test_a_golden_packet_decodes_to_its_exact_numbers(datagram, schema):
    wire, packet = json.loads(datagram), decode(datagram)
    assert not list(schema.iter_errors(wire))
    assert len(datagram) <= MAX_DATAGRAM_BYTES
    known = {"version", "type", "new_in_some_later_program"}
    for name in wire.keys() - known:
        value, wanted = getattr(packet, name), wire[name]
        if isinstance(value, np.ndarray):
            assert value.tolist() == wanted  # exact: decoding must not round
        else:
            assert json.loads(json.dumps(value)) == wanted
    assert packet.type == wire["type"]
    if not wire.keys() & {"new_in_some_later_program"}:
        assert encode(packet) == datagram


def test_every_type_is_among_the_golden_packets():
    assert {type(decode(line)) for line in VALID_LINES} == {HelloPacket, PosePacket, PartPacket}


@pytest.mark.parametrize("case", malformed_cases(), ids=lambda case: case.name)
def test_a_malformed_datagram_is_refused(case: Malformed, schema):
    with pytest.raises(PacketError) as caught:
        decode(case.datagram)
    assert str(caught.value).isprintable()
    if case.refused_by == "json":
        with pytest.raises((ValueError, RecursionError)):
            json.loads(case.datagram.decode("utf-8"))
    else:
        refused = bool(list(schema.iter_errors(json.loads(case.datagram))))
        assert refused == (case.refused_by == "schema")


def test_malformed_cases_have_different_names_and_each_break_something_else():
    cases = malformed_cases()
    assert len({case.name for case in cases}) == len({case.datagram for case in cases}) == len(cases)


# --- size -------------------------------------------------------------------------------------------------------------


def test_pixels_keep_a_decimal_where_there_is_room_and_go_whole_where_not():
    longest = longest_pose()
    roomy = replace(longest, joints_3d=-longest.joints_3d, rotations=-longest.rotations)
    sent = json.loads(encode(roomy))
    assert sent["keypoints"][0] == [-1234.5, -1234.5]
    tight = replace(longest, joints_3d=-longest.joints_3d)
    sent = json.loads(encode(tight))
    assert sent["keypoints"][0] == [-1234, -1234]
    assert sent["scores"][0] == 0.87
    assert sent["joints_3d"][0] == [1.234] * 3
    assert all(type(x) is int for row in sent["keypoints"] for x in row)


def test_the_longest_packet_of_an_image_fits_with_metres_and_quaternions_in_full():
    datagram = encode(longest_pose())
    assert len(datagram) <= MAX_DATAGRAM_BYTES
    sent = json.loads(datagram)
    assert sent["scores"][0] == 0.9  # scores lose decimals first
    assert sent["joints_3d"][0] == [-1.234] * 3
    np.testing.assert_allclose(sent["rotations"], longest_pose().rotations, rtol=0, atol=0.5e-4 + 1e-12)
    decode(datagram)


def test_even_absurd_numbers_fit():
    absurd = replace(
        longest_pose(),
        seq=10**10,  # ten years of frames
        person=10**6,
        keypoints=np.full((17, 2), -99_999.0),
        joints_3d=np.full((17, 3), -98.765),
        root=np.full(3, -98.765),
    )
    assert len(encode(absurd)) <= MAX_DATAGRAM_BYTES


def test_no_length_in_between_slips_through():
    for length in range(150):
        packet = replace(longest_pose(), joints_3d=-longest_pose().joints_3d, meta={"a": "x" * length})
        assert len(encode(packet)) <= MAX_DATAGRAM_BYTES


def test_unencodable_poses_are_refused():
    with pytest.raises(PacketError, match="shorten `meta`"):
        encode(replace(longest_pose(), meta={"note": "x" * 1400}))
    with pytest.raises(PacketError, match="NaN"):
        encode(replace(longest_pose(), root=np.full(3, np.nan)))


def test_minus_zero_is_never_sent():
    assert b"-0.0" not in encode(replace(longest_pose(), joints_3d=np.full((17, 3), -1e-9)))


# --- fuzzing ----------------------------------------------------------------------------------------------------------

_STRANGE = [None, True, -1, 2**53, 10**30, 1e308, "", "\x00", [], {}, [[]], [None], {"a": []}, 0.5, "pose", -0.0]


def strangely_changed(rng: np.random.Generator, value: object) -> object:
    """The JSON value with one random element replaced."""
    if isinstance(value, (list, dict)) and value and rng.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[rng.integers(len(keys))]
        copy = value.copy()
        copy[key] = strangely_changed(rng, value[key])
        return copy
    return _STRANGE[rng.integers(len(_STRANGE))]


def bytes_changed(rng: np.random.Generator, datagram: bytes) -> bytes:
    """The datagram with some bytes overwritten, removed, repeated or inserted."""
    data = bytearray(datagram)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data) + 1))
        end = at + int(rng.integers(0, 12))
        tokens = (b"[", b"]", b"{", b"}", b",", b'"', b"-", b"1e999", b"NaN", b"\\u", b"\xff", b"9" * 40)
        data[at : end if rng.random() < 0.5 else at] = tokens[rng.integers(len(tokens))]
    return bytes(data)


def test_fuzzed_datagrams_are_packets_or_packet_errors():
    rng = np.random.default_rng(20261120)
    outcomes = {"packet": 0, "refused": 0}
    for i in range(6000):
        seed = VALID_LINES[rng.integers(len(VALID_LINES))]
        if i % 3 == 0:
            datagram = bytes_changed(rng, seed)
        elif i % 3 == 1:
            datagram = json.dumps(strangely_changed(rng, json.loads(seed)), separators=(",", ":")).encode()
        else:
            datagram = rng.bytes(int(rng.integers(0, 200)))
        try:
            packet = decode(datagram)  # any other exception fails the test
        except PacketError:
            outcomes["refused"] += 1
        else:
            outcomes["packet"] += 1
            decode(encode(packet))  # an accepted packet is complete
    assert outcomes["packet"] > 50  # the fuzz reaches past the first check
    assert outcomes["refused"] > 3000


def test_every_truncation_is_refused():
    line = VALID_LINES[1]
    for end in [*range(60), *range(60, len(line), 7)]:
        with pytest.raises(PacketError):
            decode(line[:end])
