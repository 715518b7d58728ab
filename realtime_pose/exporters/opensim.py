"""markers.trc and angles.mot: a person's motion for OpenSim.

OpenSim's axes: X towards the camera, Y up, Z to the right of a person who faces the camera; metres, degrees, seconds
from the start of the take. A file goes from the person's first frame to their last.

Frames without the person have no line in markers.trc: with NaN, OpenSim's ScaleTool neither measures nor places
markers, and its other reader refuses rows that end with empty cells.

Sources: OpenSim documentation, "Marker (.trc) Files" and "Motion (.mot) Files".
"""

from pathlib import Path

import numpy as np

from realtime_pose.axes import OPENSIM
from realtime_pose.body.joint_angles import ANGLES, BodyAngles
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.exporters.even_rate import EvenRateRecorder, Sample
from realtime_pose.exporters.person_files import check_humanoid
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.kinematics import joint_positions

_COUNT_WIDTH = 10
_MODEL_LACKS = ("neck_extension", "neck_bending", "neck_rotation")  # the full-body model has no neck joint
_MOT_ROWS = [row for row, name in enumerate(ANGLES) if name not in _MODEL_LACKS]
_MOT_COLUMNS = [ANGLES[row] for row in _MOT_ROWS]


class _TrcText:
    """Joints as markers with the joints' names."""

    timed, holds = True, False

    def __init__(self, path: Path, pose: SkeletonPose, fps: float) -> None:
        self._name, self._skeleton, self._fps = path.name, pose.rotations.skeleton, fps

    def header(self, count: int) -> str:
        joints, rate = self._skeleton.joints, f"{self._fps:.6g}"
        number = f"{count:0{_COUNT_WIDTH}}"
        columns = "\t\t\t".join(joints)
        axes = "\t".join(f"{axis}{i}" for i in range(1, len(joints) + 1) for axis in "XYZ")
        return (
            f"PathFileType\t4\t(X/Y/Z)\t{self._name}\n"
            "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
            f"{rate}\t{rate}\t{number}\t{len(joints)}\tm\t{rate}\t1\t{number}\n"
            f"Frame#\tTime\t{columns}\t\t\n"
            f"\t\t{axes}\n\n"
        )

    def line_start(self, frame: int) -> str:
        return f"{frame + 1}\t{frame / self._fps:.6f}\t"

    def line_end(self, sample: Sample) -> str:
        if not sample.seen:
            return ""
        joints_m = joint_positions(self._skeleton, sample.local_xyzw, sample.root_m, sample.bone_m)
        return "\t".join(f"{value:.5f}" for value in OPENSIM.positions(joints_m).ravel()) + "\n"


class _MotText:
    """Joint angles and pelvis position, with the names of OpenSim's full-body model."""

    timed, holds = True, True

    def __init__(self, path: Path, pose: SkeletonPose, fps: float) -> None:
        check_humanoid(pose)
        self._name, self._fps = path.stem, fps
        self._angles = BodyAngles()

    def header(self, count: int) -> str:
        columns = ["time", *_MOT_COLUMNS[:3], "pelvis_tx", "pelvis_ty", "pelvis_tz", *_MOT_COLUMNS[3:]]
        return (
            f"{self._name}\nversion=1\nnRows={count:0{_COUNT_WIDTH}}\nnColumns={len(columns)}\ninDegrees=yes\n"
            f"endheader\n" + "\t".join(columns) + "\n"
        )

    def line_start(self, frame: int) -> str:
        return f"{frame / self._fps:.6f}\t"

    def line_end(self, sample: Sample) -> str:
        angles = self._angles.of(sample.local_xyzw)[_MOT_ROWS]
        values = np.concatenate((angles[:3], OPENSIM.positions(sample.root_m), angles[3:]))
        return "\t".join(f"{value:.5f}" for value in values) + "\n"


def open_trc(path: Path, take: TakeInfo) -> EvenRateRecorder:
    """markers.trc of a take, at the source's rate."""
    return EvenRateRecorder(path, take.fps, _TrcText)


def open_mot(path: Path, take: TakeInfo) -> EvenRateRecorder:
    """angles.mot of a take, at the source's rate."""
    return EvenRateRecorder(path, take.fps, _MotText)
