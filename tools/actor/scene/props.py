"""Props of the room: a stool, and a ball with its path."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, FloatArray
from tools.actor.body.field import ball, chain, cone, ellipsoid, half_space, intersection, union
from tools.actor.body.looks import Rgb
from tools.actor.body.measures import Measures
from tools.actor.body.mesh import Mesh, merged, surface

_WOOD: Rgb = (0.50, 0.34, 0.21)
_CUSHION: Rgb = (0.56, 0.20, 0.22)
_BALL: Rgb = (0.90, 0.88, 0.30)

BALL_RADIUS_M = 0.055
_IN_HAND_M = np.array([-0.085, -0.014 - BALL_RADIUS_M, 0.004])  # relative to the right wrist at rest: on the palm
_GRAVITY_M_S2 = 9.81
_BOUNCE = 0.6  # share of the vertical speed


@dataclass(frozen=True)
class Stool:
    """A round stool with a cushion.

    Attributes:
        x_m, z_m: Position of its centre.
        height_m: Height of the cushion's top.
        radius_m: Radius of the seat.
    """

    x_m: float
    z_m: float
    height_m: float
    radius_m: float = 0.18


def stool_mesh(stool: Stool) -> Mesh:
    """The stool, in the world."""
    top, r = stool.height_m, stool.radius_m
    cushion = intersection(
        0.02,
        ellipsoid((0.0, top - 0.05, 0.0), (r + 0.012, 0.05, r + 0.012)),
        half_space((0.0, top - 0.042, 0.0), (0.0, -1.0, 0.0)),
    )
    board = intersection(
        0.006,
        cone((0.0, top - 0.3, 0.0), (0.0, top + 0.3, 0.0), r, r),
        half_space((0.0, top - 0.040, 0.0), (0.0, 1.0, 0.0)),
        half_space((0.0, top - 0.065, 0.0), (0.0, -1.0, 0.0)),
    )
    out = r / np.sqrt(2.0)
    legs = union(
        0.0,
        *(
            chain(((0.72 * out * sx, top - 0.06, 0.72 * out * sz), (out * sx, 0.012, out * sz)), (0.016, 0.012))
            for sx in (-1.0, 1.0)
            for sz in (-1.0, 1.0)
        ),
    )
    wood, edge = union(0.004, board, legs), r + 0.03
    meshes = []
    for field, low, high, triangles, rgb in (
        (wood, -0.01, top - 0.03, 1600, _WOOD),
        (cushion, top - 0.06, top + 0.01, 900, _CUSHION),
    ):
        points, normals, faces = surface(field, (-edge, low, -edge), (edge, high, edge), 0.005, triangles)
        points = points + np.array([stool.x_m, 0.0, stool.z_m])
        meshes.append(Mesh(points, normals, faces, np.tile(rgb, (len(points), 1))))
    return merged(meshes)


def ball_mesh() -> Mesh:
    """The ball, about the origin."""
    r = BALL_RADIUS_M + 0.006
    points, normals, faces = surface(ball((0.0, 0.0, 0.0), BALL_RADIUS_M), (-r, -r, -r), (r, r, r), 0.004, 500)
    return Mesh(points, normals, faces, np.tile(_BALL, (len(points), 1)))


def ball_path(
    picked_up: int, released: int, fps: float, body: Measures, local_xyzw: FloatArray, root_m: FloatArray
) -> Float64:
    """(T, 3) centre of the ball: on the floor until `picked_up`, in the right hand until `released`, then in flight.

    Args:
        picked_up: The frame in which the hand picks it up.
        released: The first frame of its flight.
        fps: Frame rate.
        body: The actor's measures.
        local_xyzw: (T, J, 4) the actor's local rotations.
        root_m: (T, 3) the actor's hips.
    """
    hand = HUMANOID.index["rightHand"]
    wrist = joint_positions(HUMANOID, local_xyzw, root_m, body.bone_m)[:, hand]
    out = wrist + rot.rotate(global_rotations(HUMANOID, local_xyzw)[:, hand], _IN_HAND_M)
    out[:picked_up] = out[picked_up, 0], BALL_RADIUS_M, out[picked_up, 2]
    speed = (out[released - 1] - out[released - 2]) * fps
    for frame in range(released, len(out)):
        speed[1] -= _GRAVITY_M_S2 / fps
        out[frame] = out[frame - 1] + speed / fps
        if out[frame, 1] < BALL_RADIUS_M:
            out[frame, 1] = BALL_RADIUS_M
            speed[1] *= -_BOUNCE
    return out
