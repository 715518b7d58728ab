"""Binary packets: decode to the same numbers as JSON, bit for bit; anything else is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from golden.make_binary_packets import (
    HEADER,
    MALFORMED,
    VALID,
    malformed_cases,
    malformed_lines,
    says,
    valid_datagrams_in_binary,
    valid_lines,
)
from golden.make_packets import longest_pose
from support.people import make_person, make_result

from realtime_pose.communication.packets.binary import MAGIC, decode_binary, encode_binary
from realtime_pose.communication.packets.formats import ENCODERS, decode_any
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, PartPacket, PosePacket, encode
from realtime_pose.errors import PacketError


def test_the_golden_files_are_what_the_program_sends_today():
    assert valid_lines() == VALID.read_text(encoding="ascii").splitlines()
    assert malformed_lines() == MALFORMED.read_text(encoding="ascii").splitlines()


@pytest.mark.parametrize("line", VALID.read_text(encoding="ascii").splitlines())
def test_a_golden_packet_decodes_to_its_exact_numbers(line):
    case = json.loads(line)
    packet = decode_binary(bytes.fromhex(case["hex"]))
    assert says(packet) == case["says"]
    assert encode_binary(packet).hex() == case["hex"]


def test_both_forms_of_a_packet_decode_to_the_same_numbers_bit_for_bit():
    compared = 0
    for seed in range(40):
        result = make_result([make_person(seed, track_id=seed, with_pose=seed % 4 != 0)], time_ns=seed * 12_345_678)
        for packet in PacketStream(stream=seed, wall_offset_ns=1_700_000_000 * 10**9).packets_of(result):
            if isinstance(packet, HelloPacket):
                continue
            in_json = decode_any(encode(packet))
            if np.array_equal(in_json.keypoints, np.round(packet.keypoints, 1)):  # unless JSON had to drop the decimals
                compared += 1
                assert says(decode_any(encode_binary(packet))) == says(in_json)
    assert compared > 100


def test_hello_is_the_same_json_in_both_forms():
    (hello,) = PacketStream().packets_of(make_result())
    assert ENCODERS["binary"](hello) == ENCODERS["json"](hello)
    assert isinstance(decode_any(ENCODERS["binary"](hello)), HelloPacket)


def test_it_is_compact_whatever_the_numbers():
    assert len(encode_binary(longest_pose())) == 537
    assert encode_binary(longest_pose()).startswith(MAGIC)


@pytest.mark.parametrize(("name", "datagram"), malformed_cases().items(), ids=list(malformed_cases()))
def test_a_malformed_datagram_is_refused(name, datagram):
    with pytest.raises(PacketError) as caught:
        decode_binary(datagram)
    assert str(caught.value).isprintable()
    with pytest.raises(PacketError):
        decode_any(datagram)


def test_malformed_cases_each_break_something_else():
    assert len({*malformed_cases().values()}) == len(malformed_cases())
    assert not {*malformed_cases().values()} & {*valid_datagrams_in_binary()}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"root": np.full(3, np.nan)}, "root holds NaN, infinity"),
        ({"keypoints": np.full((17, 2), np.inf)}, "keypoints holds NaN, infinity"),
        ({"keypoints": np.full((17, 2), 3e8)}, "a number beyond 2.14748e"),
        ({"rotations": np.full((17, 4), 4.0)}, "rotations holds .* beyond 3.2767"),
        ({"root": None}, "joints_3d, rotations and root, or none of them"),
        ({"seq": 2**32}, "a number outside its field's range"),
        ({"person": 2**31}, "a number outside its field's range"),
        ({"meta": {"x": float("nan")}}, "may not hold NaN"),
        ({"meta": {"x": "y" * 1500}}, "at most 1472 fit"),
    ],
)
def test_unencodable_poses_are_refused(changes, says):
    with pytest.raises(PacketError, match=says):
        encode_binary(replace(longest_pose(), **changes))


def test_fuzzed_datagrams_are_packets_or_packet_errors():
    rng = np.random.default_rng(20261120)
    seeds = valid_datagrams_in_binary()
    outcomes = {"packet": 0, "refused": 0}
    for i in range(8000):
        data = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(rng.integers(1, 5)):
            at = int(rng.integers(HEADER if i % 2 else len(data)))
            data[at] = int(rng.integers(256))
        if i % 5 == 0:
            del data[int(rng.integers(len(data))) :]
        try:
            packet = decode_any(bytes(data))  # any other exception fails the test
        except PacketError:
            outcomes["refused"] += 1
        else:
            outcomes["packet"] += 1
            assert isinstance(packet, (PosePacket, PartPacket))
            encode_binary(decode_binary(encode_binary(packet)))  # an accepted packet is complete
    assert outcomes["packet"] > 200
    assert outcomes["refused"] > 2000
