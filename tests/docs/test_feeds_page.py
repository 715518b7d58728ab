"""docs/feeds.md: its decoder reads the golden packets, its tables match the program."""

import json
import re
import struct
from pathlib import Path

import pytest
from golden.make_binary_packets import VALID

from realtime_pose.communication.osc_trackers import TRACKERS
from realtime_pose.communication.packets import binary
from realtime_pose.communication.sinks import SINKS
from realtime_pose.utils.choices import load_choice

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")


def test_the_pages_decoder_reads_the_golden_packets_to_the_same_numbers():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    words = {}
    exec(code, words)
    lines = VALID.read_text(encoding="ascii").splitlines()
    for case in map(json.loads, lines):
        assert words["decode"](bytes.fromhex(case["hex"])) == case["says"]
    assert len(lines) == 15


def test_the_header_is_the_pages_table():
    codes = {"text": "4s", "u1": "B", "u2": "H", "u4": "I", "i4": "i", "f8": "d"}
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\w+) \|", PAGE, re.MULTILINE)
    assert "<" + "".join(codes[kind] for _, _, kind in rows) == binary._HEADER.format
    at = 0
    for offset, size, kind in rows:
        assert (int(offset), int(size)) == (at, struct.calcsize("<" + codes[kind]))
        at += int(size)


@pytest.mark.parametrize("name", SINKS)
def test_every_sink_and_its_default_port_are_on_the_page(name):
    sink = load_choice("sink", name, SINKS)
    port = getattr(sink, "default_port", 8765) or 5005
    assert re.search(rf"^\| `--{name.replace('_', '-')} HOST.*\| {port} ", PAGE, re.MULTILINE)


def test_every_tracker_is_on_the_page():
    words = {"leftLowerLeg": "left knee", "leftLowerArm": "left elbow", "leftFoot": "left foot"}
    words |= {joint.replace("left", "right"): word.replace("left", "right") for joint, word in words.items()}
    for tracker, joint in TRACKERS.items():
        assert f"| `/tracking/trackers/{tracker}/...` | {words.get(joint, joint)} |" in PAGE
