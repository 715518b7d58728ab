"""How long the parts of a body are, from its height: the one place where lifting and IK take lengths from."""

from dataclasses import dataclass

from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M


@dataclass(frozen=True)
class BodyDimensions:
    """Lengths in metres; the proportions are HUMANOID's."""

    torso: float  # middle of the hips to middle of the shoulders
    shoulder_width: float
    hip_width: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    head_height: float  # middle of the shoulders to middle of the ears
    hip_height: float  # middle of the hips over the soles when standing

    @classmethod
    def of_height(cls, height_m: float) -> "BodyDimensions":
        """The dimensions of a body that is `height_m` tall."""
        scale = height_m / REST_HEIGHT_M
        rest = {joint: HUMANOID.rest_offset_m[row] * scale for joint, row in HUMANOID.index.items()}
        length = dict(zip(HUMANOID.joints, HUMANOID.rest_bone_m * scale, strict=True))
        shoulder = rest["leftUpperArm"]
        return cls(
            torso=float(rest["spine"][1] + rest["chest"][1] + shoulder[1]),
            shoulder_width=float(2 * shoulder[0]),
            hip_width=float(2 * rest["leftUpperLeg"][0]),
            upper_arm=float(length["leftLowerArm"]),
            forearm=float(length["leftHand"]),
            thigh=float(length["leftLowerLeg"]),
            shank=float(length["leftFoot"]),
            head_height=0.21 * scale,
            hip_height=float(rest["hips"][1]),
        )
