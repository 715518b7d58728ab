"""Video from a webcam or file in, joint rotations that drive a 3D character out, live.

The names below are the public ones; each is imported on first use, so that `import realtime_pose` is fast.
docs/library.md shows how to use them.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "realtime_pose.api": ("PoseInference", "read_frames"),
    "realtime_pose.exporters.interop": ("coco_links", "to_coco", "to_supervision"),
    "realtime_pose.config": ("AppConfig", "OutputConfig", "load_config"),
    "realtime_pose.capture.base": ("CaptureConfig", "FrameSource"),
    "realtime_pose.inference.base": ("InferenceConfig", "PersonDetector", "PoseEstimator", "Tracker"),
    "realtime_pose.body.settings": ("BodyConfig",),
    "realtime_pose.lifting.base": ("Lifter",),
    "realtime_pose.ik.base": ("IkSolver",),
    "realtime_pose.filters.base": ("PoseFilter",),
    "realtime_pose.communication.base": ("PoseSink",),
    "realtime_pose.datatypes": (
        "CameraIntrinsics",
        "Frame",
        "FrameResult",
        "JointRotations",
        "Joints3D",
        "Person",
        "PersonBox",
        "PersonKeypoints",
        "SceneCamera",
        "SkeletonPose",
    ),
    "realtime_pose.skeletons": ("COCO17", "HUMANOID", "LAYOUTS", "KeypointLayout", "Skeleton"),
    "realtime_pose.kinematics": ("forward_kinematics",),
    "realtime_pose.drawing": ("draw_skeleton_on_frame",),
    "realtime_pose.capture.sources": ("open_source",),
    "realtime_pose.capture.webcam": ("WebcamStream",),
    "realtime_pose.inference.vitpose.estimator": ("ViTPoseEstimator",),
    "realtime_pose.ik.simple_ik": ("SimpleIKSolver",),
    "realtime_pose.communication.packets.pose_packet": ("PosePacket",),
    "realtime_pose.communication.sinks": ("open_sinks",),
    "realtime_pose.runtime": ("Runtime",),
    "realtime_pose.errors": (
        "ArrayShapeError",
        "CameraNotFoundError",
        "CaptureError",
        "CharacterError",
        "CheckpointError",
        "ConfigError",
        "EndOfStream",
        "MissingPackageError",
        "PacketError",
        "RealtimePoseError",
        "RecordingError",
        "StageFailedError",
        "UnknownChoiceError",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_HOME]

if TYPE_CHECKING:  # the same names for type checkers, which do not run the code below
    from realtime_pose.api import PoseInference as PoseInference
    from realtime_pose.api import read_frames as read_frames
    from realtime_pose.body.settings import BodyConfig as BodyConfig
    from realtime_pose.capture.base import CaptureConfig as CaptureConfig
    from realtime_pose.capture.base import FrameSource as FrameSource
    from realtime_pose.capture.sources import open_source as open_source
    from realtime_pose.capture.webcam import WebcamStream as WebcamStream
    from realtime_pose.communication.base import PoseSink as PoseSink
    from realtime_pose.communication.packets.pose_packet import PosePacket as PosePacket
    from realtime_pose.communication.sinks import open_sinks as open_sinks
    from realtime_pose.config import AppConfig as AppConfig
    from realtime_pose.config import OutputConfig as OutputConfig
    from realtime_pose.config import load_config as load_config
    from realtime_pose.datatypes import CameraIntrinsics as CameraIntrinsics
    from realtime_pose.datatypes import Frame as Frame
    from realtime_pose.datatypes import FrameResult as FrameResult
    from realtime_pose.datatypes import JointRotations as JointRotations
    from realtime_pose.datatypes import Joints3D as Joints3D
    from realtime_pose.datatypes import Person as Person
    from realtime_pose.datatypes import PersonBox as PersonBox
    from realtime_pose.datatypes import PersonKeypoints as PersonKeypoints
    from realtime_pose.datatypes import SceneCamera as SceneCamera
    from realtime_pose.datatypes import SkeletonPose as SkeletonPose
    from realtime_pose.drawing import draw_skeleton_on_frame as draw_skeleton_on_frame
    from realtime_pose.errors import ArrayShapeError as ArrayShapeError
    from realtime_pose.errors import CameraNotFoundError as CameraNotFoundError
    from realtime_pose.errors import CaptureError as CaptureError
    from realtime_pose.errors import CharacterError as CharacterError
    from realtime_pose.errors import CheckpointError as CheckpointError
    from realtime_pose.errors import ConfigError as ConfigError
    from realtime_pose.errors import EndOfStream as EndOfStream
    from realtime_pose.errors import MissingPackageError as MissingPackageError
    from realtime_pose.errors import PacketError as PacketError
    from realtime_pose.errors import RealtimePoseError as RealtimePoseError
    from realtime_pose.errors import RecordingError as RecordingError
    from realtime_pose.errors import StageFailedError as StageFailedError
    from realtime_pose.errors import UnknownChoiceError as UnknownChoiceError
    from realtime_pose.exporters.interop import coco_links as coco_links
    from realtime_pose.exporters.interop import to_coco as to_coco
    from realtime_pose.exporters.interop import to_supervision as to_supervision
    from realtime_pose.filters.base import PoseFilter as PoseFilter
    from realtime_pose.ik.base import IkSolver as IkSolver
    from realtime_pose.ik.simple_ik import SimpleIKSolver as SimpleIKSolver
    from realtime_pose.inference.base import InferenceConfig as InferenceConfig
    from realtime_pose.inference.base import PersonDetector as PersonDetector
    from realtime_pose.inference.base import PoseEstimator as PoseEstimator
    from realtime_pose.inference.base import Tracker as Tracker
    from realtime_pose.inference.vitpose.estimator import ViTPoseEstimator as ViTPoseEstimator
    from realtime_pose.kinematics import forward_kinematics as forward_kinematics
    from realtime_pose.lifting.base import Lifter as Lifter
    from realtime_pose.runtime import Runtime as Runtime
    from realtime_pose.skeletons import COCO17 as COCO17
    from realtime_pose.skeletons import HUMANOID as HUMANOID
    from realtime_pose.skeletons import LAYOUTS as LAYOUTS
    from realtime_pose.skeletons import KeypointLayout as KeypointLayout
    from realtime_pose.skeletons import Skeleton as Skeleton
else:

    def __getattr__(name):  # noqa: ANN001, ANN202 - type checkers read the names above
        """Import a public name on first use."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = getattr(importlib.import_module(_HOME[name]), name)
        return value

    def __dir__():  # noqa: ANN202
        """All public names, also those not imported yet."""
        return sorted({*globals(), *__all__})
