"""What a performance is written in: footsteps, and keys (second, value) for everything else. Angles in degrees.

An arm is drawn by five angles, alike for left and right: `drop` below the horizontal (0 = T-pose, 79 = hanging,
negative = raised), `swing` forward about the line through the shoulders, `front` forward in the horizontal plane,
`twist` about the upper arm (negative turns the bent forearm upward), `elbow`; and `hand`, its bend at the wrist.
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
"""Arms hang like this unless keys say otherwise."""

FLAT: tuple[Key, ...] = ((0.0, 0.0),)
"""A heel that stays on the floor."""

STANDING_LEG: Keys = dict.fromkeys(("free", "hip", "knee", "toes"), FLAT)
"""A kick that never comes."""


@dataclass(frozen=True, eq=False)
class Script:
    """One performance.

    Attributes:
        duration_s: How long it lasts.
        activities: When each activity begins, and its name.
        left_start, right_start: Where the feet stand at first.
        left_steps, right_steps: Where they go.
        left_arm, right_arm: Keys of the arms' angles; what is not drawn hangs.
        torso, head: Keys of `pitch` (bows forward), `yaw` (turns left) and `roll` (leans to the right); a torso's turn
            is shared by spine and chest, a head's by neck and head.
        pelvis: Keys of `down` from standing and `back` from over the feet (metres), `shift` (-1 over the right foot, 1
            over the left), `pitch`, `roll`, and `settled` (1 = on a seat, where the hips do not wander).
        left_heel, right_heel: Keys of how far a heel is raised over the toes of a foot that stays.
        kick: Keys of the right leg when it leaves its footprint freely: `free` (0..1), `hip`, `knee`, `toes`.
        ball: The second the right hand takes a ball from the floor and the one it lets go; None where there is none.
        stool: What there is to sit on.
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
    """Keys of one of an arm's angles, from the hanging arm on."""
    return ((0.0, HANG[angle]), *keys)
