"""Foot contact: which feet stand, from the lifter's probabilities and the speed of the feet on the floor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.ankle_rays import ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.floor import FloorFilter, ankle_over_sole_m
from realtime_pose.filters.leg_ik import FOOT, legs_of
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters
from realtime_pose.utils.per_track import PerTrack

_EVIDENCE_STILL, _EVIDENCE_S_PER_M = 1.5, 4.0  # log-odds for contact of a still foot, and what each m/s takes away
_RAY_NOISE_M_S = 0.04  # speed of a standing foot across the line of sight; on the floor it is larger for a flat ray
_HYSTERESIS = 0.5  # log-odds above which contact starts, and below whose negative it ends
_RAISED_M, _RAISED_LOG_ODDS = 0.06, -4.0  # without the lifter's, of a foot this much over the floor or the other
_STILL_S = 0.1  # without the lifter's and a floor, contact starts after this time: at the top of a jump feet are still
_SPEED_TAU_S = 0.06  # time constant of the low-passed speed,
_FASTEST_M_S = 3.0  # in which a frame's speed counts as this at most
_SMOOTHING = OneEuroParameters(min_cutoff_hz=4.0, beta=4.0)  # of the points where rays meet the floor
_OCCLUDED_S = 0.2  # without the lifter's, a foot keeps its contact through a shorter occlusion
_GAP_S = 0.5  # after a longer gap a person's feet start from scratch


@dataclass
class _Foot:
    smooth: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_SMOOTHING, joint=True))
    stands: bool = False
    occluded_s: float = math.inf  # it has not been seen yet
    still_s: float = _STILL_S  # a new person's feet may stand at once
    place_m: Float64 | None = None  # x and z on the floor, or x, y and z of a pose in world axes
    velocity_m_s: Float64 = field(default_factory=lambda: np.zeros(1))

    def speed_at(self, place_m: Float64, dt_s: float) -> float:
        """The low-passed speed, with the newest place."""
        if self.place_m is not None and dt_s > 0:
            gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
            velocity = (place_m - self.place_m) / dt_s
            velocity *= min(1.0, _FASTEST_M_S / max(math.hypot(*velocity.tolist()), 1e-9))
            self.velocity_m_s = self.velocity_m_s + gain * (velocity - self.velocity_m_s)
        self.place_m = place_m
        return math.hypot(*self.velocity_m_s.tolist())


@dataclass
class _Person:
    time_ns: int
    feet: tuple[_Foot, _Foot] = field(default_factory=lambda: (_Foot(), _Foot()))


class FootContactFilter:
    """Sets `SkeletonPose.foot_contact`: the lifter's log-odds plus those of the foot's speed, with hysteresis.

    Args:
        floor: Where feet would stand, for poses in camera axes; None for poses in world axes.
    """

    def __init__(self, floor: FloorFilter | None = None) -> None:
        self._floor = floor
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
        legs = legs_of(pose)
        ankles = pose.root_m + np.array([leg.ankle_m for leg in legs])
        rays = None
        if self._floor is not None:
            left, right = (tuple(ankle) for ankle in ankles.tolist())
            rays = ankle_rays(pose, observation, [left, right])
            ankles = rot.rotate(self._floor.world_from_camera_xyzw, ankles)
        given = None if observation is None else observation.contact
        for side, foot in enumerate(person.feet):
            place: Float64 | None = ankles[side]
            noise_m_s = 0.0
            if self._floor is not None and rays is not None:
                place = None
                if not self._floor.is_empty:  # else its origin is not yet known
                    ray, from_image = rays[side]
                    x, y, z = ankles[side].tolist()
                    place = np.array(self._floor.standing_place(ray, (x, y, z)))
                    if from_image:
                        place = foot.smooth.apply(place, pose.time_ns)
                    noise_m_s = _RAY_NOISE_M_S * max(math.hypot(x, z) / max(abs(y), 0.1), 1.0)
            log_odds = _EVIDENCE_STILL
            if place is not None:
                log_odds -= _EVIDENCE_S_PER_M * max(foot.speed_at(place, dt_s) - noise_m_s, 0.0)
            if given is not None:
                probability = min(max(float(given[side].max()), 1e-3), 1 - 1e-3)
                log_odds += math.log(probability / (1.0 - probability))
            else:
                raised_m = ankles[side, 1] - ankles[1 - side, 1]
                if self._floor is None:
                    leg = legs[side]
                    raised_m = max(raised_m, ankles[side, 1] - ankle_over_sole_m(leg.upper_m + leg.lower_m))
                log_odds += _RAISED_LOG_ODDS if raised_m > _RAISED_M else 0.0
            if given is None and self._floor is not None:
                foot.still_s = foot.still_s + dt_s if log_odds > _HYSTERESIS else 0.0
                if foot.still_s < _STILL_S:
                    log_odds = min(log_odds, 0.0)
            foot.stands = log_odds > (-_HYSTERESIS if foot.stands else _HYSTERESIS)
            visible = float(pose.score[FOOT[side]]) > 0
            foot.occluded_s = 0.0 if visible else foot.occluded_s + dt_s
            if not visible and given is None and foot.occluded_s > _OCCLUDED_S:
                foot.stands = False
        return replace(pose, foot_contact=np.array([foot.stands for foot in person.feet]))


def contacts_of(poses: Sequence[SkeletonPose]) -> Bool:
    """Contacts of the left and the right foot (T, 2), from the poses of one person in order of time.

    For poses in world axes, such as those of a session that has no contacts: pinned feet stand exactly still.
    """
    contacts = FootContactFilter()
    out = [contacts.apply(pose).foot_contact for pose in poses]
    return np.array([row for row in out if row is not None], dtype=np.bool_).reshape(-1, 2)
