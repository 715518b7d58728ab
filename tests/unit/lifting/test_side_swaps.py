"""Side swaps: estimator errors are corrected, real motion is not."""

from pathlib import Path

import numpy as np
import pytest
from support.actor_frames import actor_truth
from support.bodies import human_local, keypoints_of, points_of

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.lifting.side_swaps import SideSwapCorrector
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
TENNIS = Path(__file__).parents[3] / "../shared/data/real2d/tennis_vitpose_keypoints.csv"
LEGS = ("knee", "ankle", "heel", "toe")
ALL = tuple(name[5:] for name in COCO17_FEET_HANDS.names if name.startswith("left_"))


def actor(layout=COCO17_FEET_HANDS, noise_px=1.0, seed=0):
    """The actor's keypoints (T, K, 2), with noise."""
    xy = actor_truth().keypoints_px[:, COCO17_FEET_HANDS.rows(layout.names)].astype(float)
    return xy + noise_px * np.random.default_rng(seed).normal(size=xy.shape)


def exchanged(xy, layout, frames, parts):
    """The clip with left and right exchanged in those frames."""
    out, frames = xy.copy(), np.array(frames)[:, None]
    left, right = (layout.rows([f"{side}_{part}" for part in parts]) for side in ("left", "right"))
    out[frames, left], out[frames, right] = xy[frames, right], xy[frames, left]
    return out


def corrected(xy, layout, frame_ns=FRAME_NS, score=0.9):
    """The clip after correction."""
    corrector = SideSwapCorrector()
    scores = np.broadcast_to(np.asarray(score, np.float32), xy.shape[:2])
    people = (PersonKeypoints(layout, as_float32(p), as_float32(s), 1, i * frame_ns) for i, (p, s) in
              enumerate(zip(xy, scores, strict=True)))  # fmt: skip
    return np.array([corrector.apply(person).xy_px for person in people])


@pytest.mark.parametrize(
    "parts", [ALL, LEGS, ("elbow", "wrist", "pinky", "index", "thumb")], ids=["all", "legs", "arms"]
)
@pytest.mark.parametrize("count", [1, 3, 10])
def test_brief_side_swaps_are_corrected(parts, count):
    clean = actor()
    for start in (10, 60, 120, 200, 300, 400):
        clip = clean[start - 6 : start + count + 3]
        got = corrected(exchanged(clip, COCO17_FEET_HANDS, range(6, 6 + count), parts), COCO17_FEET_HANDS)
        apart = np.linalg.norm(got - clip, axis=-1)
        # where both sides coincide in the image, a swap can neither be found nor matters
        assert apart.max() < 0.07 * np.ptp(clean[start, :, 1]), start


def test_scores_change_sides_with_their_points():
    clean, rows = actor(COCO17), COCO17.index
    score = np.full(clean.shape[:2], 0.9)
    score[5, rows["left_wrist"]] = 0.4
    corrector = SideSwapCorrector()
    for i, xy in enumerate(exchanged(clean, COCO17, [5], ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"])[:6]):
        got = corrector.apply(PersonKeypoints(COCO17, as_float32(xy), as_float32(score[i]), 1, i * FRAME_NS))
    assert got.score[rows["right_wrist"]] == pytest.approx(0.4)
    assert np.allclose(got.xy_px[rows["right_wrist"]], clean[5, rows["right_wrist"]])


def test_the_actor_who_walks_and_turns_round_is_not_corrected():
    clean = actor()
    assert np.array_equal(corrected(clean, COCO17_FEET_HANDS), as_float32(clean))


@pytest.mark.parametrize(("turn_deg_s", "rate_hz"), [(90, 30), (360, 30), (720, 30), (360, 15)])
def test_a_person_who_spins_is_not_corrected(turn_deg_s, rate_hz):
    body = points_of(human_local(2, reach=0.3))
    middle = body[COCO17.rows(["left_hip", "right_hip"])].mean(axis=0)
    clip = []
    for i in range(int(2 * 360 / turn_deg_s * rate_hz) + 20):
        turn = rot.from_axis_angle([0.0, 1.0, 0.0], np.radians(turn_deg_s) * np.array(max(i - 10, 0) / rate_hz))
        points = rot.rotate(turn, body - middle) + np.array([0.0, 0.0, -3.0])
        clip.append(keypoints_of(points, noise_px=1.0, seed=i).xy_px)
    clip = np.array(clip)
    assert np.array_equal(corrected(clip, COCO17, round(1e9 / rate_hz)), clip)


def test_a_swap_that_persists_is_accepted_and_not_corrected_back():
    """So a wrong start or an unseen turn costs a second at most."""
    clean = actor(COCO17)[:27].repeat(4, axis=0)[:100]  # stands
    sides = ["shoulder", "hip", "eye", "ear", "elbow", "wrist", "knee", "ankle"]
    wrong = exchanged(clean, COCO17, range(20, 100), sides)
    got = corrected(wrong, COCO17)
    assert np.abs(got[20:50] - clean[20:50]).max() < 30  # corrected for a second
    assert np.array_equal(got[60:], as_float32(wrong[60:]))
    back = np.concatenate((wrong[:70], clean[70:]))
    assert np.array_equal(
        corrected(back, COCO17)[70:], as_float32(clean[70:])
    )  # not corrected when it becomes right again


@pytest.mark.parametrize("step_ns", [-FRAME_NS, 0, 2_000_000_000])
def test_after_a_gap_or_a_jump_in_time_the_estimator_is_trusted(step_ns):
    clean = actor(COCO17)
    wrong = exchanged(clean, COCO17, [1], ["shoulder", "hip", "knee", "ankle"])
    corrector = SideSwapCorrector()
    score = np.full(17, 0.9, np.float32)
    corrector.apply(PersonKeypoints(COCO17, as_float32(clean[0]), score, 1, 10**9))
    second = PersonKeypoints(COCO17, as_float32(wrong[1]), score, 1, 10**9 + step_ns)
    assert corrector.apply(second) is second


def test_another_body_is_not_compared_with_the_one_before():
    clean = actor(COCO17)
    wrong = exchanged(clean, COCO17, [1], ["shoulder", "hip", "knee", "ankle"])
    moved = np.stack((clean[0], wrong[1] + 200.0))
    assert np.array_equal(corrected(moved, COCO17)[1], as_float32(moved[1]))


def test_points_without_a_score_are_ignored():
    clean = actor(COCO17)[:3]
    score = np.full(clean.shape[:2], 0.9)
    score[1] = 0
    junk = clean.copy()
    junk[1] = np.nan
    assert np.array_equal(corrected(junk, COCO17, score=score)[2], as_float32(clean[2]))


def test_a_forgotten_person_has_no_state():
    clean = actor(COCO17)
    wrong = exchanged(clean, COCO17, [1], ["shoulder", "hip", "knee", "ankle"])
    corrector = SideSwapCorrector()
    score = np.full(17, 0.9, np.float32)
    corrector.apply(PersonKeypoints(COCO17, as_float32(clean[0]), score, 1, 0))
    corrector.forget(1)
    second = PersonKeypoints(COCO17, as_float32(wrong[1]), score, 1, FRAME_NS)
    assert corrector.apply(second) is second


def test_a_real_estimator_on_a_real_player_is_left_alone():
    if not TENNIS.is_file():
        pytest.skip("the clip of a tennis player is not here")
    table = np.genfromtxt(TENNIS, delimiter=",", skip_header=1, usecols=(0, 1, 3, 4))
    xy = table[table[:, 1] == 0][:, 2:].reshape(-1, 17, 2)
    assert np.array_equal(corrected(xy, COCO17), as_float32(xy))
