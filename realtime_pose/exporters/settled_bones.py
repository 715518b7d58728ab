"""Settled bone lengths: one set per person, for files that can hold only one."""

import numpy as np
import numpy.typing as npt

from realtime_pose.utils.arrays import Float64


class SettledBones:
    """The bone lengths that stayed unchanged for the most frames; of equals the latest.

    Lengths are constant once estimated. In the first seconds of a take they may still change, and they are estimated
    again for a person who was out of view for long.

    Args:
        bone_m: The lengths before the first frame.
    """

    def __init__(self, bone_m: npt.ArrayLike) -> None:
        self.bone_m: Float64 = np.asarray(bone_m, dtype=np.float64)
        self._latest, self._unchanged, self._longest = self.bone_m, 0, 0

    def add(self, bone_m: npt.ArrayLike) -> None:
        """Add the lengths of one more frame."""
        latest = np.asarray(bone_m, dtype=np.float64)
        self._unchanged = self._unchanged + 1 if np.array_equal(latest, self._latest) else 1
        self._latest = latest
        if self._unchanged >= self._longest:
            self._longest, self.bone_m = self._unchanged, latest
