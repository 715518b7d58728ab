"""The shipped clips: their format, and that their frames match the ground truth."""

from typing import NamedTuple

import cv2
import numpy as np
import pytest

from realtime_pose.model3d.actor_truth import TRUTHS, ActorTruth, load_truth, project
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.paths import data_path
from tools.actor import __main__ as tool
from tools.actor.scene.clips import CLIPS, ActorClip

RENDERED_AGAIN = {"actor": (170,), "actor-2": (330, 294, 410)}  # in the middle of a step, a throw, sitting down


class Shipped(NamedTuple):
    """A shipped clip with every tenth image, and those next to the frames that are rendered again."""

    name: str
    clip: ActorClip
    truth: ActorTruth
    frames: int
    images: dict[int, np.ndarray]

    @property
    def path(self):
        return data_path(f"resources/{self.clip.film}")


@pytest.fixture(scope="module", params=sorted(CLIPS))
def shipped(request) -> Shipped:
    clip = CLIPS[request.param]
    capture = cv2.VideoCapture(str(data_path(f"resources/{clip.film}")))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30.0)
    beside = {index + step for index in RENDERED_AGAIN[request.param] for step in (-1, 0, 1)}
    frames, kept = 0, {}
    while (got := capture.read())[0]:
        if frames % 10 == 0 or frames in beside:
            kept[frames] = got[1]
        frames += 1
    capture.release()
    return Shipped(request.param, clip, load_truth(request.param), frames, kept)


def test_it_has_a_frame_a_row_and_is_small(shipped):
    size = shipped.truth.intrinsics
    assert shipped.frames == len(shipped.truth.joints_m)
    assert shipped.images[0].shape == (size.height, size.width, 3)
    assert shipped.path.stat().st_size + data_path(TRUTHS[shipped.name]).stat().st_size < 3_000_000


def test_it_can_start_before_it_is_all_there(shipped):
    data = shipped.path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


def test_the_actor_stands_at_the_position_in_the_truth(shipped):
    """The part of the image that differs from the empty room is centred on the keypoints."""
    images, truth = shipped.images, shipped.truth
    far = shipped.frames if shipped.name == "actor" else 270  # later the second actor is partly outside
    room = np.median([images[index] for index in range(0, shipped.frames, 10)], axis=0)
    for index in range(0, far, 10):
        knees = truth.keypoints_px[index, COCO17_FEET_HANDS.rows(["left_knee", "right_knee"]), 1].min()
        moved = np.abs(images[index].astype(float) - room).max(axis=-1) > 45
        columns = np.nonzero(moved[: int(knees)])[1]  # above the floor and its shadows
        upper = truth.keypoints_px[index, [COCO17_FEET_HANDS.index[n] for n in ("left_hip", "right_hip", "nose")], 0]
        assert abs(np.median(columns) - upper.mean()) < 0.05 * truth.intrinsics.width  # an arm held out shifts it


def test_wrists_are_skin_and_the_chest_is_shirt_in_front(shipped):
    images, truth = shipped.images, shipped.truth
    at = HUMANOID.index["chest"]
    for index in (0, 60, 300, 500) if shipped.name == "actor" else (0, 200, 360, 420):
        place = truth.joints_m[index, at]
        column, row = np.round(project(place, truth.camera_from_world, truth.intrinsics)).astype(int)
        blue, green, red = images[index][row, column].astype(int)
        assert green > red + 30 if shipped.name == "actor" else red > green + 20 > blue + 60
        fingers = COCO17_FEET_HANDS.rows(["left_wrist", "left_index", "left_pinky"])
        column, row = np.round(truth.keypoints_px[index, fingers].mean(axis=0)).astype(int)
        blue, _, red = images[index][row, column].astype(int)
        assert red > blue + 20


@pytest.mark.slow
def test_a_frame_drawn_again_is_the_clips_and_not_its_neighbours(shipped):
    pytest.importorskip("pyvista", reason="pip install -e .[actor]")
    pytest.importorskip("skimage", reason="pip install -e .[actor]")
    pytest.importorskip("fast_simplification", reason="pip install -e .[actor]")
    from tools.actor.body.body import build
    from tools.actor.body.figure import figure_of
    from tools.actor.scene.stage import Stage

    clip, truth = shipped.clip, shipped.truth
    stage = Stage(figure_of(build(clip.look), clip.body), clip.camera, clip.room, 7, clip.script.stool)
    balls = clip.ball_m(truth)
    for index in RENDERED_AGAIN[shipped.name]:
        drawn = stage.draw(truth.local_xyzw[index], truth.root_m[index], balls[index])[..., ::-1].astype(float)
        apart = [np.abs(drawn - shipped.images[i]).mean() for i in (index - 1, index, index + 1)]
        assert apart[1] < 1.5
        assert apart[1] < 0.8 * min(apart[0], apart[2])
    stage.close()


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


def test_only_the_clip_that_is_asked_for_is_made(monkeypatch, tmp_path):
    made = []
    monkeypatch.setattr(tool, "find_spec", lambda name: object())
    monkeypatch.setattr(tool, "make", lambda name, out, seed: made.append((name, out, seed)))
    monkeypatch.setattr("sys.argv", ["actor", "--clip", "actor-2", "--out", str(tmp_path)])
    assert tool.main() == 0
    monkeypatch.setattr("sys.argv", ["actor", "--out", str(tmp_path), "--seed", "9"])
    assert tool.main() == 0
    assert made == [("actor-2", tmp_path, 7), ("actor", tmp_path, 9), ("actor-2", tmp_path, 9)]
