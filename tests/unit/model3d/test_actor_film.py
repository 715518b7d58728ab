"""The shipped clip: its form, and that its frames are the truth's rows."""

import cv2
import numpy as np
import pytest

from realtime_pose.model3d.actor import __main__ as tool
from realtime_pose.model3d.actor.truth import ActorTruth, load_truth, project
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.paths import data_path

CLIP = data_path("resources/videos/default.mp4")


@pytest.fixture(scope="module")
def truth() -> ActorTruth:
    return load_truth(data_path("resources/videos/default_truth.npz"))


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    capture = cv2.VideoCapture(str(CLIP))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30.0)
    frames = []
    while (got := capture.read())[0]:
        frames.append(got[1])
    capture.release()
    return np.array(frames)


def test_it_has_a_frame_a_row_and_is_small(pictures, truth):
    size = truth.intrinsics
    assert pictures.shape == (len(truth.joints_m), size.height, size.width, 3)
    assert CLIP.stat().st_size < 6_000_000


def test_it_can_start_before_it_is_all_there():
    data = CLIP.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_the_actor_stands_where_the_truth_says(pictures, truth):
    """The part of the picture that is not the empty room has its middle in the middle of the keypoints."""
    some = np.arange(0, len(pictures), 10)
    room = np.median(pictures[::5], axis=0)
    for index in some:
        moved = np.abs(pictures[index].astype(float) - room).max(axis=-1) > 45
        columns = np.nonzero(moved[:330])[1]  # above the floor and its shadows
        upper = truth.keypoints_px[index, [COCO17_FEET_HANDS.index[n] for n in ("left_hip", "right_hip", "nose")], 0]
        assert abs(np.median(columns) - upper.mean()) < 25


def test_wrists_are_skin_and_the_chest_is_shirt_in_front(pictures, truth):
    at = HUMANOID.index["chest"]
    for index in (0, 60, 300, 500):
        place = truth.joints_m[index, at]
        column, row = np.round(project(place, truth.camera_from_world, truth.intrinsics)).astype(int)
        _, green, red = pictures[index][row, column].astype(int)
        assert green > red + 30
        column, row = np.round(truth.keypoints_px[index, COCO17_FEET_HANDS.index["left_wrist"]]).astype(int)
        blue, _, red = pictures[index][row, column].astype(int)
        assert red > blue + 20


def test_a_frame_drawn_again_is_the_clips_and_not_its_neighbours(pictures, truth):
    pygltflib = pytest.importorskip("pygltflib", reason="pip install -e .[actor]")
    pytest.importorskip("pyvista", reason="pip install -e .[actor]")
    from realtime_pose.model3d.actor.mesh import Mesh
    from realtime_pose.model3d.actor.stage import Stage

    gltf = pygltflib.GLTF2().load(str(data_path("resources/models/default_model.glb")))
    primitive = gltf.meshes[0].primitives[0]

    def read(accessor_index: int, dtype: type, width: int) -> np.ndarray:
        accessor = gltf.accessors[accessor_index]
        start = gltf.bufferViews[accessor.bufferView].byteOffset
        return np.frombuffer(gltf.binary_blob(), dtype, accessor.count * width, start).reshape(-1, width)

    linear = read(primitive.attributes.COLOR_0, np.uint8, 4)[:, :3] / 255
    points, normals = (
        read(a, np.float32, 3).astype(float) for a in (primitive.attributes.POSITION, primitive.attributes.NORMAL)
    )
    faces = read(primitive.indices, np.uint16, 1).reshape(-1, 3).astype(np.int64)
    stage = Stage(Mesh(points, normals, faces, linear ** (1 / 2.2)), 7)
    index = 170  # in the middle of a step
    drawn = stage.draw(truth.local_xyzw[index], truth.root_m[index])[..., ::-1].astype(float)
    stage.close()
    apart = [np.abs(drawn - pictures[i]).mean() for i in (index - 1, index, index + 1)]
    assert apart[1] < 1.5
    assert apart[1] < 0.8 * min(apart[0], apart[2])


def test_missing_libraries_are_named_with_the_next_step(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(tool, "find_spec", lambda name: None if name == "pyvista" else object())
    monkeypatch.setattr("sys.argv", ["actor", "--out", str(tmp_path)])
    assert tool.main() == 1
    assert capsys.readouterr().err == "making the actor needs pyvista; install with: pip install -e .[actor]\n"
    assert not list(tmp_path.iterdir())


def test_a_negative_seed_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["actor", "--seed", "-1"])
    with pytest.raises(SystemExit, match="2"):
        tool.main()
    assert "--seed -1 is negative" in capsys.readouterr().err
