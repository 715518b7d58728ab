"""What the actor does, as data: its footsteps, and keys (second, value) for everything else. Angles in degrees.

An arm is drawn by five angles, alike for left and right: `drop` below the horizontal (0 = T-pose, 79 = hanging,
negative = raised), `swing` forward about the line through the shoulders, `front` forward in the horizontal plane,
`twist` about the upper arm (negative turns the bent forearm upward), and `elbow`.
"""

from realtime_pose.model3d.actor.curves import Key
from realtime_pose.model3d.actor.feet import Step, footprint

FPS = 30
DURATION_S = 17.0

ACTIVITIES: tuple[tuple[float, str], ...] = (
    (0.0, "stand"),
    (0.9, "wave"),
    (3.0, "walk"),
    (7.0, "turn"),
    (9.5, "squat"),
    (11.6, "kick"),
    (13.3, "reach"),
    (16.4, "stand"),
)
"""When each activity begins."""

_START = (-0.66, 0.00, 0.0)
LEFT_START, RIGHT_START = footprint("left", *_START, 0.22), footprint("right", *_START, 0.22)

# Toward the camera, in a bow to the actor's left across the picture, away from it; then round on the spot.
LEFT_STEPS: tuple[Step, ...] = (
    Step(3.75, 4.20, footprint("left", -0.63, 0.42, 16.0)),
    Step(4.83, 5.28, footprint("left", -0.14, 0.53, 90.0), 0.06, 0.9),
    Step(5.91, 6.36, footprint("left", 0.40, 0.26, 140.0), 0.06, 0.9),
    Step(7.10, 7.50, footprint("left", 0.43, 0.14, 200.0), 0.06, 0.4),
    Step(8.00, 8.40, footprint("left", 0.42, 0.12, 310.0), 0.06, 0.4),
    Step(8.90, 9.25, footprint("left", 0.42, 0.12, 362.0, 0.28), 0.05, 0.3),
)
RIGHT_STEPS: tuple[Step, ...] = (
    Step(3.21, 3.66, footprint("right", -0.66, 0.23, 0.0)),
    Step(4.29, 4.74, footprint("right", -0.46, 0.54, 50.0), 0.06, 0.9),
    Step(5.37, 5.82, footprint("right", 0.16, 0.44, 116.0), 0.06, 0.9),
    Step(6.45, 6.88, footprint("right", 0.43, 0.18, 146.0), 0.06, 0.6),
    Step(7.55, 7.95, footprint("right", 0.42, 0.12, 255.0), 0.06, 0.4),
    Step(8.45, 8.85, footprint("right", 0.42, 0.12, 350.0, 0.28), 0.06, 0.4),
)

# Arms hang like this unless keys say otherwise.
_HANG = {"drop": 79.0, "swing": 3.0, "front": 0.0, "twist": 0.0, "elbow": 16.0, "hand": 4.0}


def _moves(angle: str, *keys: Key) -> tuple[Key, ...]:
    """Keys that begin and end with the hanging arm."""
    return ((0.0, _HANG[angle]), *keys)


LEFT_ARM: dict[str, tuple[Key, ...]] = {
    "drop": _moves(
        "drop",
        (9.6, 79), (10.5, -22), (10.9, -22), (11.7, 70),
        (12.1, 62), (12.5, 40), (13.1, 74), (14.35, 74), (14.8, 6), (15.1, 4), (15.55, -6), (15.85, -6), (16.6, 79),
    ),
    "front": _moves(
        "front",
        (9.6, 0), (10.5, 78), (10.9, 78), (11.7, 0),
        (12.1, 20), (12.5, 55), (13.1, 0), (14.2, 0), (14.8, 80), (15.05, 80), (15.6, 6), (15.9, 6), (16.6, 0),
    ),
    "twist": _moves("twist", (14.2, 0), (14.7, -14), (15.5, -24), (15.9, -24), (16.6, 0)),
    "elbow": _moves(
        "elbow",
        (3.0, 16), (3.6, 26), (6.8, 26), (7.3, 22), (9.2, 18),
        (9.6, 16), (10.4, 22), (10.9, 22), (11.7, 26), (12.4, 38), (13.2, 16), (14.2, 18), (14.5, 40), (14.85, 8),
        (15.05, 8), (15.3, 40), (15.6, 5), (15.9, 5), (16.3, 24), (16.8, 16),
    ),
}  # fmt: skip
RIGHT_ARM: dict[str, tuple[Key, ...]] = {
    "drop": _moves(
        "drop",
        (0.8, 79), (1.45, 8), (2.35, 8), (3.1, 79), (9.6, 79), (10.5, -22), (10.9, -22), (11.7, 66),
        (12.0, 64), (12.5, 66), (13.0, 74), (13.25, 74), (13.85, -66), (14.2, -66), (14.8, 6), (15.05, 6), (15.8, 74),
    ),
    "front": _moves(
        "front",
        (0.9, 0), (1.45, 24), (2.35, 24), (3.0, 0), (9.6, 0), (10.5, 78), (10.9, 78), (11.7, 0),
        (13.25, 0), (13.85, 22), (14.2, 22), (14.8, 80), (15.05, 80), (15.8, 0),
    ),
    "swing": _moves("swing", (11.9, 3), (12.25, 14), (12.55, -30), (13.1, 3)),
    "twist": _moves(
        "twist", (0.8, 0), (1.4, -88), (2.4, -88), (3.0, 0), (13.2, 0), (13.8, -34), (14.2, -34), (14.8, -14), (15.7, 0)
    ),
    "elbow": _moves(
        "elbow",
        (0.8, 16), (1.3, 82), (1.5, 84), (1.72, 52), (1.96, 92), (2.20, 52), (2.42, 88), (3.0, 20), (3.6, 26),
        (6.8, 26), (7.3, 22), (9.2, 18), (9.6, 16), (10.4, 22), (10.9, 22), (11.7, 30), (12.5, 22), (13.2, 18),
        (13.5, 42), (13.85, 8), (14.2, 8), (14.5, 34), (14.8, 8), (15.05, 8), (15.35, 36), (15.9, 16),
    ),
    "hand": _moves("hand", (0.8, 4), (1.4, -14), (2.4, -14), (3.0, 4)),
}  # fmt: skip
ARM_REST = _HANG

