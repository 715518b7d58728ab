"""Script of a performance: steps, and keys (second, value) for everything else; angles in degrees.

An arm has five angles, the same for left and right: `drop` below the horizontal (0 = T-pose, 79 = hanging,
negative = raised), `swing` forward about the line through the shoulders, `front` forward in the horizontal plane,
`twist` about the upper arm (negative turns the bent forearm upward), `elbow`; and `hand`, the bend of the wrist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tools.actor.motion.curves import Key
from tools.actor.motion.feet import Footprint, Step
from tools.actor.scene.props import Stool

FPS = 30

Keys: TypeAlias = Mapping[str, tuple[Key, ...]]

HANG = {"drop": 79.0, "swing": 3.0, "front": 0.0, "twist": 0.0, "elbow": 16.0, "hand": 4.0}
"""Angles of a hanging arm, used where there are no keys."""

FLAT: tuple[Key, ...] = ((0.0, 0.0),)
"""A heel that stays on the floor."""

STANDING_LEG: Keys = dict.fromkeys(("free", "hip", "knee", "toes"), FLAT)
"""Keys for no kick."""


@dataclass(frozen=True, eq=False)
class Script:
    """One performance.

    Attributes:
        duration_s: Its length.
        activities: Start and name of each activity.
        left_start, right_start: First footprints.
        left_steps, right_steps: Steps in order.
        left_arm, right_arm: Keys of the arms' angles; angles without keys are those of a hanging arm.
        torso, head: Keys of `pitch` (forward), `yaw` (to the left) and `roll` (to the right); shared by spine and
            chest, and by neck and head.
        pelvis: Keys of `down` from standing and `back` from over the feet (metres), `shift` (-1 over the right foot, 1
            over the left), `pitch`, `roll`, and `settled` (1 = seated, without idle motion of the hips).
        left_heel, right_heel: Keys of the angle by which a standing foot's heel is raised.
        kick: Keys of the free right leg: `free` (0..1), `hip`, `knee`, `toes`.
        ball: Seconds at which the right hand picks up and releases a ball; None without a ball.
        stool: The stool; None without one.
    """

    duration_s: float
    activities: tuple[tuple[float, str], ...]
    left_start: Footprint
    right_start: Footprint
    left_steps: tuple[Step, ...]
    right_steps: tuple[Step, ...]
    left_arm: Keys
    right_arm: Keys
    torso: Keys
    head: Keys
    pelvis: Keys
    left_heel: tuple[Key, ...] = FLAT
    right_heel: tuple[Key, ...] = FLAT
    kick: Keys = field(default_factory=lambda: STANDING_LEG)
    ball: tuple[float, float] | None = None
    stool: Stool | None = None


def arm_moves(angle: str, *keys: Key) -> tuple[Key, ...]:
    """Keys of one of an arm's angles, starting from the hanging arm."""
    return ((0.0, HANG[angle]), *keys)
