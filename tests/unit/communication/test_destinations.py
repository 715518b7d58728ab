"""Destinations: addresses and their options are parsed; anything else is a ConfigError of one sentence."""

import pytest

from realtime_pose.communication.destinations import Destination, parse_address, parse_destination, parse_server_address
from realtime_pose.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("127.0.0.1:5005", ("127.0.0.1", 5005)),
        ("localhost:1", ("localhost", 1)),
        ("[::1]:65535", ("::1", 65535)),
        ("studio-pc.local:5005", ("studio-pc.local", 5005)),
    ],
)
def test_addresses_are_read(text, wanted):
    assert parse_address(text) == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no port"),
        ("127.0.0.1", "has no port"),
        ("[::1]", "has no port"),
        ("127.0.0.1:", "a port is a number from 1 to 65535"),
        ("127.0.0.1:0", "a port is a number from 1 to 65535"),
        ("127.0.0.1:65536", "a port is a number from 1 to 65535"),
        ("127.0.0.1:-5", "a port is a number from 1 to 65535"),
        ("127.0.0.1:5e3", "a port is a number from 1 to 65535"),
        ("127.0.0.1:٥٠٠٥", "a port is a number from 1 to 65535"),
        ("127.0.0.1:" + "9" * 5000, "a port is a number from 1 to 65535"),
        (":5005", "has no host"),
        ("[]:5005", "has no host"),
        ("::1:5005", "in brackets"),
        ("fe80::1:2:5005", "in brackets"),
        ("127.0.0.1:5005\n", "control character"),
        ("127.0.0.1\x00:5005", "control character"),
        (" 127.0.0.1:5005", "a space"),
        ("http://127.0.0.1:5005", "a slash"),
    ],
)
def test_bad_addresses_get_a_plain_sentence(text, says):
    with pytest.raises(ConfigError) as caught:
        parse_address(text)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("studio-pc", ("studio-pc", 39539)),
        ("[::1]", ("::1", 39539)),
        ("127.0.0.1:39540", ("127.0.0.1", 39540)),
    ],
)
def test_the_default_port_is_used_where_none_is_given(text, wanted):
    assert parse_address(text, default_port=39539) == wanted


@pytest.mark.parametrize("text", ["", "39540"])
def test_a_port_alone_is_not_taken_as_a_host(text):
    with pytest.raises(ConfigError, match=r"has no port; write it like 127\.0\.0\.1:39539"):
        parse_address(text, default_port=39539)


def test_a_person_and_origins_follow_after_commas():
    text = "10.0.0.7:8765,person=12,origin=https://Studio.example,origin=http://[::1]:80"
    assert parse_destination(text, options=("person", "origin")) == Destination(
        text, "10.0.0.7", 8765, 12, ("https://studio.example", "http://[::1]:80")
    )
    assert parse_destination("10.0.0.7:1") == Destination("10.0.0.7:1", "10.0.0.7", 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("127.0.0.1:1,", "option='' is not one of: person=ID"),
        ("127.0.0.1:1,person", "option='person' is not one of: person=ID"),
        ("127.0.0.1:1,persn=1", "option='persn=1' is not one of: person=ID"),
        ("127.0.0.1:1,origin=https://a.example", "is not one of: person=ID"),
        ("127.0.0.1:1,person=", "a person is a number"),
        ("127.0.0.1:1,person=one", "a person is a number"),
        ("127.0.0.1:1,person=-1", "a person is a number"),
        ("127.0.0.1:1,person=١", "a person is a number"),
        ("127.0.0.1:1,person=" + "9" * 5000, "a person is a number"),
        ("127.0.0.1:1,person=1\x1b[2J", "a person is a number"),
        ("127.0.0.1:1\x07,person=1", "control character"),
        ("127.0.0.1,person=1", "has no port"),
    ],
)
def test_bad_destinations_get_a_plain_sentence(text, says):
    with pytest.raises(ConfigError) as caught:
        parse_destination(text)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "origin", ["", "studio.example", "ftp://studio.example", "https://", "https://a/b", "https://a\n"]
)
def test_an_origin_has_no_path(origin):
    with pytest.raises(ConfigError, match="an origin is a page's address without its path") as caught:
        parse_destination(f"127.0.0.1:1,origin={origin}", options=("origin",))
    assert str(caught.value).isprintable()


def test_local_files_are_allowed_by_the_origin_that_browsers_send_for_them():
    assert parse_server_address("127.0.0.1:8765,origin=null").origins == ("null",)


def test_only_takes_several_names():
    found = parse_destination("127.0.0.1:9000,only=hips,Feet,person=3", options=("person", "only"))
    assert (found.only, found.person) == (("hips", "feet"), 3)
