"""Live outputs on the command line: errors for wrong destinations, and the exit codes of `listen --check`."""

import os
import re
import socket
import subprocess
import sys

import pytest
from support.people import make_clip, make_person, make_result
from support.sockets import PATIENCE_S

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import encode
from realtime_pose.communication.udp import UdpSink

ACTOR = ("run", "--source", "actor", "--estimator", "blazepose")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--vmc", "39539"), "address '39539' has no port; write it like 127.0.0.1:39539"),
        (
            ("--livelink", "no-such-host.invalid"),
            "host 'no-such-host.invalid' is not known here; check the name, or give the IP address",
        ),
        (
            ("--osc-trackers", "127.0.0.1,persn=1"),
            "destination '127.0.0.1,persn=1': option='persn=1' is not one of: only=NAME, person=ID",
        ),
        (
            ("--udp", "127.0.0.1:1", "--udp", "127.0.0.1:0"),
            "address '127.0.0.1:0' has port '0'; a port is a number from 1 to 65535",
        ),
        (
            ("--vmc", "127.0.0.1\x1b[0m"),
            r"address '127.0.0.1\x1b[0m' holds a space, a slash or a control character; write it like 127.0.0.1:39539",
        ),
        (
            ("--udp", "127.0.0.1:1", "--udp-format", "yaml"),
            "--udp-format 'yaml' is not one of: json, binary",
        ),
    ],
    ids=str,
)
def test_a_wrong_target_is_one_plain_sentence_and_2(call, arguments, said):
    assert call(*ACTOR, *arguments) == (2, "", f"error {said}\n")


def test_a_port_that_is_taken_is_one_plain_sentence_and_2(call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, err = call(*ACTOR, "--websocket", address)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"error cannot serve at {address}: .*; close the program that uses the port.*\n", err)


def listening(*arguments):
    """`listen` in a process of its own, and the address that it listens on."""
    command = [sys.executable, "-m", "realtime_pose", "listen", "127.0.0.1:0", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    return process, process.stdout.readline().split()[2].rstrip(";")


@pytest.mark.parametrize("udp_format", ["json", "binary"])
def test_a_stream_that_is_valid_ends_with_0(udp_format):
    process, address = listening("--check", "--count", "8")
    sink = UdpSink(address, udp_format=udp_format)
    for result in make_clip(2):
        sink.send(result)
    sink.close()
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1] == "8 datagrams, all valid"


@pytest.mark.parametrize("bad", [b"nonsense", None], ids=["no packet", "against the schema"])
def test_one_that_is_invalid_ends_with_1(bad):
    process, address = listening("--check", "--count", "2")
    sink = UdpSink(address)
    hello, pose, *_ = map(encode, PacketStream().packets_of(make_result([make_person(1)])))
    sink._socket.sendto(hello, sink._address)
    sink._socket.sendto(bad or pose.replace(b'"person":0', b'"person":-7'), sink._address)
    sink.close()
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert err.startswith("error 1 of 2 datagrams were not valid: ")


def test_without_check_what_is_invalid_is_shown_and_no_failure():
    process, address = listening("--count", "1")
    sink = UdpSink(address)
    sink._socket.sendto(b"nonsense", sink._address)
    sink.close()
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "malformed 1: a datagram is not JSON" in out
