"""Views of synthetic bodies: self-occlusion, furniture, and the simulated estimator's noise."""

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.evaluation.synthetic import bodies as bodies
from realtime_pose.evaluation.synthetic.views import project, simulate_keypoints
from realtime_pose.skeletons import COCO17

CAMERA = CameraIntrinsics.from_field_of_view(60.0, 640, 480)


def standing(turn_deg=0.0, frames=30):
    """COCO points (T, 17, 3) of a person with hanging arms, 3 m in front of the camera."""
    rng = np.random.default_rng(2)
    build = bodies.Build.random(rng)
    points = bodies.points_of(build, bodies.standing(rng, build, frames, 30.0, "hanging"))
    points = points - points[:, 11:13].mean(axis=(0, 1))
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    return points @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + (0, 0, -3)


def occluded_share(view, name):
    return view.occluded[:, COCO17.index[name]].mean()


def test_a_body_occludes_its_far_side():
    front, side, back = (project(standing(turn), CAMERA) for turn in (0, 90, 180))
    assert occluded_share(front, "left_shoulder") == occluded_share(front, "nose") == 0
    assert {occluded_share(back, name) for name in ("nose", "left_eye", "right_eye")} == {1.0}
    far, near = ("left", "right") if occluded_share(side, "left_ear") > 0.5 else ("right", "left")
    assert occluded_share(side, f"{far}_wrist") > 0.5 > occluded_share(side, f"{near}_wrist")
    assert occluded_share(side, f"{far}_shoulder") > 0.5 > occluded_share(side, f"{near}_shoulder")


def test_a_desk_hides_what_is_below_its_edge():
    points = standing()
    edge = np.array([[1.0, -0.1, -2.5], [-1.0, -0.1, -2.5]])  # below the camera, in front of the body
    view = project(points, CAMERA, (edge[0], edge[1]))
    assert not view.inside[:, COCO17.rows(["left_knee", "right_ankle"])].any()
    assert view.inside[:, COCO17.rows(["left_shoulder", "nose"])].all()


def test_noise_is_correlated_and_larger_where_occluded():
    points = standing(frames=900)
    view = project(points, CAMERA)
    occluded = view.occluded.copy()
    occluded[:, COCO17.index["left_knee"]] = True
    view = type(view)(view.xy_px, view.inside, occluded, view.size_px)
    xy, score = simulate_keypoints(np.random.default_rng(0), view, CAMERA, 30.0)
    error = xy - view.xy_px
    left, right = (np.median(np.linalg.norm(error[:, COCO17.index[f"{s}_knee"]], axis=-1)) for s in ("left", "right"))
    assert left > 2 * right
    assert np.median(score[:, COCO17.index["left_knee"]]) < np.median(score[:, COCO17.index["right_knee"]]) - 0.2
    x = error[:, COCO17.index["nose"], 0]
    assert 0.4 < np.corrcoef(x[1:], x[:-1])[0, 1] < 0.99  # neither white nor constant
    assert abs(np.corrcoef(x[90:], x[:-90])[0, 1]) < 0.5  # uncorrelated after seconds
