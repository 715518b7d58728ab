"""Analytic two-bone IK for arms and legs, inside joint limits.

The end's distance gives the bend by the law of cosines. If the solution is inside the limits, the end is exactly at its
target. If not, the middle joint swivels about the line from start to end, which leaves the end in place (the swivel
angle of Tolani, Goswami and Badler, "Real-Time Inverse Kinematics Techniques for Anthropomorphic Limbs", 2000), by the
least angle that is inside the limits. If there is none, the first bone is clamped to its limits, the second points
towards the target, and a pattern search reduces the error; what is still far off is given to ikpy.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from realtime_pose.ik.ikpy_fallback import IkpyLimb
from realtime_pose.ik.limits import LimbLimits
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

_FLAT_SIN, _BENT_SIN = 0.05, 0.50  # sine of the bend: the plane's weight rises from 0 to 1 between these
_FIRST_BENT_SIN = 0.15  # upper end of that ramp before there is a previous plane
# Share by which a limb is shorter than straight: the observed bend is used below, the bend by reach above.
_UNDERREACH_FROM, _UNDERREACH_TO = 0.01, 0.06
_MAX_OBSERVED_RAD = math.radians(28.0)  # keeps the end within 3 % of the limb's length of its target
_OVERREACH = 0.06  # share by which it is longer than straight from which the bend is 0
_MIDDLE_WEIGHT = 0.05  # of the middle joint's squared error against the end's
_SWIVEL_STEPS = 12  # per direction, up to the opposite side
_CLOSE_M, _FAR_M = 0.02, 0.15  # ikpy is used only for errors between these
_FIRST_STEP_RAD, _LAST_STEP_RAD = 0.30, 0.04  # of the pattern search
_RETRY_NS = 1_000_000_000  # pause of ikpy after it has not improved a solution


class LimbTarget(NamedTuple):
    """Targets of a limb's joints relative to its start, in the parent's space, and its bone lengths.

    Attributes:
        middle_m: Elbow or knee; None while occluded.
        end_m: Wrist or ankle; None while occluded.
        upper_m: Length of the first bone.
        lower_m: Length of the second bone.
    """

    middle_m: Vec3 | None
    end_m: Vec3 | None
    upper_m: float
    lower_m: float


class LimbSolution(NamedTuple):
    """The ball joint's local rotation, the hinge's bend, and the rotation's twist about the bone."""

    local: Quat
    bend_rad: float
    twist_rad: float


@dataclass
class LimbState:
    """State of one person's limb.

    Attributes:
        twist_rad: Twist of the last solution; None before the first.
        no_ikpy_until_ns: ikpy is not tried before, as it has not improved a solution.
    """

    twist_rad: float | None = None
    no_ikpy_until_ns: int = -1


