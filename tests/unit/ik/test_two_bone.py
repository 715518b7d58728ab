import math
from itertools import pairwise

import numpy as np
import pytest

from realtime_pose.ik import two_bone as two_bones
from realtime_pose.ik.limits import LIMB_LIMITS
from realtime_pose.ik.two_bone import LimbState, LimbTarget, TwoBoneIk
from realtime_pose.utils import vec3 as vec

UPPER_M, LOWER_M = 0.42, 0.41
FREELY = math.pi
FRAME_NS = 33_333_333


def limb_of(limits, local, bend_rad):
    """Targets from a limb's rotation and bend."""
    middle = vec.rotate(local, vec.scale(limits.bone_axis, UPPER_M))
    lower = vec.rotate(limits.hinge.compose(bend_rad), vec.scale(limits.bone_axis, LOWER_M))
    return LimbTarget(middle, vec.add(middle, vec.rotate(local, lower)), UPPER_M, LOWER_M)


def places(limits, answer):
    limb = limb_of(limits, answer.local, answer.bend_rad)
    return limb.middle_m, limb.end_m


def solve(limits, limb, state=None, max_step_rad=FREELY, time_ns=0):
    return TwoBoneIk(limits).solve(limb, state or LimbState(), max_step_rad, time_ns)


def drawn(limits, rng):
    """A random rotation and a well visible bend inside the limits."""
    direction = vec.unit(tuple((np.array(limits.cone_axis) + 0.5 * rng.normal(size=3)).tolist()))
    twist = rng.uniform(-0.8, 0.8) * limits.twist_rad
    return limits.clamp(limits.ball.compose(direction, twist), rng.uniform(0.6, 2.2))


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_targets_inside_the_limits_are_met_exactly(joint):
    limits = LIMB_LIMITS[joint]
    rng = np.random.default_rng(0)
    for _ in range(40):
        local, bend = drawn(limits, rng)
        answer = solve(limits, limb_of(limits, local, bend))
        assert vec.angle_between_rad(answer.local, local) < 1e-5
        assert answer.bend_rad == pytest.approx(bend, abs=1e-5)


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_too_large_a_twist_is_resolved_by_a_swivel(joint):
    """The end stays at its target, the middle moves as little as possible, and ikpy is not called."""
    limits = LIMB_LIMITS[joint]
    solver, rng = TwoBoneIk(limits), np.random.default_rng(1)
    reached = 0
    for _ in range(30):
        direction = drawn(limits, rng)[0]
        twisted = limits.ball.compose(limits.ball.decompose(direction)[0], limits.twist_rad + rng.uniform(0.05, 0.6))
        limb = limb_of(limits, twisted, 1.0)
        ikpy_calls = solver.ikpy_calls
        answer = solver.solve(limb, LimbState(), FREELY, 0)
        assert limits.violation_rad(answer.local, answer.bend_rad) < 1e-6
        middle, end = places(limits, answer)
        if vec.norm(vec.sub(end, limb.end_m)) < 1e-6:
            reached += 1
            assert vec.norm(vec.sub(middle, limb.middle_m)) < 0.3
            assert solver.ikpy_calls == ikpy_calls
    assert reached > 15


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_an_unreachable_target_is_approached_inside_the_limits(joint):
    limits = LIMB_LIMITS[joint]
    solver, rng = TwoBoneIk(limits), np.random.default_rng(2)
    for _ in range(60):
        middle, end = (tuple(0.5 * rng.normal(size=3)) for _ in range(2))
        limb = LimbTarget(middle, end, UPPER_M, LOWER_M)
        answer = solver.solve(limb, LimbState(), FREELY, 0)
        assert limits.violation_rad(answer.local, answer.bend_rad) < 1e-6
        # No allowed rotation near the solution brings the end much closer.
        reach = min(vec.norm(end), UPPER_M + LOWER_M)
        goal = vec.scale(vec.unit(end), reach)
        missed = vec.norm(vec.sub(places(limits, answer)[1], goal))
        for _ in range(20):
            turned = vec.multiply(answer.local, vec.from_axis_angle(vec.unit(tuple(rng.normal(size=3))), 0.2))
            other, bend = limits.clamp(turned, answer.bend_rad + 0.2 * rng.normal())
            moved = vec.norm(vec.sub(limb_of(limits, other, bend).end_m, goal))
            assert moved > missed - 0.06


def test_a_straight_limb_keeps_its_plane_under_noise():
    limits = LIMB_LIMITS["leftUpperLeg"]
    solver, state, rng = TwoBoneIk(limits), LimbState(), np.random.default_rng(3)
    bent = limb_of(limits, limits.ball.compose((0.0, -1.0, 0.0), 0.4), 1.0)
    before = solver.solve(bent, state, FREELY, 0).twist_rad
    for i in range(1, 60):
        middle = (*(0.006 * rng.normal(size=2)).tolist(), 0.0)
        straight = LimbTarget((middle[0], -UPPER_M, middle[1]), (0.0, -UPPER_M - LOWER_M, 0.0), UPPER_M, LOWER_M)
        answer = solver.solve(straight, state, 0.7, i * FRAME_NS)
        assert answer.bend_rad < 0.1
    assert abs(answer.twist_rad - before) < 0.25


