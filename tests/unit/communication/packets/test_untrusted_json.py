"""Strict JSON readers: the promised type, or a PacketError of one printable sentence."""

import numpy as np
import pytest

from realtime_pose.communication.packets.untrusted_json import MAX_INT, Fields, name_of, names_of, read_object
from realtime_pose.errors import PacketError

FIELDS = Fields({"n": 3, "x": 0.5, "flag": True, "text": "feet", "rows": [[1, 2], [3, 4]], "bad": [[1], [2, 3]]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[1]", "is a JSON object, got list"),
        (b'{"a":NaN}', "NaN is not a JSON number"),
        (b'{"a":1e999}', f"beyond {MAX_INT}"),
        (b'{"a":1,"a":2}', "the same key twice"),
        (b'{"a":"\\ud800"}', "not JSON in UTF-8"),
        (b"\xff", "not JSON in UTF-8"),
        (b"{}" + b" " * 99, "at most 100 bytes, got 101"),
    ],
)
def test_text_that_is_not_strict_json_is_refused(text, says):
    with pytest.raises(PacketError, match=says) as caught:
        read_object(text, 100)
    assert str(caught.value).isprintable()


def test_fields_have_the_promised_types():
    assert read_object(b'{"a":[1,2.5,null]}', 100) == {"a": [1, 2.5, None]}
    assert (FIELDS.integer("n"), FIELDS.number("x", 0), FIELDS.text("text")) == (3, 0.5, "feet")
    table = FIELDS.table("rows", (2, 2))
    assert (table.dtype, table.tolist()) == (np.float64, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "read",
    [
        lambda: FIELDS.integer("flag"),  # a bool is an int in Python
        lambda: FIELDS.integer("x"),
        lambda: FIELDS.integer("n", 4),
        lambda: FIELDS.number("flag", 0),
        lambda: FIELDS.text("n"),
        lambda: FIELDS.table("bad", (2, 2)),
        lambda: FIELDS.get("missing"),
        lambda: name_of("part", "fe\net"),
        lambda: name_of("part", "x" * 65),
        lambda: names_of("joints", ["hips"], 2),
    ],
)
def test_other_types_are_refused(read):
    with pytest.raises(PacketError) as caught:
        read()
    assert str(caught.value).isprintable()
