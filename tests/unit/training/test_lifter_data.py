"""What the lifter learns from: captured motion, drawn poses, bodies, cameras and an estimator's mistakes."""

from pathlib import Path

import numpy as np
import pytest

from realtime_pose.errors import RealtimePoseError
from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.lifter import MotionBank, draw_batch, told_and_truth
from realtime_pose.training.mocap import read_amc, read_asf, read_deepmimic, read_motions
from realtime_pose.training.motions import Motion
from realtime_pose.training.poses import draw_poses
from realtime_pose.training.views import draw_looks
from realtime_pose.utils import rotations as rot

_SHARED = Path(__file__).parents[3] / "../shared/data/mocap"

_ASF = """:version 1.10
:name TEST
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
{bones}
:hierarchy
  begin
    root lhipjoint rhipjoint thorax
    lhipjoint lfemur
    lfemur ltibia
    ltibia lfoot
    rhipjoint rfemur
    rfemur rtibia
    rtibia rfoot
    thorax head lclavicle rclavicle
    lclavicle lhumerus
    lhumerus lradius
    lradius lhand
    rclavicle rhumerus
    rhumerus rradius
    rradius rhand
  end
"""
_BONES = {
    "hipjoint": ((1, 0, 0), 1.0, ""), "femur": ((0, -1, 0), 4.0, "rx ry rz"), "tibia": ((0, -1, 0), 4.0, "rx"),
    "foot": ((0, 0, 1), 1.0, "rx rz"), "clavicle": ((1, 0, 0), 2.0, ""), "humerus": ((1, 0, 0), 3.0, "rx ry rz"),
    "radius": ((1, 0, 0), 2.5, "rx"), "hand": ((1, 0, 0), 1.0, ""),
}  # fmt: skip


def _asf() -> str:
    rows = [("thorax", (0, 1, 0), 5.0, "rx ry rz"), ("head", (0, 1, 0), 2.0, "rx ry rz")]
    for side, sign in (("l", 1), ("r", -1)):
        rows += [(side + n, (sign * d[0], d[1], d[2]), length, dof) for n, (d, length, dof) in _BONES.items()]
    blocks = []
    for i, (name, direction, length, dof) in enumerate(rows):
        words = " ".join(map(str, direction))
        # The elbow's own axes are turned, so that its angle about their x bends it to the front.
        axis = "0 0 90" if name.endswith("radius") else "0 0 0"
        lines = [f"id {i}", f"name {name}", f"direction {words}", f"length {length}", f"axis {axis} XYZ"]
        blocks.append("\n".join(["  begin", *lines, *([f"dof {dof}"] if dof else []), "  end"]))
    return _ASF.format(bones="\n".join(blocks))


def _amc(frames: int, **angles: str) -> str:
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    for i in range(frames):
        lines += [str(i + 1), f"root 0 9 {i} 0 0 0"]
        for side in ("l", "r"):
            for name, (_, _, dof) in _BONES.items():
                if dof:
                    lines.append(f"{side}{name} {angles.get(side + name, ' '.join('0' * len(dof.split())))}")
        lines += ["thorax 0 0 0", "head 0 0 0"]
    return "\n".join(lines)


