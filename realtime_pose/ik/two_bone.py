"""A limb of two bones: where its end is decides how far it bends, a law of cosines; limits decide where that ends.

The answer is analytic. Inside the limits it is the whole answer: the end is where it was asked for. Where a limit is
broken, the middle joint may turn about the line from start to end without moving the end (the swivel of Tolani, Goswami
and Badler, "Real-Time Inverse Kinematics Techniques for Anthropomorphic Limbs", 2000), so the nearest such turn inside
the limits is taken. If there is none, the end cannot be reached that way: the first bone is drawn inside, the second
follows it towards the end, a few steps downhill bring it nearer, and ikpy has the last word.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from realtime_pose.ik.ikpy_fallback import IkpyLimb
from realtime_pose.ik.limits import LimbLimits
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

_FLAT_SIN, _BENT_SIN = 0.05, 0.50  # sine of the bend: below, its plane is noise; above, it is trusted
_FIRST_BENT_SIN = 0.15  # likewise, before there is another plane to keep
_SHORT, _SHORTER = (
    0.01,
    0.06,
)  # share by which a limb is short of straight: below, its seen bend counts, above its reach
_SEEN_MOST_RAD = math.radians(28.0)  # so that the end misses its place by 3 % of the length at most
_LONG = 0.06  # share by which it is too long: from there on it is straight
_MIDDLE_COUNTS = 0.05  # of the middle joint's place against the end's, where not both can be had
_SWIVELS = 12  # steps of the search, both ways, to the opposite side
_NEAR_ENOUGH_M, _HOPELESS_M = 0.02, 0.15  # an end this close to its place, or this far, is not worth a search
_FIRST_STEP_RAD, _LAST_STEP_RAD = 0.30, 0.04  # downhill


class Limb(NamedTuple):
    """A limb as the points show it, seen from its start in the parent's space; None where a point was not seen."""

    middle_m: Vec3 | None
    end_m: Vec3 | None
    upper_m: float
    lower_m: float


class LimbSolution(NamedTuple):
    """An answer: the ball joint's rotation, the hinge's bend, and what of the rotation is spin about the bone."""

    local: Quat
    bend_rad: float
    twist_rad: float


@dataclass
class LimbState:
    """What is remembered of one person's limb.

    Attributes:
        twist_rad: The last answer's spin; None before the first.
        futile_until_ns: ikpy is not asked again before, as it lately found nothing better.
    """

    twist_rad: float | None = None
    futile_until_ns: int = field(default=-1)