class TwoBoneIk:
    """Solver of one limb, for all people.

    Attributes:
        ikpy_calls: Number of calls of ikpy so far.
    """

    def __init__(self, limits: LimbLimits) -> None:
        self._limits, self._ball = limits, limits.ball
        self._ikpy_limb = IkpyLimb(limits)
        self._bend_axis = vec.cross(limits.hinge_axis, limits.bone_axis)  # direction in which the second bone bends
        self.ikpy_calls = 0

    def solve(self, limb: LimbTarget, state: LimbState, max_step_rad: float, time_ns: int) -> LimbSolution:
        """Rotation and bend inside the limits.

        Args:
            limb: The targets, at least one of them visible.
            state: The person's state of this limb; updated.
            max_step_rad: Largest rotation of the bend's plane since the last solution.
            time_ns: The frame's time.
        """
        if limb.end_m is None:
            direction = vec.unit(limb.middle_m or self._limits.cone_axis)
            solution = self._solve_upper_bone(direction, self._last_twist_rad(direction, state))
        else:
            solution = self._solve_reach(limb, limb.end_m, state, max_step_rad, time_ns)
        state.twist_rad = solution.twist_rad
        return solution

    def _solve_upper_bone(self, direction: Vec3, twist_rad: float) -> LimbSolution:
        """The limb straight along a direction, for an occluded end."""
        direction, twist_rad = self._ball.clamp_direction(direction), self._ball.clamp_twist_rad(twist_rad)
        return LimbSolution(self._ball.compose(direction, twist_rad), 0.0, twist_rad)

    def _last_twist_rad(self, direction: Vec3, state: LimbState) -> float:
        """The last solution's twist; before the first, that of the shortest arc from rest."""
        if state.twist_rad is not None:
            return state.twist_rad
        shortest = vec.shortest_arc(self._limits.bone_axis, direction, self._limits.hinge_axis)
        return self._ball.clamp_twist_rad(self._ball.decompose(shortest)[1])

    def _solve_reach(
        self, limb: LimbTarget, end_m: Vec3, state: LimbState, max_step_rad: float, time_ns: int
    ) -> LimbSolution:
        bend = self._bend_rad(limb, end_m)
        reach = math.sqrt(limb.upper_m**2 + limb.lower_m**2 + 2 * limb.upper_m * limb.lower_m * math.cos(bend))
        line = vec.unit(end_m)
        if vec.norm(line) < 0.5:  # the end coincides with the start: any line will do
            line = self._limits.cone_axis
        lean = math.atan2(limb.lower_m * math.sin(bend), limb.upper_m + limb.lower_m * math.cos(bend))
        pole, moved = self._pole(limb, line, lean, state, max_step_rad)
        direction, twist = self._swing_twist(line, pole, lean)
        if self._ball.parts_violation_rad(direction, twist) <= 0:
            return LimbSolution(self._ball.compose(direction, twist), bend, twist)

        goal_m = vec.scale(line, reach)
        middle_m = vec.scale(direction, limb.upper_m)
        clamped = self._candidate(limb, self._ball.clamp_direction(direction), goal_m, middle_m)
        swivelled = self._swivel(line, pole, lean, -1 if moved > 0 else 1)
        if swivelled is not None:
            direction, twist = swivelled
            middle_off_m = vec.norm(vec.sub(vec.scale(direction, limb.upper_m), middle_m))
            if _MIDDLE_WEIGHT * middle_off_m**2 <= clamped.cost:
                return LimbSolution(self._ball.compose(direction, twist), bend, twist)
        best = self._pattern_search(limb, clamped, goal_m, middle_m)
        solution = LimbSolution(self._ball.compose(best.direction, best.twist_rad), best.bend_rad, best.twist_rad)
        if _CLOSE_M < best.end_off_m < _FAR_M and time_ns >= state.no_ikpy_until_ns:
            return self._solve_with_ikpy(limb, goal_m, solution, best.end_off_m, state, time_ns)
        return solution

    def _bend_rad(self, limb: LimbTarget, end_m: Vec3) -> float:
        """The hinge's bend.

        Near straight, the bend by the law of cosines is ill-conditioned: 3 % of the length make 28 degrees, and no
        lifter is accurate to 3 %. There the observed angle between the bones is used.
        """
        upper, lower = limb.upper_m, limb.lower_m
        reach = vec.norm(end_m)
        cosine = (reach**2 - upper**2 - lower**2) / (2 * upper * lower)
        by_reach = math.acos(min(max(cosine, -1.0), 1.0))
        bend = by_reach
        if limb.middle_m is not None:
            observed = vec.angle_rad(limb.middle_m, vec.sub(end_m, limb.middle_m))
            observed = min(observed, max(_MAX_OBSERVED_RAD, by_reach))
            short = 1.0 - reach / (upper + lower)
            if short < 0:
                bend = observed * max(0.0, 1.0 + short / _OVERREACH)
            else:
                bend = observed + (by_reach - observed) * vec.smoothstep(short, _UNDERREACH_FROM, _UNDERREACH_TO)
        return min(max(bend, 0.0), self._limits.hinge_rad)

    def _pole(
        self, limb: LimbTarget, line: Vec3, lean: float, state: LimbState, max_step_rad: float
    ) -> tuple[Vec3, float]:
        """Pole vector: unit direction from the line to the middle joint, and its angle from the last one.

        The plane of a straight limb is noise, so the last one is kept. The rotation from the last plane to the observed
        one never passes through twists that a limb cannot have.
        """
        before = self._last_twist_rad(line, state)
        kept = vec.cross(line, vec.rotate(self._ball.compose(line, before), self._limits.hinge_axis))
        if limb.middle_m is None or limb.end_m is None:
            # The twist that is kept is the first bone's, which leans away from the line.
            return _rotate_pole(kept, line, before - self._swing_twist(line, kept, lean)[1]), 0.0
        out = vec.reject(limb.middle_m, line)
        observed = vec.angle_rad(limb.middle_m, vec.sub(limb.end_m, limb.middle_m))
        bent_sin = _BENT_SIN if state.twist_rad is not None else _FIRST_BENT_SIN
        weight = vec.smoothstep(math.sin(observed), _FLAT_SIN, bent_sin) if vec.norm(out) > 1e-6 else 0.0
        if weight == 0.0:
            return kept, 0.0
        angle_rad = math.atan2(vec.dot(out, vec.cross(line, kept)), vec.dot(out, kept))
        moved = weight * (vec.wrap_rad(before + angle_rad) - before)
        if state.twist_rad is not None:
            moved = min(max(moved, -max_step_rad), max_step_rad)
        return _rotate_pole(kept, line, moved), moved

    def _swing_twist(self, line: Vec3, pole: Vec3, lean: float) -> tuple[Vec3, float]:
        """Direction and twist of the first bone, for a limb along the line with its middle joint towards the pole."""
        direction = vec.add_scaled(vec.scale(line, math.cos(lean)), pole, math.sin(lean))
        hinge = vec.cross(pole, line)
        untwisted = vec.rotate(self._ball.swing(direction), self._limits.hinge_axis)
        return direction, math.atan2(vec.dot(vec.cross(untwisted, hinge), direction), vec.dot(untwisted, hinge))

    def _swivel(self, line: Vec3, pole: Vec3, lean: float, first_way: int) -> tuple[Vec3, float] | None:
        """Direction and twist inside the limits at the least swivel of the middle about the line; None without any."""

        def at(angle_rad: float) -> tuple[Vec3, float]:
            return self._swing_twist(line, _rotate_pole(pole, line, angle_rad), lean)

        step = math.pi / _SWIVEL_STEPS
        for i in range(1, _SWIVEL_STEPS + 1):
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

    def _candidate(self, limb: LimbTarget, direction: Vec3, goal_m: Vec3, middle_m: Vec3) -> "_Candidate":
        """The second bone that brings the end closest to its goal, with the first in a direction inside the limits."""
        swing = self._ball.swing(direction)
        upper_m = vec.scale(direction, limb.upper_m)
        to_goal = vec.rotate(vec.inverse(swing), vec.sub(goal_m, upper_m))
        ahead = vec.dot(to_goal, self._limits.bone_axis)
        out, side = vec.dot(to_goal, self._bend_axis), vec.dot(to_goal, self._limits.hinge_axis)
        twist = math.atan2(side, out)
        allowed = self._ball.clamp_twist_rad(twist)
        # On the sphere around the middle joint: the closest point of the half circle of the allowed twist.
        within = math.hypot(out, side) * math.cos(twist - allowed)
        bend = min(max(math.atan2(within, ahead), 0.0), self._limits.hinge_rad)
        sine = math.sin(bend)
        lower = vec.add_scaled(
            vec.scale(self._limits.bone_axis, math.cos(bend)), self._bend_axis, sine * math.cos(allowed)
        )
        lower = vec.add_scaled(lower, self._limits.hinge_axis, sine * math.sin(allowed))
        end_m = vec.add_scaled(upper_m, vec.rotate(swing, lower), limb.lower_m)
        end_off_m = vec.norm(vec.sub(end_m, goal_m))
        middle_off_m = vec.norm(vec.sub(upper_m, middle_m))
        return _Candidate(end_off_m**2 + _MIDDLE_WEIGHT * middle_off_m**2, end_off_m, direction, bend, allowed)

    def _pattern_search(self, limb: LimbTarget, best: "_Candidate", goal_m: Vec3, middle_m: Vec3) -> "_Candidate":
        """A candidate of lower cost: tries the first bone's direction to four sides, in halving steps."""
        step = _FIRST_STEP_RAD
        while step > _LAST_STEP_RAD and best.end_off_m > _CLOSE_M / 2:
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
            lowest = min(tries, key=lambda candidate: candidate.cost)
            if lowest.cost < best.cost:
                best = lowest
            else:
                step /= 2
        return best

    def _solve_with_ikpy(
        self, limb: LimbTarget, goal_m: Vec3, start: LimbSolution, start_off_m: float, state: LimbState, time_ns: int
    ) -> LimbSolution:
        """ikpy's solution if it is closer to the goal than the start by 2 mm; else the start, and ikpy pauses."""
        self.ikpy_calls += 1
        local, bend, off_m = self._ikpy_limb.solve(goal_m, start.local, start.bend_rad, limb.upper_m, limb.lower_m)
        if off_m > start_off_m - 0.002:
            state.no_ikpy_until_ns = time_ns + _RETRY_NS
            return start
        return LimbSolution(local, bend, self._ball.decompose(local)[1])


class _Candidate(NamedTuple):
    """A solution inside the limits, with its cost in m^2 and the end's distance from its goal."""

    cost: float
    end_off_m: float
    direction: Vec3
    bend_rad: float
    twist_rad: float


def _rotate_pole(pole: Vec3, line: Vec3, angle_rad: float) -> Vec3:
    """A vector perpendicular to a unit line, rotated about it."""
    return vec.add_scaled(vec.scale(pole, math.cos(angle_rad)), vec.cross(line, pole), math.sin(angle_rad))
