"""The shipped GLB, read by another library, is a skinned HUMANOID."""

import json
import struct

import numpy as np
import pytest

from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.paths import data_path
from tools.actor.body.glb import glb_bytes
from tools.actor.body.measures import FIRST
from tools.actor.body.mesh import Mesh, merged

MODEL = data_path("resources/models/default_model.glb")
_TYPES = {5121: np.uint8, 5123: np.uint16, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def read(gltf, accessor_index: int) -> np.ndarray:
    accessor = gltf.accessors[accessor_index]
    view = gltf.bufferViews[accessor.bufferView]
    dtype, width = _TYPES[accessor.componentType], _WIDTHS[accessor.type]
    start = (view.byteOffset or 0) + (accessor.byteOffset or 0)
    return np.frombuffer(gltf.binary_blob(), dtype, accessor.count * width, start).reshape(accessor.count, width)


def attribute(gltf, name: str) -> np.ndarray:
    return read(gltf, getattr(gltf.meshes[0].primitives[0].attributes, name))


@pytest.fixture(scope="module", params=["shipped", "written now"])
def gltf(request, tmp_path_factory):
    """The shipped file, and one that the current code writes from the shipped surface."""
    gltf2 = pytest.importorskip("pygltflib", reason="pip install -e .[actor]").GLTF2
    shipped = gltf2().load(str(MODEL))
    if request.param == "shipped":
        return shipped
    points, normals = attribute(shipped, "POSITION").astype(float), attribute(shipped, "NORMAL").astype(float)
    faces = read(shipped, shipped.meshes[0].primitives[0].indices).reshape(-1, 3).astype(np.int64)
    body = Mesh(points, normals, faces, attribute(shipped, "COLOR_0")[:, :3] / 255)
    path = tmp_path_factory.mktemp("actor") / "again.glb"
    path.write_bytes(glb_bytes(body))
    return gltf2().load(str(path))


def node_places(gltf) -> np.ndarray:
    """Positions of the nodes: forward kinematics of the file's tree, which has no rotations."""
    places = {}

    def walk(index: int, above: np.ndarray) -> None:
        node = gltf.nodes[index]
        places[index] = above + np.array(node.translation or [0.0, 0.0, 0.0])
        for child in node.children or []:
            walk(child, places[index])

    for root in gltf.scenes[gltf.scene].nodes:
        walk(root, np.zeros(3))
    return np.array([places[j] for j in gltf.skins[0].joints])


def test_its_joints_are_humanoids_without_rotation(gltf):
    joints = gltf.skins[0].joints
    assert tuple(gltf.nodes[j].name for j in joints) == HUMANOID.joints
    for row, index in enumerate(joints):
        node = gltf.nodes[index]
        assert node.rotation in (None, [0.0, 0.0, 0.0, 1.0])
        assert node.scale in (None, [1.0, 1.0, 1.0])
        assert node.matrix is None
        parents = [p for p, other in enumerate(joints) if index in (gltf.nodes[other].children or [])]
        assert (parents or [-1]) == [HUMANOID.parents[row]]
        if parents:
            np.testing.assert_allclose(node.translation, HUMANOID.rest_direction[row] * FIRST.bone_m[row], atol=1e-6)


def test_its_bind_matrices_undo_its_nodes(gltf):
    binds = read(gltf, gltf.skins[0].inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)  # stored by column
    assert len(binds) == 17
    placed = np.tile(np.eye(4), (17, 1, 1))
    placed[:, :3, 3] = node_places(gltf)
    np.testing.assert_allclose(placed @ binds, np.tile(np.eye(4), (17, 1, 1)), atol=1e-6)


def test_its_weights_sum_to_one_on_known_joints(gltf):
    weights, joints = attribute(gltf, "WEIGHTS_0"), attribute(gltf, "JOINTS_0")
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    assert weights.min() >= 0.0
    assert joints.max() < 17
    assert not joints[weights == 0].any()
    assert set(np.unique(joints[weights > 0.5])) == set(range(17))


def test_its_surface_is_a_light_grown_person_seen_from_outside(gltf):
    points, normals = attribute(gltf, "POSITION"), attribute(gltf, "NORMAL")
    faces = read(gltf, gltf.meshes[0].primitives[0].indices).reshape(-1, 3)
    assert 8_000 <= len(faces) <= 20_500
    assert MODEL.stat().st_size < 2_000_000
    low, high = points.min(axis=0), points.max(axis=0)
    assert low[1] == pytest.approx(0.0, abs=0.004)
    assert high[1] == pytest.approx(FIRST.height_m, abs=0.02)
    assert low[0] == pytest.approx(-high[0], abs=0.01)
    assert high[2] == pytest.approx(0.20, abs=0.03)  # the toes point forward
    assert points[(points[:, 1] > 1.6) & (points[:, 1] < 1.63)][:, 2].max() > 0.10  # and so does the nose
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0, atol=1e-5)
    corners = points[faces]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(outward * normals[faces].mean(axis=1), axis=1) > 0).mean() > 0.98


def test_its_colours_are_those_of_skin_and_clothes(gltf):
    rgba = attribute(gltf, "COLOR_0")
    assert (rgba[:, 3] == 255).all()
    assert len(np.unique(rgba[:, :3], axis=0)) >= 10


def _tetrahedron(at: float) -> Mesh:
    points = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]]) + np.array([at, 1.0, 0.0])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    return Mesh(points, np.tile([0.0, 0.0, 1.0], (4, 1)), faces, np.full((4, 3), 0.5))


def test_the_same_body_gives_the_same_bytes_and_lengths_that_add_up():
    body = merged([_tetrahedron(0.0), _tetrahedron(0.5)])
    data = glb_bytes(body)
    assert data == glb_bytes(body)
    magic, version, total = struct.unpack_from("<4sII", data)
    assert (magic, version, total) == (b"glTF", 2, len(data))
    length, kind = struct.unpack_from("<I4s", data, 12)
    document = json.loads(data[20 : 20 + length])
    assert kind == b"JSON"
    assert length % 4 == 0
    assert document["accessors"][document["meshes"][0]["primitives"][0]["indices"]]["count"] == 24
    assert document["accessors"][0]["min"] == pytest.approx([0.0, 1.0, 0.0])


def test_two_meshes_join_without_mixing_their_corners():
    body = merged([_tetrahedron(0.0), _tetrahedron(0.5)])
    assert body.faces.max() == 7
    assert (body.points_m[body.faces[4:]][..., 0] >= 0.5).all()
