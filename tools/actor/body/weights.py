"""Joint weights of the body's points, from their positions in the T-pose.

In the T-pose each limb lies along an axis, so a point's position along it determines the two nearest joints. The weight
changes from one joint to the next over a zone around the joint: wide where flesh and cloth stretch (shoulder, hip),
narrow where the limb folds (elbow, knee). No point has more than four joints.
"""

import numpy as np

from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Float64
from tools.actor.body.measures import FIRST

MAX_JOINTS = 4
"""Joints per vertex, as in glTF's JOINTS_0."""


def joint_weights(points_m: Float64) -> Float64:
    """(V, J) weights of the first actor's points (V, 3) in the T-pose; rows sum to 1, at most four are not 0."""
    x, y, z = points_m.T
    weights = np.zeros((len(points_m), len(HUMANOID.joints)))
    rest = np.ones(len(points_m))  # the share that is left for the trunk
    for side, out in (("left", x), ("right", -x)):
        # Below the armpit the flank belongs to the chest, however far out it is.
        flank = np.maximum(0.0, 1.405 - y) * 1.3
        arm = _smoothstep(out - flank, 0.125, 0.235)
        elbow, wrist = FIRST.rest_joint("leftLowerArm")[0], FIRST.rest_joint("leftHand")[0]
        lower = arm * _smoothstep(out, elbow - 0.055, elbow + 0.055)
        hand = arm * _smoothstep(out, wrist - 0.035, wrist + 0.03)
        # The thigh starts at the groin in front and below the seat behind; the middle belongs to both legs.
        hip, knee = FIRST.rest_joint("leftUpperLeg")[1], FIRST.rest_joint("leftLowerLeg")[1]
        leg = _smoothstep(-y, -hip - 0.020 + 0.25 * z, 0.115 - hip + 0.25 * z) * _smoothstep(out, -0.03, 0.03)
        shank, ankle = leg * _smoothstep(-y, -knee - 0.07, 0.07 - knee), leg * _smoothstep(-y, -0.112, -0.085)
        for limb in (
            {"UpperArm": arm, "LowerArm": lower, "Hand": hand},
            {"UpperLeg": leg, "LowerLeg": shank, "Foot": ankle},
        ):
            shares = [*limb.values(), np.zeros_like(x)]
            for name, here, beyond in zip(limb, shares[:-1], shares[1:], strict=True):
                weights[:, HUMANOID.index[side + name]] = here - beyond
        rest -= arm + leg
    height = {name: FIRST.rest_joint(name)[1] for name in ("spine", "chest", "neck", "head")}
    above = {
        "spine": _smoothstep(y, height["spine"] - 0.06, height["spine"] + 0.06),
        "chest": _smoothstep(y, height["chest"] - 0.08, height["chest"] + 0.08),
        "neck": _smoothstep(y, height["neck"] - 0.005, height["neck"] + 0.045),
        "head": _smoothstep(y + 0.35 * z, height["head"] - 0.035, height["head"] + 0.03),
    }
    trunk = ("hips", "spine", "chest", "neck", "head")
    for name, following in zip(trunk, (*trunk[1:], None), strict=True):
        here = above.get(name, 1.0) - (above[following] if following else 0.0)
        weights[:, HUMANOID.index[name]] = rest * here
    return _largest(weights)


def _smoothstep(x: Float64, start: Float64 | float, end: Float64 | float) -> Float64:
    """0 before `start`, 1 after `end`, smooth between."""
    u = np.clip((x - start) / (end - start), 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def _largest(weights: Float64) -> Float64:
    """The four largest weights of each row, normalised to a sum of 1."""
    smallest = np.argsort(weights, axis=1)[:, :-MAX_JOINTS]
    out = np.maximum(weights, 0.0)
    np.put_along_axis(out, smallest, 0.0, axis=1)
    return out / out.sum(axis=1, keepdims=True)
