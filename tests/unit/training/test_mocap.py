"""Motion capture files: ASF with AMC, DeepMimic's clips, and errors for other files."""

from pathlib import Path

import numpy as np
import pytest

from realtime_pose.errors import RealtimePoseError
from realtime_pose.training.mocap import read_amc, read_asf, read_deepmimic, read_motions
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
        # The elbow's own axes are rotated, so that its angle about x bends it forward.
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


def test_an_acclaim_file_gives_its_limb_directions(tmp_path: Path) -> None:
    (tmp_path / "09.asf").write_text(_asf())
    # Left thigh raised by 90 degrees, its knee bent by 90; right elbow bent; left arm lowered by 90.
    angles = {"lfemur": "-90 0 0", "ltibia": "90", "rradius": "90", "lhumerus": "0 0 -90"}
    (tmp_path / "09_01.amc").write_text(_amc(8, **angles))
    motion = read_motions(tmp_path)["09_01"]
    assert len(motion) == 4  # 120 frames per second become 60
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
        ({}, "there is no motion capture"),
        ({"09_01.amc": "1\nroot 0 0 0 0 0 0\n"}, "needs its skeleton 09.asf"),
        ({"09.asf": ":bonedata\nbegin\nid 1\nend\n:hierarchy\n"}, "cannot read the motion"),
        ({"09.asf": "ASF", "09_01.amc": "1\nroot 0 0 0\n"}, "cannot read the motion"),
        ({"humanoid3d_x.txt": '{"Frames": [[1, 2], [3, 4]]}'}, "cannot read the motion"),
        ({"humanoid3d_x.txt": "{"}, "cannot read the motion"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RealtimePoseError, match=words):
        read_motions(tmp_path)


@pytest.mark.skipif(not _SHARED.is_dir(), reason="the motion capture that the weights were trained on is not here")
def test_captured_knees_bend_backward_and_elbows_forward() -> None:
    skeleton = read_asf(_SHARED / "cmu/02.asf")
    clips = {name: read_amc(_SHARED / f"cmu/{name}.amc", skeleton) for name in ("02_01", "02_03")}
    clips |= {name: read_deepmimic(_SHARED / f"deepmimic/humanoid3d_{name}.txt") for name in ("walk", "run")}
    for name, clip in clips.items():
        assert (rot.rotate(clip.pelvis_xyzw, (0, 1, 0))[:, 1] > 0.8).all(), name
        thigh, shank = clip.legs[:, :, 0], clip.legs[:, :, 1]
        assert (thigh[..., 2] - shank[..., 2]).min() > -0.1, name  # the shank never points further forward
        assert (clip.arms[:, :, 1, 2] - clip.arms[:, :, 0, 2]).mean() > 0.2, name  # the forearm mostly does
        fronts = rot.rotate(clip.pelvis_xyzw, (0, 0, 1))
        way = clip.root[-1] - clip.root[0]
        assert (fronts.mean(axis=0) @ way) > 0.5 * np.linalg.norm(way), name  # they walk where they face