def test_a_limb_slightly_shorter_than_straight_bends_little():
    """3 % of its length would be 28 degrees by the law of cosines."""
    limits = LIMB_LIMITS["leftUpperLeg"]
    for short, most_deg in ((0.005, 1), (0.01, 1), (0.03, 12), (0.10, 53)):
        end = (0.0, -(UPPER_M + LOWER_M) * (1 - short), 0.0)
        answer = solve(limits, LimbTarget(vec.scale(end, 0.5), end, UPPER_M, LOWER_M))
        assert math.degrees(answer.bend_rad) < most_deg
    assert math.degrees(answer.bend_rad) > 50  # a real bend is not lost
    too_long = LimbTarget((0.0, -0.44, 0.05), (0.0, -0.88, 0.0), UPPER_M, LOWER_M)
    assert solve(limits, too_long).bend_rad == pytest.approx(0.0, abs=0.1)


def test_a_knee_never_bends_forwards_nor_an_elbow_backwards():
    for joint in LIMB_LIMITS:
        limits = LIMB_LIMITS[joint]
        down = (0.0, -1.0, 0.0) if "Leg" in joint else limits.bone_axis
        wrong_way = vec.cross(limits.hinge_axis, limits.bone_axis)  # the middle of a limb bent the other way lies there
        limb = LimbTarget(
            vec.add_scaled(vec.scale(down, 0.35), wrong_way, 0.22), vec.scale(down, 0.70), UPPER_M, LOWER_M
        )
        answer = solve(limits, limb)
        assert 0 <= answer.bend_rad <= limits.hinge_rad
        middle, end = places(limits, answer)
        assert vec.dot(middle, wrong_way) < 0.1
        assert vec.norm(vec.sub(end, limb.end_m)) < 0.13


def test_the_planes_speed_is_limited():
    limits = LIMB_LIMITS["rightUpperArm"]
    solver, state = TwoBoneIk(limits), LimbState()
    start = limb_of(limits, limits.ball.compose(limits.cone_axis, -1.0), 1.2)
    goal = limb_of(limits, limits.ball.compose(limits.cone_axis, 1.0), 1.2)
    before = solver.solve(start, state, 0.3, 0)
    twists = [before.twist_rad]
    twists += [solver.solve(goal, state, 0.3, i * FRAME_NS).twist_rad for i in range(1, 12)]
    assert max(abs(b - a) for a, b in pairwise(twists)) < 0.6
    assert twists[-1] == pytest.approx(1.0, abs=0.01)


def test_ikpy_is_tried_last_and_then_pauses_for_a_second(monkeypatch):
    monkeypatch.setattr(two_bones, "_LAST_STEP_RAD", 1.0)  # no pattern search
    limits = LIMB_LIMITS["leftUpperLeg"]
    solver, state = TwoBoneIk(limits), LimbState()
    monkeypatch.setattr(
        solver._ikpy_limb, "solve", lambda *given: (vec.IDENTITY_XYZW, 0.0, 9.0)
    )  # finds nothing better
    behind = LimbTarget((0.0, -0.28, -0.31), (0.05, -0.52, -0.62), UPPER_M, LOWER_M)
    assert limits.violation_rad(solver.solve(behind, state, FREELY, 0).local, 0.0) < 1e-6
    assert solver.ikpy_calls == 1
    for i in range(29):
        solver.solve(behind, state, FREELY, i * FRAME_NS)
    assert solver.ikpy_calls == 1
    solver.solve(behind, state, FREELY, 1_100_000_000)
    assert solver.ikpy_calls == 2


def test_ikpys_solution_is_used_where_it_is_closer(monkeypatch):
    monkeypatch.setattr(two_bones, "_LAST_STEP_RAD", 1.0)
    limits = LIMB_LIMITS["leftUpperLeg"]
    solver = TwoBoneIk(limits)
    nearer = limits.swing((0.0, -1.0, 0.0))
    monkeypatch.setattr(solver._ikpy_limb, "solve", lambda *given: (nearer, 0.1, 0.001))
    answer = solver.solve(
        LimbTarget((0.0, -0.28, -0.31), (0.05, -0.52, -0.62), UPPER_M, LOWER_M), LimbState(), FREELY, 0
    )
    assert (answer.local, answer.bend_rad) == (nearer, 0.1)


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_one_point_is_enough(joint):
    limits = LIMB_LIMITS[joint]
    local, bend = limits.clamp(limits.ball.compose(limits.cone_axis, 0.3), 1.1)
    limb = limb_of(limits, local, bend)
    state = LimbState()
    solve(limits, limb, state)
    end_only = solve(limits, limb._replace(middle_m=None), state)
    assert vec.norm(vec.sub(places(limits, end_only)[1], limb.end_m)) < 1e-6
    middle_only = solve(limits, limb._replace(end_m=None), state)
    assert vec.norm(vec.sub(places(limits, middle_only)[0], limb.middle_m)) < 1e-6
    assert middle_only.bend_rad == 0.0


def test_points_that_coincide_do_no_harm():
    for limits in LIMB_LIMITS.values():
        for middle, end in ((vec.ZERO, vec.ZERO), ((0.0, -0.4, 0.0), vec.ZERO), (vec.ZERO, (0.0, -0.5, 0.1))):
            answer = solve(limits, LimbTarget(middle, end, UPPER_M, LOWER_M))
            assert limits.violation_rad(answer.local, answer.bend_rad) < 1e-6
