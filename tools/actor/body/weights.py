"""How much of each joint's motion a point of the body follows, from where it lies in the T-pose.

In the T-pose limbs run along an axis each, so a point's place along its limb tells which joints it lies between:
the weight passes from one joint to the next over a soft zone around the joint. A zone is wide where flesh and cloth
give (shoulder, hip) and narrow where the limb folds (elbow, knee); no point follows more than four joints.
"""

import numpy as np

from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Float64
from tools.actor.body.measures import FIRST

MOST_JOINTS = 4
"""Joints a vertex, as glTF's JOINTS_0 holds."""


def joint_weights(points_m: Float64) -> Float64:
    """(V, J) weights of the first actor's points (V, 3) in the T-pose; rows sum to 1, at most four are not 0."""
    x, y, z = points_m.T
    weights = np.zeros((len(points_m), len(HUMANOID.joints)))
    rest = np.ones(len(points_m))  # what the joints further out have left
    for side, out in (("left", x), ("right", -x)):
        # Below the armpit the flank stays with the chest, however far out it is.
        flank = np.maximum(0.0, 1.405 - y) * 1.3
        arm = _passed(out - flank, 0.125, 0.235)
        elbow, wrist = FIRST.rest_joint("leftLowerArm")[0], FIRST.rest_joint("leftHand")[0]
        lower, hand = arm * _passed(out, elbow - 0.055, elbow + 0.055), arm * _passed(out, wrist - 0.035, wrist + 0.03)
        # The thigh begins at the groin in front and under the seat behind; the middle belongs to both legs.
        hip, knee = FIRST.rest_joint("leftUpperLeg")[1], FIRST.rest_joint("leftLowerLeg")[1]
        leg = _passed(-y, -hip - 0.020 + 0.25 * z, 0.115 - hip + 0.25 * z) * _passed(out, -0.03, 0.03)
        shank, ankle = leg * _passed(-y, -knee - 0.07, 0.07 - knee), leg * _passed(-y, -0.112, -0.085)
        for limb in (
            {"UpperArm": arm, "LowerArm": lower, "Hand": hand},
            {"UpperLeg": leg, "LowerLeg": shank, "Foot": ankle},
        ):
            follows = [*limb.values(), np.zeros_like(x)]
            for name, here, beyond in zip(limb, follows[:-1], follows[1:], strict=True):
                weights[:, HUMANOID.index[side + name]] = here - beyond
        rest -= arm + leg
    height = {name: FIRST.rest_joint(name)[1] for name in ("spine", "chest", "neck", "head")}
    above = {
        "spine": _passed(y, height["spine"] - 0.06, height["spine"] + 0.06),
        "chest": _passed(y, height["chest"] - 0.08, height["chest"] + 0.08),
        "neck": _passed(y, height["neck"] - 0.005, height["neck"] + 0.045),
        "head": _passed(y + 0.35 * z, height["head"] - 0.035, height["head"] + 0.03),
    }
    trunk = ("hips", "spine", "chest", "neck", "head")
    for name, following in zip(trunk, (*trunk[1:], None), strict=True):
        here = above.get(name, 1.0) - (above[following] if following else 0.0)
        weights[:, HUMANOID.index[name]] = rest * here
    return _strongest(weights)


def _passed(along: Float64, begin: Float64 | float, end: Float64 | float) -> Float64:
    """0 before `begin`, 1 after `end`, smooth between."""
    u = np.clip((along - begin) / (end - begin), 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def _strongest(weights: Float64) -> Float64:
    """The weights with all but the strongest four of a row gone, rows summing to 1."""
    weak = np.argsort(weights, axis=1)[:, :-MOST_JOINTS]
    out = np.maximum(weights, 0.0)
    np.put_along_axis(out, weak, 0.0, axis=1)
    return out / out.sum(axis=1, keepdims=True)
