"""What the first pass over a clip says of its camera, its floor and its people, for a second one."""

from collections.abc import Mapping
from dataclasses import dataclass

from realtime_pose.body.camera_attitude import AttitudeTrack
from realtime_pose.filters.floor import StandingTrack
from realtime_pose.utils.arrays import Float64


@dataclass(frozen=True, eq=False)
class ClipEvidence:
    """The evidence of all frames.

    Attributes:
        attitude: The camera's attitude; None if nothing was measured.
        standing: Where feet stood; None without filters.
        bone_ratios: By person, as `BoneLengths.ratios` returns them.
    """

    attitude: AttitudeTrack | None
    standing: StandingTrack | None
    bone_ratios: Mapping[int, Float64]
