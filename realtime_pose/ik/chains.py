"""Limbs as ikpy chains: the reachable answer inside the joint limits, where the analytic one breaks them."""

import numpy as np

from realtime_pose.ik.limits import LimbLimits
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_BUDGET = 5  # evaluations: 4.8 ms and 4 mm at the median over what tennis and walking clips asked (measured)
_NEAR_ENOUGH_M = 0.02  # a limb's end this close to its place is not worth a search
_TOLERANCE = 1e-3
_SIDEWAYS_LIMIT_RAD = np.radians(80.0)  # the second of three turns must stay away from 90 degrees, where it locks


class LimbChain:
    """A ball joint as three turns about the limb's own axes, bone, hinge, bone; zero points along the cone's middle."""

    def __init__(self, limits: LimbLimits, upper_m: float, lower_m: float) -> None:
        # Here, not at the top: ikpy brings scipy.optimize, and reading the tables should not.
        from ikpy.chain import Chain
        from ikpy.link import OriginLink, URDFLink
        from scipy.spatial.transform import Rotation

        self._limits, self._upper_m, self._lower_m = limits, upper_m, lower_m
        self._zero = rot.shortest_arc(limits.bone_axis, limits.cone_axis)
        bone, hinge = limits.bone_axis, limits.hinge_axis
        side = np.cross(bone, hinge)
        still, no_turn = np.zeros(3), np.zeros(3)
        sideways = min(limits.cone_rad, _SIDEWAYS_LIMIT_RAD)
        first_rpy = Rotation.from_quat(self._zero).as_euler("xyz")

        def turn(name: str, at: Float64, rpy: Float64, axis: Float64, low: float, high: float) -> object:
            return URDFLink(name, at, rpy, rotation=axis, bounds=(low, high), use_symbolic_matrix=False)

        self._chain = Chain(
            [
                OriginLink(),
                turn("forward", still, first_rpy, hinge, -limits.cone_rad, limits.cone_rad),
                turn("sideways", still, no_turn, side, -sideways, sideways),
                turn("twist", still, no_turn, bone, -limits.twist_rad, limits.twist_rad),
                turn("hinge", bone * upper_m, no_turn, hinge, 0.0, limits.hinge_rad),
                URDFLink("end", bone * lower_m, no_turn, rotation=None, joint_type="fixed"),
            ],
            active_links_mask=[False, True, True, True, True, False],
        )
        self._bounds = np.array([link.bounds for link in self._chain.links[1:5]])
        self._rotation = Rotation
        self._axes = np.column_stack((hinge, side, bone))  # right-handed: hinge x side = bone

    def end_m(self, local_xyzw: Float64, hinge_rad: float) -> Float64:
        """Where the limb's end is (3,), from the ball joint, in its parent's space."""
        hinge = rot.from_axis_angle(self._limits.hinge_axis, np.array(hinge_rad))
        lower = rot.rotate(hinge, self._limits.bone_axis * self._lower_m)
        return rot.rotate(local_xyzw, self._limits.bone_axis * self._upper_m + lower)

    def solve(self, end_m: Float64, start_local_xyzw: Float64, start_hinge_rad: float) -> tuple[Float64, float]:
        """The ball joint's local rotation (4,) and the hinge's bend in rad that bring the limb's end near to `end_m`.

        The start is drawn inside the limits; turning the whole limb back to its place is often all that is then needed,
        and where it is not, ikpy searches from there.

        Args:
            end_m: (3,) wanted place of the end relative to the ball joint, in the parent's space.
            start_local_xyzw: (4,) where to begin: the analytic answer; it need not be inside the limits.
            start_hinge_rad: Likewise.
        """

        def missed_m(local_xyzw: Float64) -> float:
            return float(np.linalg.norm(self.end_m(local_xyzw, hinge) - end_m))

        drawn, hinge = self._limits.clamped(start_local_xyzw, start_hinge_rad)
        turned = rot.multiply(rot.shortest_arc(self.end_m(drawn, hinge), end_m), drawn)
        nearer = min((drawn, self._limits.clamped(turned, hinge)[0]), key=missed_m)
        return (nearer, hinge) if missed_m(nearer) < _NEAR_ENOUGH_M else self._search(end_m, nearer, hinge)

    def _search(self, end_m: Float64, local_xyzw: Float64, hinge_rad: float) -> tuple[Float64, float]:
        """ikpy's answer from a start inside the limits."""
        from_zero = rot.multiply(rot.inverse(self._zero), local_xyzw)
        in_axes = self._axes.T @ rot.to_matrix(from_zero) @ self._axes
        angles = self._rotation.from_matrix(in_axes).as_euler("XYZ")
        start = np.clip([*angles, hinge_rad], self._bounds[:, 0], self._bounds[:, 1])
        answer = self._chain.inverse_kinematics(
            end_m, initial_position=[0.0, *start, 0.0], optimizer_budget=_BUDGET, tol=_TOLERANCE
        )
        forward, sideways, twist, hinge = answer[1:5]
        axes = (self._limits.hinge_axis, self._axes[:, 1], self._limits.bone_axis)
        local = self._zero
        for axis, angle in zip(axes, (forward, sideways, twist), strict=True):
            local = rot.multiply(local, rot.from_axis_angle(axis, np.array(angle)))
        return self._limits.clamped(local, float(hinge))