def test_an_acclaim_file_is_read_as_it_was_meant(tmp_path: Path) -> None:
    (tmp_path / "09.asf").write_text(_asf())
    # Left thigh 90 degrees to the front, its knee bent back by 90; right elbow bent; left arm lowered by 90.
    angles = {"lfemur": "-90 0 0", "ltibia": "90", "rradius": "90", "lhumerus": "0 0 -90"}
    (tmp_path / "09_01.amc").write_text(_amc(8, **angles))
    motion = read_motions(tmp_path)["09_01"]
    assert len(motion) == 4  # 120 frames a second become 60
    np.testing.assert_allclose(motion.legs[0, 0], [(0, 0, 1), (0, -1, 0)], atol=1e-9)
    np.testing.assert_allclose(motion.legs[0, 1], [(0, -1, 0), (0, -1, 0)], atol=1e-9)
    np.testing.assert_allclose(motion.arms[0, 0], [(0, -1, 0), (0, -1, 0)], atol=1e-9)
    np.testing.assert_allclose(motion.arms[0, 1, 0], (-1, 0, 0), atol=1e-9)
    np.testing.assert_allclose(np.abs(motion.arms[0, 1, 1]), (0, 0, 1), atol=1e-9)
    np.testing.assert_allclose(motion.pelvis_xyzw[0], (0, 0, 0, 1), atol=1e-9)
    np.testing.assert_allclose(motion.root[1] - motion.root[0], (0, 0, 2 / (8 / 0.491)), atol=1e-9)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no motion capture"),
        ({"09_01.amc": "1\nroot 0 0 0 0 0 0\n"}, "needs its skeleton 09.asf"),
        ({"09.asf": ":bonedata\nbegin\nid 1\nend\n:hierarchy\n"}, "cannot read the motion"),
        ({"09.asf": "ASF", "09_01.amc": "1\nroot 0 0 0\n"}, "cannot read the motion"),
        ({"humanoid3d_x.txt": '{"Frames": [[1, 2], [3, 4]]}'}, "cannot read the motion"),
        ({"humanoid3d_x.txt": "{"}, "cannot read the motion"),
    ],
)
def test_motion_files_that_are_none_are_refused_in_a_sentence(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RealtimePoseError, match=words):
        read_motions(tmp_path)


@pytest.mark.skipif(not _SHARED.is_dir(), reason="the motion capture that the weights were trained on is not here")
def test_captured_people_stand_on_legs_that_bend_back_and_arms_that_bend_forward() -> None:
    skeleton = read_asf(_SHARED / "cmu/02.asf")
    clips = {name: read_amc(_SHARED / f"cmu/{name}.amc", skeleton) for name in ("02_01", "02_03")}
    clips |= {name: read_deepmimic(_SHARED / f"deepmimic/humanoid3d_{name}.txt") for name in ("walk", "run")}
    for name, clip in clips.items():
        assert (rot.rotate(clip.pelvis_xyzw, (0, 1, 0))[:, 1] > 0.8).all(), name
        thigh, shank = clip.legs[:, :, 0], clip.legs[:, :, 1]
        assert (thigh[..., 2] - shank[..., 2]).min() > -0.1, name  # the shank never points further forward
        assert (clip.arms[:, :, 1, 2] - clip.arms[:, :, 0, 2]).mean() > 0.2, name  # and the forearm mostly does
        fronts = rot.rotate(clip.pelvis_xyzw, (0, 0, 1))
        way = clip.root[-1] - clip.root[0]
        assert (fronts.mean(axis=0) @ way) > 0.5 * np.linalg.norm(way), name  # they walk to where they look


def test_a_mirrored_motion_is_the_mirror_of_its_points() -> None:
    rng = np.random.default_rng(3)
    motion, proportions = draw_poses(rng, -WINDOW_S, 40), draw_proportions(rng, 40)
    points, mirrored = body_points(motion, proportions), body_points(motion.mirrored(), proportions)
    np.testing.assert_allclose(mirrored, points[:, :, LAYOUT.mirror] * (-1, 1, 1), atol=1e-12)


def test_drawn_bodies_have_the_lengths_that_were_drawn_and_joints_that_bend_as_joints_do() -> None:
    rng = np.random.default_rng(4)
    motion, proportions = draw_poses(rng, -WINDOW_S, 400), draw_proportions(rng, 400)
    points = body_points(motion, proportions)
    index = LAYOUT.index
    for a, b, part in (("elbow", "wrist", "forearm"), ("hip", "knee", "thigh"), ("knee", "ankle", "shank")):
        for side in ("left", "right"):
            length = np.linalg.norm(points[:, :, index[f"{side}_{a}"]] - points[:, :, index[f"{side}_{b}"]], axis=-1)
            np.testing.assert_allclose(length, proportions[part][:, None].repeat(len(WINDOW_S), 1), atol=1e-9)
    # A knee lies before the line from hip to ankle, seen from the pelvis that its own spread has turned.
    thigh, shank = motion.legs[..., 0, :], motion.legs[..., 1, :]
    bent = np.linalg.norm(np.cross(thigh, shank), axis=-1) > 0.3
    hinge = np.cross(thigh, shank)[bent]
    assert (hinge[:, 0] > 0).mean() > 0.97  # turned outward thighs take it a little out of X
    # Motion is smooth: no bone turns faster than 1500 degrees a second.
    dt_s = np.diff(WINDOW_S)
    for bones in (motion.arms, motion.legs):
        turn = np.arccos(np.clip((bones[:, 1:] * bones[:, :-1]).sum(-1), -1, 1))
        assert np.degrees(turn / dt_s[None, :, None, None]).max() < 1500


