"""motion.bvh: joint rotations for Blender, Maya, MotionBuilder and engine importers.

Y up, right-handed, facing +Z, centimetres, degrees; the rest pose is the T-pose with the person's own bone lengths.
Each joint's angles are intrinsic in the order of its channels, R = Rz Rx Ry. (Meredith and Maddock, "Motion Capture
File Formats Explained", 2001, section 3.2.)
"""

from pathlib import Path

import numpy as np

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.exporters.even_rate import DEFAULT_FPS, EvenRateRecorder, Sample
from realtime_pose.exporters.settled_bones import SettledBones
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.rotations import euler_zxy_deg

_CM_PER_M = 100.0
_TIME_DECIMALS = 17  # of the frame time and digits of the frame count together
_OFFSET_WIDTH = 9


class BvhRecorder(EvenRateRecorder):
    """Writes the first person to `path`, and each other one beside it as NAME_<id>.bvh; no file if nobody is seen.

    A file goes from its person's first frame to their last at a fixed rate; their last pose is held while they are out
    of view. The rest pose has the person's settled bone lengths.

    Args:
        path: The first person's file; an existing one is replaced.
        fps: Frame rate of the file; 0 means 30.

    Raises:
        ConfigError: The rate is not a positive number.
    """

    def __init__(self, path: str | Path, fps: float = DEFAULT_FPS) -> None:
        super().__init__(path, fps, _BvhText)


class _BvhText:
    """One person's file."""

    timed, holds = False, True

    def __init__(self, path: Path, pose: SkeletonPose, fps: float) -> None:
        self._skeleton, self._fps = pose.rotations.skeleton, fps
        self._order = _depth_first(self._skeleton, 0)
        self._angles: Float64 | None = None
        self._bones = SettledBones(pose.bone_m)

    def header(self, count: int) -> str:
        hierarchy = "\n".join(_hierarchy(self._skeleton, self._bones.bone_m, 0, ""))
        # the header is overwritten at the end, so its length is fixed: by decimals, as some readers refuse padding
        decimals = _TIME_DECIMALS - len(str(count))
        return f"HIERARCHY\n{hierarchy}\nMOTION\nFrames: {count}\nFrame Time: {1 / self._fps:.{decimals}f}\n"

    def line_start(self, frame: int) -> str:
        return ""

    def line_end(self, sample: Sample) -> str:
        self._bones.add(sample.bone_m)
        self._angles = euler_zxy_deg(sample.local_xyzw, self._angles)
        numbers = np.concatenate((sample.root_m * _CM_PER_M, self._angles[self._order].ravel()))
        return " ".join(f"{number:.4f}" for number in numbers) + "\n"


def _depth_first(skeleton: Skeleton, row: int) -> list[int]:
    """The rows of a joint and its descendants, parents first: the order of the file."""
    children = [child for child, parent in enumerate(skeleton.parents) if parent == row]
    return [row, *(descendant for child in children for descendant in _depth_first(skeleton, child))]


def _hierarchy(skeleton: Skeleton, bone_m: Float64, row: int, pad: str) -> list[str]:
    """The lines of a joint and its descendants."""
    root, name = row == 0, skeleton.joints[row]
    offset_cm = skeleton.rest_direction[row] * bone_m[row] * _CM_PER_M
    channels = "Zrotation Xrotation Yrotation"
    lines = [
        f"{pad}{'ROOT' if root else 'JOINT'} {name}",
        f"{pad}{{",
        # the root's position is in its channels: readers differ in whether they add its offset
        f"{pad}  OFFSET {_numbers(offset_cm)}",
        f"{pad}  CHANNELS {f'6 Xposition Yposition Zposition {channels}' if root else f'3 {channels}'}",
    ]
    children = [child for child, parent in enumerate(skeleton.parents) if parent == row]
    for child in children:
        lines += _hierarchy(skeleton, bone_m, child, pad + "  ")
    if not children:
        tip_cm = np.array(skeleton.tip_offset_m.get(name, (0.0, 0.0, 0.0))) * _CM_PER_M
        lines += [f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET {_numbers(tip_cm)}", f"{pad}  }}"]
    return [*lines, f"{pad}}}"]


def _numbers(xyz_cm: Float64) -> str:
    """Three numbers of fixed width, filled with decimals, so that the header can be overwritten at the end."""
    return " ".join(_of_width(value) for value in xyz_cm + 0.0)


def _of_width(value: float) -> str:
    """The number with as many decimals as fit, rounded."""
    texts = (f"{value:.{decimals}f}" for decimals in range(_OFFSET_WIDTH - 2, -1, -1))
    return next(text for text in texts if len(text) <= _OFFSET_WIDTH)


def open_bvh(path: Path, take: TakeInfo) -> BvhRecorder:
    """motion.bvh of a take, at the source's rate."""
    return BvhRecorder(path, take.fps)
