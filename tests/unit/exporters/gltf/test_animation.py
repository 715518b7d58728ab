"""GLB animation writer: size limits, and the content of a small file."""

import json
import struct

import numpy as np
import pytest

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.gltf import animation as glb_animation
from realtime_pose.exporters.gltf.animation import Keyframes, Model, Track, write_animated


def test_more_than_a_glb_can_hold_is_refused(tmp_path):
    track = glb_animation.Track("long", range(17), [0], 20_000_000, (0.0, 1e6))
    with pytest.raises(RecordingError, match="at most 4; export a shorter take"):
        glb_animation.write_animated(tmp_path / "x.glb", glb_animation.Model({"nodes": []}), track, [])


def test_keyframes_of_all_chunks_stand_in_order_and_no_quaternion_flips(tmp_path):
    rotations = np.float32([[[0, 0, 0, 1]], [[0, 0, 0, -1]], [[0, 0, 1, 0]]])
    times, hips = np.float32([0, 0.1, 0.3]), np.arange(9, dtype=np.float32).reshape(3, 3)
    chunks = [Keyframes(times[a:b], hips[a:b, None], rotations[a:b]) for a, b in ((0, 2), (2, 3))]
    path = tmp_path / "x.glb"
    write_animated(path, Model({"nodes": [{}]}), Track("dance", [0], [0], 3, (0.0, 0.3)), chunks)
    data = path.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    (animation,) = document["animations"]
    assert animation["name"] == "dance"
    assert [channel["target"]["path"] for channel in animation["channels"]] == ["translation", "rotation"]

    def values(accessor, width):
        view = document["bufferViews"][document["accessors"][accessor]["bufferView"]]
        return np.frombuffer(binary, "<f4", 3 * width, view["byteOffset"]).reshape(3, width)

    move, turn = animation["samplers"]
    assert values(move["input"], 1).ravel() == pytest.approx(times)
    assert np.array_equal(values(move["output"], 3), hips)
    assert np.array_equal(values(turn["output"], 4), [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]])
