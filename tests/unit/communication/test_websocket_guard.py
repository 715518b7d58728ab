"""Host and Origin checks: programs and pages of this machine are accepted, rebound names and other sites are not."""

import socket

import pytest

from realtime_pose.communication.destinations import parse_destination
from realtime_pose.communication.websocket_guard import refusal_reason

LOOPBACK = parse_destination("127.0.0.1:8765")
OPEN = parse_destination("0.0.0.0:8765,origin=https://Studio.example", options=("origin",))
NAMED = parse_destination("studio-pc.local:8765")


@pytest.mark.parametrize(
    ("host", "origin", "served"),
    [
        ("127.0.0.1:8765", None, LOOPBACK),  # not a browser
        ("localhost:8765", None, LOOPBACK),
        ("LOCALHOST:8765", None, LOOPBACK),
        ("[::1]:8765", None, LOOPBACK),
        ("127.0.0.1", "http://127.0.0.1:8000", LOOPBACK),
        ("127.0.0.1:8765", "http://localhost:5173", LOOPBACK),
        ("127.0.0.1:8765", "https://[::1]", LOOPBACK),
        ("192.168.1.20:8765", None, OPEN),
        ("192.168.1.20:8765", "http://192.168.1.20:8501", OPEN),
        ("192.168.1.20:8765", "https://studio.example", OPEN),
        ("192.168.1.20:8765", "HTTPS://STUDIO.EXAMPLE", OPEN),
        ("studio-pc.local:8765", "http://studio-pc.local", NAMED),
        (f"{socket.gethostname()}:8765", None, OPEN),
    ],
)
def test_accepted_requests(host, origin, served):
    assert refusal_reason([host], [origin] if origin else [], served) == ""


@pytest.mark.parametrize(
    ("hosts", "origins", "served", "says"),
    [
        (["evil.example:8765"], [], LOOPBACK, "host name"),  # DNS rebinding
        (["evil.example:8765"], ["http://evil.example:8765"], LOOPBACK, "host name"),
        (["127.0.0.1.evil.example"], [], LOOPBACK, "host name"),
        ([], [], LOOPBACK, "host name"),
        ([""], [], LOOPBACK, "host name"),
        (["[::1"], [], LOOPBACK, "host name"),
        (["127.0.0.1", "evil.example"], [], LOOPBACK, "host name"),
        (["127.0.0.1:8765"], ["https://evil.example"], LOOPBACK, "origin"),
        (["127.0.0.1:8765"], ["http://127.0.0.1.evil.example"], LOOPBACK, "origin"),
        (["127.0.0.1:8765"], ["null"], LOOPBACK, "origin"),  # any page can make a frame without an origin
        (["127.0.0.1:8765"], ["http://[::1"], LOOPBACK, "origin"),
        (["127.0.0.1:8765"], ["http://localhost", "https://evil.example"], LOOPBACK, "origin"),
        (["127.0.0.1:8765"], ["", "https://evil.example"], LOOPBACK, "origin"),
        (["127.0.0.1:8765"], ["https://studio.example"], LOOPBACK, "origin"),
        (["192.168.1.20:8765"], ["http://studio.example"], OPEN, "origin"),  # another scheme is another origin
        (["192.168.1.20:8765"], ["https://studio.example.evil.example"], OPEN, "origin"),
        (["192.168.1.20:8765"], ["http://192.168.1.21"], OPEN, "origin"),
        (["studio-pc.local:8765"], [], LOOPBACK, "host name"),
    ],
)
def test_refused_requests(hosts, origins, served, says):
    assert says in refusal_reason(hosts, origins, served)


def test_a_local_file_may_connect_where_that_is_allowed():
    allowed = parse_destination("127.0.0.1:8765,origin=null", options=("origin",))
    assert refusal_reason(["127.0.0.1:8765"], ["null"], allowed) == ""
