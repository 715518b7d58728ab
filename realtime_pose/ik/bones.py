"""How long each person's own bones are."""

from realtime_pose.datatypes import Joints3D
from realtime_pose.ik.base import BodyConfig
from realtime_pose.ik.profile import body_of
from realtime_pose.utils.arrays import Float64


class BoneLengths:
    """The bone lengths of everybody who is followed, each by their `track_id`."""

    def __init__(self, config: BodyConfig) -> None:
        self._of_height = body_of(config).bone_m
        self._of_height.flags.writeable = False

    def update(self, joints: Joints3D) -> Float64:
        """The person's bones (17,), metres from parent to joint in HUMANOID's order, 0 for the root; read-only."""
        return self._of_height

    def settled(self, track_id: int) -> bool:
        """Whether the person's bones are known and will not change any more."""
        return True

    def forget(self, track_id: int) -> None:
        """Drop what was learnt of one person."""
