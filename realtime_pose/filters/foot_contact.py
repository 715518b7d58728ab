"""Foot contact: which feet stand, from the lifter's probabilities, or from the motion of the ankles without them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.filters.leg_ik import FOOT, legs_of
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, Float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Vec3

_STARTS, _ENDS = 0.6, 0.4  # contact starts above the first probability and ends below the second
_OCCLUDED_S = 0.2  # a foot keeps its contact through a shorter occlusion
_GAP_S = 0.5  # after a longer gap a person's feet start from scratch
# Without probabilities, a foot stands that is slower than this, and not higher over the other by more than this.
_STILL_M_S, _RAISED_M = 0.3, 0.06
_SPEED_TAU_S = 0.06  # time constant of the low-passed speed


@dataclass
class _Foot:
    stands: bool = False
    occluded_s: float = 0.0
    ankle_m: Vec3 | None = None
    velocity_m_s: Vec3 = vec.ZERO


@dataclass
class _Person:
    time_ns: int
    feet: tuple[_Foot, _Foot] = field(default_factory=lambda: (_Foot(), _Foot()))


class FootContactFilter:
    """Sets `SkeletonPose.foot_contact`, with hysteresis."""

    def __init__(self) -> None:
        self._people: PerTrack[_Person] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with its contacts; the rest of it is not changed."""
        person = self._people.get(pose.track_id)
        dt_s = 0.0 if person is None else (pose.time_ns - person.time_ns) / 1e9
        if person is None or not 0 <= dt_s <= _GAP_S:
            person, dt_s = self._people.put(pose.track_id, _Person(pose.time_ns)), 0.0
        person.time_ns = pose.time_ns
        x, y, z = pose.root_m.tolist()
        ankles = [vec.add((x, y, z), leg.ankle_m) for leg in legs_of(pose)]
        given = None if observation is None else observation.contact
        for side, foot in enumerate(person.feet):
            self._update(foot, ankles, side, given, dt_s)
            visible = float(pose.score[FOOT[side]]) > 0
            foot.occluded_s = 0.0 if visible else foot.occluded_s + dt_s
            if not visible and (foot.occluded_s > _OCCLUDED_S or dt_s == 0):
                foot.stands = False
        return replace(pose, foot_contact=np.array([foot.stands for foot in person.feet]))

    def _update(self, foot: _Foot, ankles_m: list[Vec3], side: int, given: Float32 | None, dt_s: float) -> None:
        ankle = ankles_m[side]
        if foot.ankle_m is not None and dt_s > 0:
            velocity = vec.scale(vec.sub(ankle, foot.ankle_m), 1.0 / dt_s)
            gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
            foot.velocity_m_s = vec.add_scaled(foot.velocity_m_s, vec.sub(velocity, foot.velocity_m_s), gain)
        foot.ankle_m = ankle
        if given is not None:
            probability = float(given[side].max())
        else:
            low = ankle[1] - ankles_m[1 - side][1] < _RAISED_M
            probability = float(low and vec.norm(foot.velocity_m_s) < _STILL_M_S)
        foot.stands = probability > (_ENDS if foot.stands else _STARTS)


def contacts_of(poses: Sequence[SkeletonPose]) -> Bool:
    """Contacts of the left and the right foot (T, 2), from the poses of one person in order of time.

    For poses in world axes, such as those of a session that has no contacts: pinned feet stand exactly still.
    """
    contacts = FootContactFilter()
    out = [contacts.apply(pose).foot_contact for pose in poses]
    return np.array([row for row in out if row is not None], dtype=np.bool_).reshape(-1, 2)
