"""Who may connect: programs, and pages of this machine; no page that bends its name or lies elsewhere."""

import socket

import pytest

from realtime_pose.communication.targets import parse_target
from realtime_pose.communication.websocket_guard import why_refused

HERE = parse_target("127.0.0.1:8765")
OPEN = parse_target("0.0.0.0:8765,origin=https://Studio.example", options=("origin",))
NAMED = parse_target("studio-pc.local:8765")


@pytest.mark.parametrize(
    ("host", "origin", "target"),
    [
        ("127.0.0.1:8765", None, HERE),  # no browser
        ("localhost:8765", None, HERE),
        ("LOCALHOST:8765", None, HERE),
        ("[::1]:8765", None, HERE),
        ("127.0.0.1", "http://127.0.0.1:8000", HERE),
        ("127.0.0.1:8765", "http://localhost:5173", HERE),
        ("127.0.0.1:8765", "https://[::1]", HERE),
        ("192.168.1.20:8765", None, OPEN),
        ("192.168.1.20:8765", "http://192.168.1.20:8501", OPEN),
        ("192.168.1.20:8765", "https://studio.example", OPEN),
        ("192.168.1.20:8765", "HTTPS://STUDIO.EXAMPLE", OPEN),
        ("studio-pc.local:8765", "http://studio-pc.local", NAMED),
        (f"{socket.gethostname()}:8765", None, OPEN),
    ],
)
def test_these_are_let_in(host, origin, target):
    assert why_refused([host], [origin] if origin else [], target) == ""


@pytest.mark.parametrize(
    ("hosts", "origins", "target", "says"),
    [
        (["evil.example:8765"], [], HERE, "host name"),  # a page's name bent to this address
        (["evil.example:8765"], ["http://evil.example:8765"], HERE, "host name"),
        (["127.0.0.1.evil.example"], [], HERE, "host name"),
        ([], [], HERE, "host name"),
        ([""], [], HERE, "host name"),
        (["[::1"], [], HERE, "host name"),
        (["127.0.0.1", "evil.example"], [], HERE, "host name"),
        (["127.0.0.1:8765"], ["https://evil.example"], HERE, "origin"),
        (["127.0.0.1:8765"], ["http://127.0.0.1.evil.example"], HERE, "origin"),
        (["127.0.0.1:8765"], ["null"], HERE, "origin"),  # any page can make a frame without an origin
        (["127.0.0.1:8765"], ["http://[::1"], HERE, "origin"),
        (["127.0.0.1:8765"], ["http://localhost", "https://evil.example"], HERE, "origin"),
        (["127.0.0.1:8765"], ["", "https://evil.example"], HERE, "origin"),
        (["127.0.0.1:8765"], ["https://studio.example"], HERE, "origin"),
        (["192.168.1.20:8765"], ["http://studio.example"], OPEN, "origin"),  # another scheme is another origin
        (["192.168.1.20:8765"], ["https://studio.example.evil.example"], OPEN, "origin"),
        (["192.168.1.20:8765"], ["http://192.168.1.21"], OPEN, "origin"),
        (["studio-pc.local:8765"], [], HERE, "host name"),
    ],
)
def test_these_are_refused(hosts, origins, target, says):
    assert says in why_refused(hosts, origins, target)