def test_looks_are_the_bodies_in_perspective_where_the_estimator_is_sure() -> None:
    rng = np.random.default_rng(5)
    points = body_points(draw_poses(rng, -WINDOW_S, 600), draw_proportions(rng, 600))
    looks = draw_looks(rng, points)
    assert looks.score.max() <= 1.0
    assert ((looks.score == 0) | (looks.score >= 0.3)).all()
    # Distances between points are kept: only turned and moved.
    for a, b in ((0, 16), (5, 12), (9, 10)):
        before = np.linalg.norm(points[:, 0, a] - points[:, 0, b], axis=-1)
        np.testing.assert_allclose(np.linalg.norm(looks.truth[:, a] - looks.truth[:, b], axis=-1), before, atol=1e-4)
    hips = looks.truth[:, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=1e-5)
    # A camera at some distance explains what was seen with a high score; a weak score errs further.
    sure, unsure = [], []
    for i in range(600):
        seen = looks.score[i, 0] > 0.85
        if seen.sum() < 8:
            continue
        for kept, errors in ((seen, sure), ((looks.score[i, 0] > 0) & (looks.score[i, 0] < 0.6), unsure)):
            errors.extend(_misfit(looks.truth[i], looks.xy[i, 0], seen)[kept])
    assert np.median(sure) < 0.03
    assert np.median(unsure) > 1.5 * np.median(sure)


def _misfit(truth: np.ndarray, xy: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """How far (K,) points fall from their pixels, in body heights, with the root that fits those seen best."""
    rows, wanted = [], []
    for p, ray in zip(truth[seen], xy[seen], strict=True):
        for axis in range(2):
            rows.append([float(axis == 0), float(axis == 1), ray[axis]])
            wanted.append(-p[axis] - ray[axis] * p[2])
    root = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    placed = truth + root
    return np.linalg.norm(placed[:, :2] / -placed[:, 2:] - xy, axis=-1) * -root[2]


def test_a_batch_is_repeated_by_its_seed_and_every_number_is_one() -> None:
    first, again, other = (draw_batch(np.random.default_rng(seed), None) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.xy, again.xy)
    assert not np.array_equal(first.xy, other.xy)
    told, truth = told_and_truth(first)
    for numbers in (*told, truth):
        assert np.isfinite(numbers).all()


def test_captured_and_drawn_motion_are_put_together() -> None:
    rng = np.random.default_rng(6)
    still = draw_poses(rng, np.zeros(200), 3)
    clips = {str(i): Motion(*(getattr(still[i], f) for f in still.__dataclass_fields__)) for i in range(3)}
    bank = MotionBank(clips)
    drawn = bank.draw(rng, 50)
    assert drawn.root.shape == (50, len(WINDOW_S), 3)
    front = rot.rotate(drawn.pelvis_xyzw[:, 0], (0, 0, 1))
    np.testing.assert_allclose(front[:, 0], 0, atol=1e-9)
    assert draw_batch(rng, bank).truth.shape[1] == len(LAYOUT.names)


def test_moments_at_which_a_marker_was_lost_are_never_drawn() -> None:
    rng = np.random.default_rng(7)
    still = draw_poses(rng, np.zeros(300), 1)[0]
    turned = still.pelvis_xyzw.copy()
    turned[150:] = rot.multiply(rot.from_axis_angle((0, 1, 0), np.array(2.0)), turned[150:])
    torn = Motion(turned, *(getattr(still, f) for f in list(still.__dataclass_fields__)[1:]))
    drawn = MotionBank({"torn": torn}).draw(rng, 400)
    step = rot.angle_between_rad(drawn.pelvis_xyzw[:, 1:], drawn.pelvis_xyzw[:, :-1])
    assert step.max() < 0.1