TORSO: dict[str, tuple[Key, ...]] = {
    # pitch bows forward, yaw turns left, roll leans to the right; shared by spine and chest
    "pitch": (
        (0.0, 1.0), (9.5, 1.5), (10.5, 17), (10.9, 17), (11.6, 2), (12.2, 8), (12.5, -5), (13.2, 1),
        (13.4, 1), (13.85, -6), (14.2, -6), (14.8, 13), (15.05, 13), (15.6, 1), (16.6, 1),
    ),
    "yaw": ((11.7, 0), (12.15, 10), (12.5, -12), (13.1, 0), (14.2, 0), (14.8, 0), (15.1, 0), (15.7, 10), (16.0, 8),
            (16.6, 0)),
    "roll": (
        (0.8, 0), (1.4, -2.5), (2.4, -2.5), (3.0, 0), (13.3, 0), (13.85, -6), (14.2, -6), (14.7, 0), (15.1, 0),
        (15.6, -13), (15.9, -13), (16.6, 0),
    ),
}  # fmt: skip
HEAD: dict[str, tuple[Key, ...]] = {
    "pitch": (
        (0.0, 2), (3.0, 2), (3.5, 6), (6.8, 5), (9.3, 3), (9.6, 3), (10.5, -22), (10.9, -22), (11.7, 4), (12.4, 8),
        (13.2, 2), (13.9, -16), (14.2, -16), (14.8, -8), (15.1, -6), (15.7, 0), (16.6, 2),
    ),
    "yaw": (
        (3.0, 0), (3.7, 8), (4.5, 22), (5.6, 14), (6.4, 4), (6.9, 24), (7.6, 34), (8.6, 18), (9.2, 0),
        (13.4, 0), (13.9, -10), (14.2, -8), (14.8, 0), (15.1, 6), (15.6, 34), (15.9, 34), (16.5, 0),
    ),
    "roll": ((0.8, 0), (1.5, 4), (2.3, 3), (3.0, 0)),
}  # fmt: skip
PELVIS: dict[str, tuple[Key, ...]] = {
    # metres: down from standing, back from over the feet; shift: -1 over the right foot, 1 over the left
    "down": ((9.55, 0.0), (10.5, 0.33), (10.9, 0.33), (11.6, 0.0), (11.9, 0.010), (12.9, 0.010), (13.3, 0.0)),
    "back": ((9.55, 0.0), (10.4, 0.125), (10.9, 0.125), (11.6, 0.0)),
    "shift": (
        (0.0, 0.0), (11.3, 0.0), (11.8, 0.86), (12.7, 0.86), (13.25, 0.0), (13.4, 0.0), (13.9, -0.25), (14.2, -0.25),
        (14.8, 0.0), (15.1, 0.0), (15.6, 0.55), (15.9, 0.55), (16.7, 0.0),
    ),
    "pitch": ((9.5, 1), (10.5, 24), (10.9, 24), (11.6, 1), (12.1, 6), (12.5, -10), (13.1, 1)),
    "roll": ((11.5, 0), (11.9, 4), (12.7, 4), (13.2, 0)),
}  # fmt: skip
# The right leg's kick, by the angles of a free leg; `free` tells how far it is off its footprint (0..1).
KICK: dict[str, tuple[Key, ...]] = {
    "free": ((11.75, 0.0), (12.05, 1.0), (12.75, 1.0), (13.1, 0.0)),
    "hip": ((11.75, 0), (12.13, -24), (12.5, 72), (12.62, 70), (13.05, 0)),
    "knee": ((11.75, 12), (12.13, 72), (12.34, 62), (12.52, 11), (12.65, 16), (12.86, 48), (13.1, 14)),
    "toes": ((11.75, 0), (12.1, 35), (12.5, 30), (13.0, 0)),
}
