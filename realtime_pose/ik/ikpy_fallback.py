"""ikpy fallback for limbs whose analytic solution breaks a limit and which local descent does not fix."""

import importlib.util
import sys
from typing import TYPE_CHECKING

import numpy as np

from realtime_pose.ik.limits import LimbLimits
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.vec3 import Quat, Vec3

if TYPE_CHECKING:
    from ikpy.chain import Chain

_BUDGET = 5  # evaluations, 4.8 ms: more gain less than a millimetre (measured)
_TOLERANCE = 1e-3
_SIDEWAYS_LIMIT_RAD = np.radians(80.0)  # of the second of three rotations: 90 degrees is gimbal lock


def _skip_ikpys_init() -> None:
    """Make ikpy's modules importable without its `__init__`, which sends a usage report from a thread (ikpy 4.2.1)."""
    if "ikpy" not in sys.modules and (spec := importlib.util.find_spec("ikpy")) is not None:
        sys.modules["ikpy"] = importlib.util.module_from_spec(spec)


class IkpyLimb:
    """A limb as an ikpy chain: three rotations about the limb's hinge, side and bone axes, then the hinge.

    The angles are 0 where the first bone lies on the axis of its cone.
    """

    def __init__(self, limits: LimbLimits) -> None:
        self._limits = limits
        self._zero = limits.swing(limits.cone_axis)
        bone, hinge = np.array(limits.bone_axis), np.array(limits.hinge_axis)
        self._axes = np.column_stack((hinge, np.cross(bone, hinge), bone))  # right-handed: hinge x side = bone
        forward, sideways = (self._range_rad(axis) for axis in self._axes.T[:2].tolist())
        sideways = (max(sideways[0], -_SIDEWAYS_LIMIT_RAD), min(sideways[1], _SIDEWAYS_LIMIT_RAD))
        self._bounds = [forward, sideways, (-limits.twist_rad, limits.twist_rad), (0.0, limits.hinge_rad)]
        self._chain = self._make_chain()

    def _range_rad(self, axis: Vec3) -> tuple[float, float]:
        """The bone's range about one of the limb's axes, from the cone's axis."""
        directions = [
            vec.rotate(vec.multiply(self._zero, vec.from_axis_angle(axis, angle)), self._limits.bone_axis)
            for angle in (-0.1, 0.1)
        ]
        low, high = (self._limits.ball.edge_rad(direction) for direction in directions)
        return -low, high

    def end_m(self, local: Quat, hinge_rad: float, upper_m: float, lower_m: float) -> Vec3:
        """Position of the limb's end relative to the ball joint, in the parent's space."""
        bone = self._limits.bone_axis
        lower = vec.rotate(self._limits.hinge.compose(hinge_rad), vec.scale(bone, lower_m))
        return vec.rotate(local, vec.add_scaled(lower, bone, upper_m))

    def solve(
        self, end_m: Vec3, start_local: Quat, start_hinge_rad: float, upper_m: float, lower_m: float
    ) -> tuple[Quat, float, float]:
        """ikpy's solution: rotation and bend inside the limits, and the end's distance from its target in metres.

        Args:
            end_m: Target of the end relative to the ball joint, in the parent's space.
            start_local: Initial rotation.
            start_hinge_rad: Initial bend.
            upper_m: Length of the bone above the hinge.
            lower_m: Length of the bone below it.
        """
        from scipy.spatial.transform import Rotation

        chain = self._with_lengths(upper_m, lower_m)
        from_zero = vec.multiply(vec.inverse(self._zero), start_local)
        in_axes = self._axes.T @ rot.to_matrix(from_zero) @ self._axes
        angles = [*Rotation.from_matrix(in_axes).as_euler("XYZ"), start_hinge_rad]
        low, high = np.array(self._bounds).T
        solution: Float64 = chain.inverse_kinematics(
            np.array(end_m),
            initial_position=[0.0, *np.clip(angles, low, high), 0.0],
            optimizer_budget=_BUDGET,
            tol=_TOLERANCE,
        )
        local = self._zero
        for axis, angle in zip(self._axes.T, solution[1:4], strict=True):
            local = vec.multiply(
                local, vec.from_axis_angle((float(axis[0]), float(axis[1]), float(axis[2])), float(angle))
            )
        found, hinge_rad = self._limits.clamp(local, float(solution[4]))
        missed_m = vec.norm(vec.sub(self.end_m(found, hinge_rad, upper_m, lower_m), end_m))
        return found, hinge_rad, missed_m

    def _with_lengths(self, upper_m: float, lower_m: float) -> "Chain":
        """The chain with those bone lengths, which differ between people and change while they are learnt."""
        bone = np.array(self._limits.bone_axis)
        self._chain.links[4].origin_translation = bone * upper_m
        self._chain.links[5].origin_translation = bone * lower_m
        return self._chain

    def _make_chain(self) -> "Chain":
        # Imported lazily: ikpy imports scipy.optimize.
        _skip_ikpys_init()
        from ikpy.chain import Chain
        from ikpy.link import OriginLink, URDFLink

        if getattr(sys.modules.get("ikpy"), "__version__", None) is None:
            sys.modules.pop("ikpy", None)  # whoever else imports ikpy gets all of it
        from scipy.spatial.transform import Rotation

        zero = np.zeros(3)
        first_rpy = Rotation.from_quat(self._zero).as_euler("xyz")
        links = [
            URDFLink(
                name,
                zero,
                first_rpy if name == "forward" else zero,
                axis,
                None,
                bounds,
                use_symbolic_matrix=False,
            )
            for name, axis, bounds in zip(
                ("forward", "sideways", "twist", "hinge"), [*self._axes.T, self._axes[:, 0]], self._bounds, strict=True
            )
        ]
        end = URDFLink("end", zero, zero, use_symbolic_matrix=False, joint_type="fixed")
        return Chain([OriginLink(), *links, end], active_links_mask=[False, True, True, True, True, False])
