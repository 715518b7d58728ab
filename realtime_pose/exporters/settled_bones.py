"""Which bone lengths a file gets that can have only one set of them."""

import numpy as np
import numpy.typing as npt

from realtime_pose.utils.arrays import Float64


class SettledBones:
    """The lengths that stood longest without a change, of equals the latest: a person's bones stay once they are known.

    In a take's first seconds they may still be learnt, and who was gone for long has theirs learnt anew.

    Args:
        bone_m: What to answer until the first frame.
    """

    def __init__(self, bone_m: npt.ArrayLike) -> None:
        self.bone_m: Float64 = np.asarray(bone_m, dtype=np.float64)
        self._now, self._stands, self._longest = self.bone_m, 0, 0

    def add(self, bone_m: npt.ArrayLike) -> None:
        """Take the lengths of one more frame."""
        now = np.asarray(bone_m, dtype=np.float64)
        self._stands = self._stands + 1 if np.array_equal(now, self._now) else 1
        self._now = now
        if self._stands >= self._longest:
            self._longest, self.bone_m = self._stands, now
