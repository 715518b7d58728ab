"""Figure: an actor's surface at rest with joint weights and measures, ready to be posed."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.model3d.skinning import skin, skin_matrices
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, FloatArray
from tools.actor.body.measures import FIRST, Measures
from tools.actor.body.mesh import Mesh
from tools.actor.body.weights import joint_weights


@dataclass(frozen=True, eq=False)
class Figure:
    """One actor's surface in its T-pose.

    Attributes:
        mesh: The surface.
        weights: (V, J) joint weights of the points.
        measures: The actor's measures.
    """

    mesh: Mesh
    weights: Float64
    measures: Measures

    def posed(self, local_xyzw: FloatArray, root_m: FloatArray) -> tuple[Float64, Float64]:
        """Points and normals (V, 3) in the world: local rotations (J, 4), hips (3,)."""
        matrices = skin_matrices(HUMANOID, local_xyzw, root_m, self.measures.bone_m, self.measures.rest_joints_m)
        return skin(self.mesh.points_m, self.mesh.normals, self.weights, matrices)


def figure_of(body: Mesh, measures: Measures) -> Figure:
    """The first actor's `body` stretched to other measures: about each joint, blended between joints by the weights."""
    weights = joint_weights(body.points_m)
    from_joint = body.points_m[:, None] - FIRST.rest_joints_m
    moved = measures.rest_joints_m - FIRST.rest_joints_m + (measures.surface_scale - 1.0) * from_joint
    points = body.points_m + np.einsum("vj,vjc->vc", weights, moved)
    # Normals are stretched inversely; the weights change slowly enough along the surface to be ignored.
    normals = rot.unit(body.normals / (1.0 + weights @ (measures.surface_scale - 1.0)))
    return Figure(Mesh(points, normals, body.faces, body.rgb), weights, measures)