class TwoBoneIk:
    """Solves one kind of limb, for anybody.

    Attributes:
        ikpy_calls: How often ikpy was asked.
    """

    def __init__(self, limits: LimbLimits) -> None:
        self._limits, self._ball = limits, limits.ball
        self._chain = IkpyLimb(limits)
        self._bend_axis = vec.cross(limits.hinge_axis, limits.bone_axis)  # where the second bone goes as it bends
        self.ikpy_calls = 0

    def solve(self, limb: Limb, memory: LimbState, step_rad: float, time_ns: int) -> LimbSolution:
        """Rotation and bend inside the limits; the memory is brought up to date.

        Args:
            limb: At least one of its points was seen.
            memory: The person's.
            step_rad: How far the plane of the bend may turn since the last answer.
            time_ns: The frame's.
        """
        if limb.end_m is None:
            direction = vec.unit(limb.middle_m or self._limits.cone_axis)
            answer = self._solve_upper_bone(direction, self._last_twist_rad(direction, memory))
        else:
            answer = self._solve_reach(limb, limb.end_m, memory, step_rad, time_ns)
        memory.twist_rad = answer.twist_rad
        return answer

    def _solve_upper_bone(self, direction: Vec3, twist_rad: float) -> LimbSolution:
        """The first bone alone, its spin as it was."""
        direction, twist_rad = self._ball.clamp_direction(direction), self._ball.clamp_twist_rad(twist_rad)
        return LimbSolution(self._ball.compose(direction, twist_rad), 0.0, twist_rad)

    def _last_twist_rad(self, direction: Vec3, memory: LimbState) -> float:
        """The last answer's spin; before the first the one that the shortest way from rest has."""
        if memory.twist_rad is not None:
            return memory.twist_rad
        shortest = vec.shortest_arc(self._limits.bone_axis, direction, self._limits.hinge_axis)
        return self._ball.clamp_twist_rad(self._ball.decompose(shortest)[1])

    def _solve_reach(self, limb: Limb, end_m: Vec3, memory: LimbState, step_rad: float, time_ns: int) -> LimbSolution:
        bend = self._bend_rad(limb, end_m)
        reach = math.sqrt(limb.upper_m**2 + limb.lower_m**2 + 2 * limb.upper_m * limb.lower_m * math.cos(bend))
        line = vec.unit(end_m)
        if vec.norm(line) < 0.5:  # the end is on the start: any line serves
            line = self._limits.cone_axis
        lean = math.atan2(limb.lower_m * math.sin(bend), limb.upper_m + limb.lower_m * math.cos(bend))
        pole, moved = self._pole(limb, line, lean, memory, step_rad)
        direction, twist = self._swing_twist(line, pole, lean)
        if self._ball.parts_violation_rad(direction, twist) <= 0:
            return LimbSolution(self._ball.compose(direction, twist), bend, twist)

        goal_m = vec.scale(line, reach)
        middle_m = vec.scale(direction, limb.upper_m)
        drawn = self._candidate(limb, self._ball.clamp_direction(direction), goal_m, middle_m)
        swivelled = self._swivel(line, pole, lean, -1 if moved > 0 else 1)
        if swivelled is not None:
            direction, twist = swivelled
            apart = vec.norm(vec.sub(vec.scale(direction, limb.upper_m), middle_m))
            if _MIDDLE_COUNTS * apart**2 <= drawn.cost:
                return LimbSolution(self._ball.compose(direction, twist), bend, twist)
        drawn = self._descend(limb, drawn, goal_m, middle_m)
        answer = LimbSolution(self._ball.compose(drawn.direction, drawn.twist_rad), drawn.bend_rad, drawn.twist_rad)
        if _NEAR_ENOUGH_M < drawn.missed_m < _HOPELESS_M and time_ns >= memory.futile_until_ns:
            return self._solve_with_ikpy(limb, goal_m, answer, drawn.missed_m, memory, time_ns)
        return answer

    def _bend_rad(self, limb: Limb, end_m: Vec3) -> float:
        """How far the hinge bends.

        A limb that is nearly straight is the longer by nothing for being straighter: 3 % of its length decide between
        0 and 28 degrees, and no lifter is sure of 3 %. There the angle counts that the points themselves make.
        """
        upper, lower = limb.upper_m, limb.lower_m
        reach = vec.norm(end_m)
        cosine = (reach**2 - upper**2 - lower**2) / (2 * upper * lower)
        by_reach = math.acos(min(max(cosine, -1.0), 1.0))
        bend = by_reach
        if limb.middle_m is not None:
            seen = vec.angle_rad(limb.middle_m, vec.sub(end_m, limb.middle_m))
            seen = min(seen, max(_SEEN_MOST_RAD, by_reach))
            short = 1.0 - reach / (upper + lower)
            if short < 0:
                bend = seen * max(0.0, 1.0 + short / _LONG)
            else:
                bend = seen + (by_reach - seen) * vec.smoothstep(short, _SHORT, _SHORTER)
        return min(max(bend, 0.0), self._limits.hinge_rad)

    def _pole(self, limb: Limb, line: Vec3, lean: float, memory: LimbState, step_rad: float) -> tuple[Vec3, float]:
        """Which way from the line the middle lies (unit), and by what angle that is not where it was.

        The plane of a straight limb is noise: the last one stays. The turn from the last plane to the seen one never
        goes through the spins that no limb has.
        """
        before = self._last_twist_rad(line, memory)
        kept = vec.cross(line, vec.rotate(self._ball.compose(line, before), self._limits.hinge_axis))
        if limb.middle_m is None or limb.end_m is None:
            # The spin that is kept is the first bone's, which leans away from the line.
            return _rotate_pole(kept, line, before - self._swing_twist(line, kept, lean)[1]), 0.0
        out = vec.reject(limb.middle_m, line)
        seen = vec.angle_rad(limb.middle_m, vec.sub(limb.end_m, limb.middle_m))
        bent_sin = _BENT_SIN if memory.twist_rad is not None else _FIRST_BENT_SIN
        trust = vec.smoothstep(math.sin(seen), _FLAT_SIN, bent_sin) if vec.norm(out) > 1e-6 else 0.0
        if trust == 0.0:
            return kept, 0.0
        turn = math.atan2(vec.dot(out, vec.cross(line, kept)), vec.dot(out, kept))
        moved = trust * (vec.wrap_rad(before + turn) - before)
        if memory.twist_rad is not None:
            moved = min(max(moved, -step_rad), step_rad)
        return _rotate_pole(kept, line, moved), moved

    def _swing_twist(self, line: Vec3, pole: Vec3, lean: float) -> tuple[Vec3, float]:
        """Direction and spin of the first bone of a limb along the line whose middle lies out at the pole."""
        direction = vec.add_scaled(vec.scale(line, math.cos(lean)), pole, math.sin(lean))
        hinge = vec.cross(pole, line)
        none = vec.rotate(self._ball.swing(direction), self._limits.hinge_axis)
        return direction, math.atan2(vec.dot(vec.cross(none, hinge), direction), vec.dot(none, hinge))

    def _swivel(self, line: Vec3, pole: Vec3, lean: float, first_way: int) -> tuple[Vec3, float] | None:
        """Direction and spin inside the limits with the middle turned least about the line; None if there are none."""

        def at(turn: float) -> tuple[Vec3, float]:
            return self._swing_twist(line, _rotate_pole(pole, line, turn), lean)

        step = math.pi / _SWIVELS
        for i in range(1, _SWIVELS + 1):
            for way in (first_way, -first_way):
                if self._ball.parts_violation_rad(*at(way * i * step)) > 0:
                    continue
                outside, inside = way * (i - 1) * step, way * i * step
                for _ in range(4):
                    half = (outside + inside) / 2
                    if self._ball.parts_violation_rad(*at(half)) > 0:
                        outside = half
                    else:
                        inside = half
                return at(inside)
        return None

    def _candidate(self, limb: Limb, direction: Vec3, goal_m: Vec3, middle_m: Vec3) -> "_Candidate":
        """With the first bone in that direction (inside the limits): the second as near to the goal as it can go."""
        swing = self._ball.swing(direction)
        upper_m = vec.scale(direction, limb.upper_m)
        to_goal = vec.rotate(vec.inverse(swing), vec.sub(goal_m, upper_m))
        ahead = vec.dot(to_goal, self._limits.bone_axis)
        out, aside = vec.dot(to_goal, self._bend_axis), vec.dot(to_goal, self._limits.hinge_axis)
        twist = math.atan2(aside, out)
        allowed = self._ball.clamp_twist_rad(twist)
        # On the sphere around the middle: the nearest point of the half circle that the spin allows.
        within = math.hypot(out, aside) * math.cos(twist - allowed)
        bend = min(max(math.atan2(within, ahead), 0.0), self._limits.hinge_rad)
        sine = math.sin(bend)
        lower = vec.add_scaled(
            vec.scale(self._limits.bone_axis, math.cos(bend)), self._bend_axis, sine * math.cos(allowed)
        )
        lower = vec.add_scaled(lower, self._limits.hinge_axis, sine * math.sin(allowed))
        end_m = vec.add_scaled(upper_m, vec.rotate(swing, lower), limb.lower_m)
        missed = vec.norm(vec.sub(end_m, goal_m))
        apart = vec.norm(vec.sub(upper_m, middle_m))
        return _Candidate(missed**2 + _MIDDLE_COUNTS * apart**2, missed, direction, bend, allowed)

    def _descend(self, limb: Limb, best: "_Candidate", goal_m: Vec3, middle_m: Vec3) -> "_Candidate":
        """Nearer to the goal, by trying the first bone a little to each side, in ever smaller steps."""
        step = _FIRST_STEP_RAD
        while step > _LAST_STEP_RAD and best.missed_m > _NEAR_ENOUGH_M / 2:
            up = vec.unit(vec.reject(self._ball.up_axis, best.direction))
            side = vec.cross(best.direction, up)
            tries = [
                self._candidate(
                    limb,
                    self._ball.clamp_direction(vec.unit(vec.add_scaled(best.direction, way, by))),
                    goal_m,
                    middle_m,
                )
                for way in (up, side)
                for by in (step, -step)
            ]
            nearest = min(tries, key=lambda drawn: drawn.cost)
            if nearest.cost < best.cost:
                best = nearest
            else:
                step /= 2
        return best

    def _solve_with_ikpy(
        self, limb: Limb, goal_m: Vec3, start: LimbSolution, missed_m: float, memory: LimbState, time_ns: int
    ) -> LimbSolution:
        """ikpy's answer where it is nearer to the goal than the start; where it is not, it is not asked for a while."""
        self.ikpy_calls += 1
        local, bend, missed = self._chain.solve(goal_m, start.local, start.bend_rad, limb.upper_m, limb.lower_m)
        if missed > missed_m - 0.002:
            memory.futile_until_ns = time_ns + 1_000_000_000
            return start
        return LimbSolution(local, bend, self._ball.decompose(local)[1])


class _Candidate(NamedTuple):
    cost: float
    missed_m: float
    direction: Vec3
    bend_rad: float
    twist_rad: float


def _rotate_pole(pole: Vec3, line: Vec3, turn: float) -> Vec3:
    """A vector at right angles to the line, turned about it."""
    return vec.add_scaled(vec.scale(pole, math.cos(turn)), vec.cross(line, pole), math.sin(turn))
