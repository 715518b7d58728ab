"""Dropped animations leave nothing behind, and what stays reads as before."""

import numpy as np
import pytest
from support.people import make_clip
from support.rigs import make_rig, write_glb

from realtime_pose.exporters.gltf.animation import Model, Track, write_animated
from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.exporters.gltf.pruning import without_animations
from realtime_pose.model3d.glb import read_glb

TIMES = 5000


def animated(document):
    """An animation of its own, stored in front of the mesh."""
    count = 4 * TIMES
    for view in document["bufferViews"]:
        view["byteOffset"] += count
    document["bufferViews"].insert(0, {"buffer": 0, "byteOffset": 0, "byteLength": count})
    document["buffers"][0]["byteLength"] += count
    for accessor in document["accessors"]:
        accessor["bufferView"] += 1
    document["accessors"].insert(0, {"bufferView": 0, "componentType": 5126, "count": TIMES, "type": "SCALAR"})
    (part,) = document["meshes"][0]["primitives"]
    part["attributes"] = {name: accessor + 1 for name, accessor in part["attributes"].items()}
    document["skins"][0]["inverseBindMatrices"] += 1
    document["animations"] = [{"samplers": [{"input": 0, "output": 0}], "channels": []}]


def make_animated(path, change=lambda document: None):
    plain = read_glb(make_rig(path))
    document = dict(plain.document)
    animated(document)
    change(document)
    data = path.read_bytes()[plain.bin_start : plain.bin_start + plain.bin_bytes]
    write_glb(path, document, bytes(4 * TIMES) + data)
    return path


def arrays(glb):
    attributes = glb.document["meshes"][0]["primitives"][0]["attributes"]
    numbers = [*attributes.values(), glb.document["skins"][0]["inverseBindMatrices"]]
    return [glb.array(number) for number in numbers]


def test_what_only_they_use_is_left_out(tmp_path):
    before = read_glb(make_rig(tmp_path / "plain.glb"))
    source = read_glb(make_animated(tmp_path / "rig.glb"))
    write_animated(tmp_path / "out.glb", Model(source.document, source), Track("new", [], [], 1, (0.0, 0.0)), [])
    after = read_glb(tmp_path / "out.glb")
    assert after.bin_bytes == before.bin_bytes + 4
    assert len(after.document["accessors"]) == len(before.document["accessors"]) + 1
    for one, other in zip(arrays(before), arrays(after), strict=True):
        assert np.array_equal(one, other)


def test_a_take_on_a_character_with_animations_is_no_larger_than_without(tmp_path):
    sizes = []
    for rig in (make_rig(tmp_path / "plain.glb"), make_animated(tmp_path / "rig.glb")):
        recorder = GlbRecorder(tmp_path / "out.glb", rig)
        for result in make_clip(3):
            recorder.send(result)
        recorder.close()
        sizes.append((tmp_path / "out.glb").stat().st_size)
    assert sizes[1] == pytest.approx(sizes[0], abs=50)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["nodes"][0].update(extensions={"EXT_mesh_gpu_instancing": {"attributes": {"A": 0}}}),
        lambda document: document["bufferViews"][1].update(extensions={"EXT_meshopt_compression": {"buffer": 0}}),
        lambda document: document["skins"][0].update(inverseBindMatrices=99),
        lambda document: document["bufferViews"][1].update(byteLength=10**9),
    ],
    ids=["an extension's accessor", "an extension's buffer", "no such accessor", "outside of the file"],
)
def test_a_file_whose_references_cannot_be_told_keeps_its_data(tmp_path, change):
    source = read_glb(make_animated(tmp_path / "rig.glb", change))
    pruned = without_animations(source.document, source.bin_bytes)
    assert pruned.kept == ((0, source.bin_bytes),)
    assert pruned.document == {key: value for key, value in source.document.items() if key != "animations"}


def test_draco_and_images_and_sparse_values_stay():
    views = [{"buffer": 0, "byteOffset": 10 * i, "byteLength": 10} for i in range(6)]
    draco = {"bufferView": 1, "attributes": {"POSITION": 0}}
    sparse = {"indices": {"bufferView": 3}, "values": {"bufferView": 5}}
    primitive = {"attributes": {"POSITION": 1}, "extensions": {"KHR_draco_mesh_compression": draco}}
    document = {
        "animations": [{}],
        "accessors": [{"bufferView": 0}, {"count": 3, "sparse": sparse}],
        "bufferViews": views,
        "images": [{"bufferView": 2}],
        "meshes": [{"primitives": [primitive]}],
    }
    pruned = without_animations(document, 60)
    assert pruned.kept == ((8, 40), (48, 60))
    assert [view["byteOffset"] for view in pruned.document["bufferViews"]] == [2, 12, 22, 34]
    assert pruned.document["accessors"] == [
        {"count": 3, "sparse": {"indices": {"bufferView": 2}, "values": {"bufferView": 3}}}
    ]
    (after,) = pruned.document["meshes"][0]["primitives"]
    assert after["attributes"] == {"POSITION": 0}
    assert after["extensions"]["KHR_draco_mesh_compression"] == {"bufferView": 0, "attributes": {"POSITION": 0}}
    assert pruned.document["images"] == [{"bufferView": 1}]
