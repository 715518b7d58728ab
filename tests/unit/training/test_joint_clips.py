"""Motion clips given as joint positions: axes, rest of head and feet, contacts, and errors for damaged files."""

import json
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.errors import RealtimePoseError
from realtime_pose.training.joint_clips import read_joint_clips
from realtime_pose.training.mocap import read_motions
from realtime_pose.training.motions import FRAME_RATE_HZ

_RATE_HZ = 30.0
_LEFT = {  # a body of 1.7 m in T-pose that faces +Z: the left side's joints
    "shoulder": (0.2, 1.4, 0.0), "elbow": (0.5, 1.4, 0.0), "wrist": (0.75, 1.4, 0.0), "hand": (0.85, 1.4, 0.0),
    "hip": (0.1, 0.9, 0.0), "knee": (0.1, 0.49, 0.0), "ankle": (0.1, 0.08, 0.0), "foot": (0.1, 0.01, 0.16),
}  # fmt: skip
_MIDDLE = {"hips": (0.0, 0.95, 0.0), "neck": (0.0, 1.45, 0.0), "head": (0.0, 1.55, 0.0), "head_top": (0.0, 1.7, 0.0)}
_STEP_S, _STEP_M = 0.5, 0.6


def _t_pose(frames: int) -> dict[str, np.ndarray]:
    sides = {f"{p}{name}": (s * x, y, z) for p, s in (("l_", 1), ("r_", -1)) for name, (x, y, z) in _LEFT.items()}
    return {name: np.tile(np.array(at, dtype=float), (frames, 1)) for name, at in {**_MIDDLE, **sides}.items()}


def _walk(frames: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A walk along +Z, and which foot stands (T, 2)."""
    t = np.arange(frames) / _RATE_HZ
    step, share = np.divmod(t / _STEP_S, 1.0)
    places = _t_pose(frames)
    stands = np.stack((step % 2 == 0, step % 2 == 1), axis=1)
    forward = _STEP_M * t / _STEP_S
    for name in places:
        places[name][:, 2] += forward
    for i, side in enumerate(("l_", "r_")):
        smooth = share**2 * (3 - 2 * share)
        away = np.where(stands[:, i], step * _STEP_M, (step - 1) * _STEP_M + 2 * _STEP_M * smooth)
        lift = np.where(stands[:, i], 0.0, 0.12 * np.sin(np.pi * share))
        for joint in ("ankle", "foot"):
            places[side + joint][:, 2] += away - forward
            places[side + joint][:, 1] += lift
        places[side + "knee"][:, 2] += (away - forward) / 2 + 0.05
        places[side + "knee"][:, 1] += lift / 2
    return places, stands


def _write(folder: Path, motions: dict[str, dict[str, np.ndarray]], **changes: object) -> Path:
    joints = list(next(iter(motions.values())))
    for name, places in motions.items():
        xyz = np.stack([places[joint] for joint in joints], axis=1)
        hips = xyz[:, joints.index("hips")]
        np.savez(folder / f"{name}.npz", xyz_m=(xyz - hips[:, None]).astype(np.float32), root_m=hips)
    listing = {
        "fps": _RATE_HZ,
        "skeletons": {"plain": {"joints": joints}},
        "clips": [
            {"file": f"{name}.npz", "skeleton": "plain", "source": "studio", "kind": "test", "height_m": 1.7}
            for name in motions
        ],
    }
    index = folder / "clips.json"
    index.write_text(json.dumps(listing | changes))
    return index


def test_a_body_in_t_pose_is_at_rest_with_both_feet_on_the_floor(tmp_path: Path) -> None:
    motion = read_joint_clips(_write(tmp_path, {"t": _t_pose(40)}))["studio/test/t"]
    assert len(motion) == round(39 / _RATE_HZ * FRAME_RATE_HZ)
    for part in (motion.pelvis_xyzw, motion.chest_xyzw, motion.head_xyzw, motion.hands_xyzw, motion.feet_xyzw):
        np.testing.assert_allclose(np.abs(part), np.broadcast_to((0, 0, 0, 1), part.shape), atol=1e-3)
    np.testing.assert_allclose(motion.arms[5], [[(1, 0, 0)] * 2, [(-1, 0, 0)] * 2], atol=1e-5)
    np.testing.assert_allclose(motion.legs[5], [[(0, -1, 0)] * 2] * 2, atol=1e-5)
    np.testing.assert_allclose(motion.root[5], (0, 0.9 / 1.7, 0), atol=1e-5)
    np.testing.assert_array_equal(motion.contacts, 1.0)


def test_a_walk_has_the_contacts_of_its_steps(tmp_path: Path) -> None:
    places, stands = _walk(121)
    motions = read_motions(_write(tmp_path, {"walk": places, "t": _t_pose(40)}).parent)
    walk = motions["studio/test/walk"]
    np.testing.assert_allclose(walk.root[-1, 2] * 1.7, _STEP_M * (4.0 - 1 / 60) / _STEP_S, atol=0.02)
    now = stands[(np.arange(len(walk)) * _RATE_HZ / FRAME_RATE_HZ).astype(int)]
    share = np.arange(len(walk)) / FRAME_RATE_HZ / _STEP_S % 1.0
    middle = (share > 0.25) & (share < 0.75)
    for end in range(2):  # heel, toe
        np.testing.assert_array_equal(walk.contacts[middle, :, end], now[middle])
    np.testing.assert_allclose(walk.feet_xyzw[..., 3], 1.0, atol=0.02)  # flat: the walker's pelvis is level


def test_clips_of_doubtful_sources_and_of_skeletons_without_feet_are_left_out(tmp_path: Path) -> None:
    clip = {"file": "t.npz", "skeleton": "plain", "source": "mass", "kind": "test", "height_m": 1.7}
    index = _write(tmp_path, {"t": _t_pose(40)}, clips=[clip])
    assert read_joint_clips(index) == {}
    footless = {name: at for name, at in _t_pose(40).items() if not name.endswith("foot")}
    assert read_joint_clips(_write(tmp_path, {"t": footless})) == {}
    with pytest.raises(RealtimePoseError, match="there is no motion capture"):
        read_motions(tmp_path)


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _break_content(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(Path.unlink, id="missing"),
        pytest.param(_truncate, id="truncated"),
        pytest.param(_break_content, id="a changed byte"),
        pytest.param(lambda file: file.write_bytes(b""), id="empty"),
        pytest.param(lambda file: file.write_bytes(b"nothing of the kind"), id="another file"),
        pytest.param(lambda file: np.savez(file, xyz_m=np.zeros((4, 3))), id="without the root"),
        pytest.param(
            lambda file: np.savez(file, xyz_m=np.zeros((40, 2, 3)), root_m=np.zeros((40, 3))), id="few joints"
        ),
    ],
)
def test_a_damaged_clip_is_refused_in_a_sentence(tmp_path: Path, damage) -> None:
    index = _write(tmp_path, {"t": _t_pose(40)})
    damage(tmp_path / "t.npz")
    with pytest.raises(RealtimePoseError, match="cannot read the motion clips of") as error:
        read_joint_clips(index)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"fps": 30}', '{"fps": 30, "skeletons": [], "clips": []}'])
def test_a_damaged_index_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "clips.json").write_text(text)
    with pytest.raises(RealtimePoseError, match="cannot read the motion clips of"):
        read_joint_clips(tmp_path / "clips.json")
