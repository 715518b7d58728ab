"""GLB reader: malformed files are refused with a CharacterError."""

import struct

import pytest

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import read_glb


def glb_of(total=None, version=2, magic=b"glTF", chunk=b"JSON", text=b'{"asset":{"version":"2.0"}}', size=None):
    text += b" " * (-len(text) % 4)
    whole = 20 + len(text)
    header = struct.pack("<4sII", magic, version, whole if total is None else total)
    return header + struct.pack("<I4s", len(text) if size is None else size, chunk) + text


BYTES = {
    "nothing": (b"", "is not a glTF binary"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is not a glTF binary"),
    "a text": (b'{"asset": {"version": "2.0"}}', "is a .gltf with its data in other files"),
    "a head alone": (b"glTF", "is cut off"),
    "another version": (glb_of(version=1), "is glTF 1, wanted 2"),
    "less than it says": (glb_of(total=10**6), "is cut off: it has"),
    "a part beyond its end": (glb_of(size=10**6), "is cut off or damaged"),
    "no description": (glb_of(chunk=b"BIN\0"), "has no JSON chunk"),
    "no JSON": (glb_of(text=b"{{{{"), "has damaged JSON"),
    "text that is no text": (glb_of(text=b"\xff\xfe\xff\xfe"), "has damaged JSON"),
    "numbers that are none": (glb_of(text=b'{"asset": {"version": NaN}}'), "NaN is not a number"),
    "brackets without end": (glb_of(text=b"[" * 200_000), "has damaged JSON"),
    "JSON that is no object": (glb_of(text=b"[1]"), "has no asset version"),
}


@pytest.mark.parametrize(("data", "says"), BYTES.values(), ids=BYTES.keys())
def test_a_file_that_is_no_glb_is_refused(tmp_path, data, says):
    path = tmp_path / "rig.glb"
    path.write_bytes(data)
    with pytest.raises(CharacterError, match=says):
        read_glb(path)
