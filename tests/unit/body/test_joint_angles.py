"""Joint angles on known poses: names, signs, zeros, mirror images, continuity."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from realtime_pose.axes import mirrored_rotations
from realtime_pose.body.joint_angles import ANGLES, BodyAngles
from realtime_pose.kinematics import local_rotations
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

ROW = HUMANOID.index
X, Y, Z = np.eye(3)
# canonical axes: +X is the person's left, +Z their front
TO_FRONT, TO_LEFT, DOWN = Z, X, -Y
HANG_LEFT = Rotation.from_rotvec(-np.pi / 2 * Z)  # from the T-pose's +X down
HANG_RIGHT = Rotation.from_rotvec(np.pi / 2 * Z)


def standing(**world):
    """Local rotations of a body with hanging arms, where these joints' bones are turned in the world after that."""
    turned = [Rotation.identity()] * 17
    arms = {"left": HANG_LEFT, "right": HANG_RIGHT}
    for name, row in ROW.items():
        side = next((s for s in arms if name.startswith(s) and name[len(s) :] in ("UpperArm", "LowerArm", "Hand")), "")
        parent = HUMANOID.parents[row]
        extra = world.get(name) or (world.get(HUMANOID.joints[parent]) if parent >= 0 else None)
        turned[row] = (extra or Rotation.identity()) * (arms[side] if side else Rotation.identity())
    return local_rotations(HUMANOID, np.stack([t.as_quat() for t in turned]))


def angles(local):
    return dict(zip(ANGLES, BodyAngles().of(local), strict=True))


def about(axis, degrees):
    return Rotation.from_rotvec(np.radians(degrees) * axis)


def test_all_angles_of_a_standing_body_with_hanging_arms_are_0():
    assert np.allclose(list(angles(standing()).values()), 0, atol=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("joint", "turn", "of_left", "name", "degrees"),
    [
        # a turn about -X takes what hangs to the front; for the left side, +Z takes it outward
        ("UpperLeg", about(-X, 30), None, "hip_flexion", 30),
        ("UpperLeg", about(-Z, 20), about(Z, 20), "hip_adduction", -20),
        ("UpperLeg", about(Y, 15), about(-Y, 15), "hip_rotation", 15),  # toes inward
        ("LowerLeg", about(X, 70), None, "knee_angle", 70),  # the shank to the back
        ("Foot", about(-X, 10), None, "ankle_angle", 10),  # toes up
        ("UpperArm", about(-X, 60), None, "arm_flex", 60),
        ("UpperArm", about(-Z, 40), about(Z, 40), "arm_add", -40),
        ("UpperArm", about(Y, 25), about(-Y, 25), "arm_rot", 25),
        ("LowerArm", about(-X, 80), None, "elbow_flex", 80),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_limb_rotated_about_one_axis_has_that_angle_alone(side, joint, turn, of_left, name, degrees):
    turn = of_left if side == "left" and of_left is not None else turn
    if joint.endswith("Foot"):
        local = standing()
        local[ROW[f"{side}Foot"]] = turn.as_quat()
    else:
        local = standing(**{f"{side}{joint}": turn})
        for below in {"UpperLeg": ("LowerLeg", "Foot"), "LowerLeg": ("Foot",), "UpperArm": ("LowerArm", "Hand"),
                      "LowerArm": ("Hand",)}[joint]:  # fmt: skip
            local[ROW[f"{side}{below}"]] = rot.IDENTITY_XYZW
    found = angles(local)
    wanted = dict.fromkeys(ANGLES, 0.0) | {f"{name}_{side[0]}": degrees}
    assert found == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    ("joint", "turn", "name", "degrees"),
    [
        ("hips", about(-X, 12), "pelvis_tilt", 12),
        ("hips", about(Z, 9), "pelvis_list", 9),
        ("hips", about(Y, 33), "pelvis_rotation", 33),
        ("spine", about(-X, 12), "lumbar_extension", 12),
        ("chest", about(Z, 7), "lumbar_bending", 7),
        ("head", about(Y, 21), "neck_rotation", 21),
    ],
)
def test_the_trunk_rotates_about_the_axes_of_the_model(joint, turn, name, degrees):
    local = standing()
    local[ROW[joint]] = turn.as_quat()
    assert angles(local) == pytest.approx(dict.fromkeys(ANGLES, 0.0) | {name: degrees}, abs=1e-6)


def test_the_mirror_image_of_a_body_has_the_other_sides_angles():
    rng = np.random.default_rng(3)
    local = rot.from_rotvec(rng.normal(size=(17, 3)) * 0.3)
    straight, mirrored = angles(local), angles(mirrored_rotations(HUMANOID, local))
    for name, value in straight.items():
        if name[-2:] in ("_l", "_r"):
            assert mirrored[name[:-1] + ("r" if name[-1] == "l" else "l")] == pytest.approx(value, abs=1e-6), name
    assert mirrored["pelvis_tilt"] == pytest.approx(straight["pelvis_tilt"], abs=1e-6)
    assert mirrored["pelvis_rotation"] == pytest.approx(-straight["pelvis_rotation"], abs=1e-6)


def test_a_body_that_keeps_rotating_has_continuous_angles():
    body = BodyAngles()
    found = []
    for degrees in range(0, 900, 30):
        local = standing()
        local[0] = about(Y, degrees).as_quat()
        found.append(body.of(local)[ANGLES.index("pelvis_rotation")])
    assert np.allclose(np.diff(found), 30, atol=1e-6)
