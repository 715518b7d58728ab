"""Distance fields, and meshes made from them."""

import numpy as np
import pytest

from realtime_pose.skeletons import HUMANOID
from tools.actor.body.body import parts
from tools.actor.body.field import ball, block, both_sides, cone, difference, half_space, intersection, normals, union
from tools.actor.body.figure import figure_of
from tools.actor.body.looks import FIRST_LOOK, SECOND_LOOK
from tools.actor.body.measures import FIRST, SECOND
from tools.actor.body.mesh import Mesh, surface

SOMEWHERE = np.random.default_rng(5).uniform(-1.0, 1.0, (500, 3))


def test_distance_fields_of_a_ball_and_a_cone():
    np.testing.assert_allclose(ball((0, 0, 0), 0.5)(SOMEWHERE), np.linalg.norm(SOMEWHERE, axis=1) - 0.5)
    assert cone((0, 0, 0), (0, 1, 0), 0.2, 0.1)(np.array([[0.5, 0.5, 0.0]])) == pytest.approx(0.35)


def test_a_box_has_faces_edges_and_an_inside():
    box = block((0, 0, 0), (0.5, 0.4, 0.3), 0.05)
    at = np.array([[0.7, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, -0.4, 0.0]])
    np.testing.assert_allclose(box(at), [0.2, -0.3, 0.0], atol=1e-12)


def test_joining_adds_and_cutting_takes_away():
    left, right = ball((-0.2, 0, 0), 0.3), ball((0.2, 0, 0), 0.3)
    assert (union(0.1, left, right)(SOMEWHERE) <= np.minimum(left(SOMEWHERE), right(SOMEWHERE)) + 1e-12).all()
    assert (intersection(0.1, left, right)(SOMEWHERE) >= np.maximum(left(SOMEWHERE), right(SOMEWHERE)) - 1e-12).all()
    inside = difference(left, right, 0.0)(SOMEWHERE) < 0
    np.testing.assert_array_equal(inside, (left(SOMEWHERE) < 0) & (right(SOMEWHERE) > 0))
    above = half_space((0, 0.1, 0), (0, 1, 0))
    np.testing.assert_allclose(above(SOMEWHERE), SOMEWHERE[:, 1] - 0.1)


def test_both_sides_are_alike():
    pair = both_sides(cone((0.1, 0, 0), (0.6, 0.4, 0.1), 0.1, 0.05), 0.02)
    np.testing.assert_allclose(pair(SOMEWHERE), pair(SOMEWHERE * [-1, 1, 1]), atol=1e-12)


def test_normals_point_away_from_the_inside():
    np.testing.assert_allclose(
        normals(ball((0, 0, 0), 0.5), SOMEWHERE), SOMEWHERE / np.linalg.norm(SOMEWHERE, axis=1)[:, None], atol=1e-4
    )


def test_a_balls_mesh_is_light_round_and_turned_outward():
    pytest.importorskip("skimage", reason="pip install -e .[actor]")
    pytest.importorskip("fast_simplification", reason="pip install -e .[actor]")
    points, around, faces = surface(ball((1.0, 2.0, 3.0), 0.1), (0.85, 1.85, 2.85), (1.15, 2.15, 3.15), 0.01, 400)
    assert 200 < len(faces) <= 420
    np.testing.assert_allclose(np.linalg.norm(points - [1.0, 2.0, 3.0], axis=1), 0.1, atol=1e-5)
    corners = points[faces]
    outward = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(outward * around[faces].mean(axis=1), axis=1) > 0).all()


@pytest.mark.parametrize("look", [FIRST_LOOK, SECOND_LOOK], ids=["first", "second"])
def test_every_part_of_the_body_lies_inside_its_box(look):
    for name, part in parts(look).items():
        low, high = np.array(part.low), np.array(part.high)
        edge = np.random.default_rng(6).uniform(low, high, (4000, 3))
        side = np.arange(4000) % 3
        edge[np.arange(4000), side] = np.where(np.arange(4000) % 2, low[side], high[side])
        assert part.field(edge).min() > 0.0, name
        assert part.field(np.random.default_rng(7).uniform(low, high, (60_000, 3))).min() < 0.0, name


def around(joint: str, offset: tuple[float, float, float]) -> Mesh:
    """A point of the first actor's surface beside a joint."""
    at = FIRST.rest_joint(joint) + np.array(offset)
    return Mesh(at[None], np.array([[0.6, 0.0, 0.8]]), np.zeros((0, 3), np.int64), np.zeros((1, 3)))


def test_the_first_figure_is_the_body_as_it_was_drawn():
    points = np.random.default_rng(8).uniform([-0.9, 0.0, -0.1], [0.9, 1.76, 0.1], (500, 3))
    body = Mesh(points, normals(ball((0, 1, 0), 0.1), points), np.zeros((0, 3), np.int64), np.zeros((500, 3)))
    figure = figure_of(body, FIRST)
    np.testing.assert_array_equal(figure.mesh.points_m, points)
    np.testing.assert_allclose(figure.mesh.normals, body.normals, atol=1e-12)


@pytest.mark.parametrize(
    ("joint", "offset"),
    [("head", (0.03, 0.10, 0.08)), ("leftHand", (0.10, 0.01, 0.02)), ("rightFoot", (0.01, -0.05, 0.15))],
)
def test_the_second_figures_surface_goes_with_its_joints(joint, offset):
    figure = figure_of(around(joint, offset), SECOND)
    scale = SECOND.surface_scale[HUMANOID.index[joint]]
    np.testing.assert_allclose(figure.mesh.points_m[0], SECOND.rest_joint(joint) + offset * scale, atol=1e-9)
    np.testing.assert_allclose(
        figure.mesh.normals[0], np.array([0.6, 0.0, 0.8]) / scale / np.linalg.norm([0.6, 0.0, 0.8] / scale)
    )


def test_the_second_actor_is_as_high_as_its_measures():
    crown = figure_of(around("head", (0.0, FIRST.height_m - FIRST.rest_joint("head")[1], 0.0)), SECOND)
    assert crown.mesh.points_m[0, 1] == pytest.approx(SECOND.height_m, abs=0.005)
    sole = figure_of(around("leftFoot", (0.0, -FIRST.ankle_height_m, 0.05)), SECOND)
    assert sole.mesh.points_m[0, 1] == pytest.approx(0.0, abs=1e-9)
