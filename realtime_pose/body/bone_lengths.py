"""Bone-length estimation: learnt in the first seconds of a person, then fixed.

A lifter places points in metres, scaled by `body.height_m`; their distances give a person's proportions, but poorly in
a single frame. Each measurement is weighted by its duration, its scores and its angle to the line of sight: a bone that
points at the camera is guessed, and mostly too short. A length moves towards the weighted median of its measurements,
and is fixed once there are enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from realtime_pose.body.profile import LONGEST, SHORTEST, body_of
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import Joints3D
from realtime_pose.skeletons import LIMB_NAMES
from realtime_pose.utils.arrays import Bool, Float64
from realtime_pose.utils.per_track import PerTrack

_MAX_STEP_S = 0.1  # weight of a frame after a longer gap
_PRIOR_S, _PRIOR_SIGMA = 0.3, 0.04  # the average body's weight, and the spread of bodies as a share
_FIRST_S, _FIRST_CHANGE = 0.4, 0.12  # the first frame's weight, and the share by which it changes a bone at most
# A length is fixed after `_ENOUGH_S` with a standard error of at most `_MAX_ERROR` (share), or after `_LONG_S`.
_ENOUGH_S, _MAX_ERROR, _LONG_S = 5.0, 0.015, 15.0
_CORRELATION_S = 0.3  # frames closer together have the same error
_RATE = 0.02  # share of its length per second by which a bone changes at most: 17 mm/s at an ankle
_EARLY_S, _EARLY_RATE = 1.5, 0.15  # likewise for a new person, for this long
_BIN = 0.005  # bin width, in the logarithm of the length

# Each measured distance: its name in LENGTHS and its two ends; a pair's midpoint is "shoulders" or "hips".
_MEASURES = (
    ("torso", "hips", "shoulders"),
    ("shoulder_width", "left_shoulder", "right_shoulder"),
    ("hip_width", "left_hip", "right_hip"),
    *((length, f"{side}_{start}", f"{side}_{end}")
      for length, start, end in (("upper_arm", "shoulder", "elbow"), ("forearm", "elbow", "wrist"),
                                 ("thigh", "hip", "knee"), ("shank", "knee", "ankle"))
      for side in ("left", "right")),
)  # fmt: skip
_POINTS = (*LIMB_NAMES, "shoulders", "hips")
_STARTS, _ENDS = (np.array([_POINTS.index(measure[i]) for measure in _MEASURES]) for i in (1, 2))
_LENGTH = np.array([LENGTHS.index(measure[0]) for measure in _MEASURES])
_SHARE = 1 / np.bincount(_LENGTH)[_LENGTH]  # left and right have half the weight each
_PAIRS = [[LIMB_NAMES.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip")]


class LengthStatistics:
    """Weighted median of each of LENGTHS, by histograms of its ratio to an expected body's length."""

    def __init__(self, expected: BodyDimensions) -> None:
        self._expected_m = expected.lengths
        self._at = np.arange(np.log(SHORTEST), np.log(LONGEST) + _BIN, _BIN)
        bell = np.exp(-0.5 * (self._at / _PRIOR_SIGMA) ** 2)
        self._prior = _PRIOR_S * bell / bell.sum()
        self._weight_s = np.zeros((len(LENGTHS), len(self._at)))

    def add(self, joints: Joints3D, dt_s: float) -> Bool:
        """Add a frame with weight `dt_s`.

        Returns:
            (7,) True for those of LENGTHS that were measured.
        """
        length_m, weight = _measured(joints)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = (np.log(length_m / self._expected_m[_LENGTH]) - self._at[0]) / _BIN
        # An implausible length is a lifting error.
        usable = (weight > 0) & (place >= 0) & (place < len(self._at) - 1)
        row, place = _LENGTH[usable], place[usable]
        weight_s = (weight * _SHARE)[usable] * dt_s
        low = place.astype(np.int64)
        np.add.at(self._weight_s, (row, low), weight_s * (low + 1 - place))
        np.add.at(self._weight_s, (row, low + 1), weight_s * (place - low))
        measured = np.zeros(len(LENGTHS), dtype=np.bool_)
        measured[row] = True
        return measured

    @property
    def evidence_s(self) -> Float64:
        """(7,) weight of each length, in seconds of perfect view."""
        return np.asarray(self._weight_s.sum(axis=1))

    @property
    def shares(self) -> Float64:
        """(7,) medians as ratios to the expected body's lengths; 1 without measurements."""
        return np.where(self.evidence_s > 0, np.exp(self._quantile(0.5, self._weight_s + self._prior)), 1.0)

    @property
    def spreads(self) -> Float64:
        """(7,) standard deviation of each length as a share, estimated from its interquartile range."""
        return (self._quantile(0.75, self._weight_s) - self._quantile(0.25, self._weight_s)) / 1.35

    def _quantile(self, fraction: float, weight_s: Float64) -> Float64:
        reached = np.cumsum(weight_s, axis=1)
        goal = fraction * reached[:, -1:]
        after = np.minimum((reached < goal).sum(axis=1), len(self._at) - 1)
        rows = np.arange(len(weight_s))
        inside = weight_s[rows, after]
        left = np.where(inside > 0, (reached[rows, after] - goal[:, 0]) / np.maximum(inside, 1e-12), 0.5)
        return self._at[after] + _BIN * (0.5 - left)


@dataclass
class _Person:
    """State of one person's bones; ratios are to the expected body's lengths.

    Attributes:
        statistics: Measurements so far.
        bone_m: (17,) the current bones.
        time_ns: Time of the last frame.
        since_ns: Time of the first frame.
        ratio: (7,) current ratios.
        target: (7,) ratios that they move towards.
        fixed: (7,) which targets are final.
        settled: Whether all measured lengths are fixed.
    """

    statistics: LengthStatistics
    bone_m: Float64
    time_ns: int = -1
    since_ns: int = -1
    ratio: Float64 = field(default_factory=lambda: np.ones(len(LENGTHS)))
    target: Float64 = field(default_factory=lambda: np.ones(len(LENGTHS)))
    fixed: Bool = field(default_factory=lambda: np.zeros(len(LENGTHS), dtype=np.bool_))
    settled: bool = False


class BoneLengths:
    """Bone lengths of all tracked people.

    With a profile (`body.profile`) nothing is learnt, and everyone has its proportions.

    Args:
        config: The settings; with `look_ahead`, people's lengths are kept for a second pass.
        ratios: Each person's lengths from the first pass over the same frames, as `ratios` returned them; nothing is
            learnt of these people.
    """

    def __init__(self, config: BodyConfig, ratios: Mapping[int, Float64] | None = None) -> None:
        self._expected = body_of(config)
        self._known = bool(config.profile)
        self._start_m = _read_only(self._expected.bone_m)
        self._people: PerTrack[_Person] = PerTrack()
        self._ratios = dict(ratios or {})
        self._kept: dict[int, LengthStatistics] | None = {} if config.look_ahead else None

    def ratios(self) -> dict[int, Float64]:
        """Each person's (7,) LENGTHS so far, from all their frames, as ratios to the expected body's."""
        return {track_id: statistics.shares for track_id, statistics in (self._kept or {}).items()}

    def update(self, joints: Joints3D) -> Float64:
        """The person's bones (17,), metres from parent to joint in HUMANOID's order, 0 for the root; read-only.

        They start between an average body's of `height_m` and the first measurement, and change by at most 15 % per
        second, 2 % after 1.5 s, until they are settled; from then on they are exactly constant. Left and right are
        equal.
        """
        if self._known:
            return self._start_m
        person = self._people.get(joints.track_id)
        if person is None:
            person = self._people.put(joints.track_id, self._new_person(joints.track_id))
            person.time_ns = person.since_ns = joints.time_ns
            dt_s, max_change = _FIRST_S, _FIRST_CHANGE
        else:
            dt_s = min(max((joints.time_ns - person.time_ns) / 1e9, 0.0), _MAX_STEP_S)
            max_change = dt_s * (_EARLY_RATE if joints.time_ns - person.since_ns < _EARLY_S * 1e9 else _RATE)
            person.time_ns = joints.time_ns
        if not person.fixed.all():
            self._learn(person, joints, dt_s)
        elif self._kept is not None and joints.track_id not in self._ratios:
            person.statistics.add(joints, dt_s)
        if not np.array_equal(person.ratio, person.target):
            person.ratio = person.ratio + np.clip(person.target - person.ratio, -max_change, max_change)
            person.bone_m = self._bones_of(person.ratio)
        return person.bone_m

    def _new_person(self, track_id: int) -> _Person:
        if track_id in self._ratios:
            ratio = self._ratios[track_id]
            fixed = np.ones(len(LENGTHS), dtype=np.bool_)
            return _Person(
                LengthStatistics(self._expected), self._bones_of(ratio), ratio=ratio, target=ratio, fixed=fixed
            )
        person = _Person(LengthStatistics(self._expected), self._start_m)
        if self._kept is not None:
            self._kept[track_id] = person.statistics
        return person

    def _bones_of(self, ratio: Float64) -> Float64:
        lengths = dict(zip(LENGTHS, (self._expected.lengths * ratio).tolist(), strict=True))
        return _read_only(self._expected.with_lengths(lengths).bone_m)

    def settled(self, track_id: int) -> bool:
        """Whether all visible lengths are fixed and no bone changes any more.

        Parts that leave the image do not matter; parts that come into view for the first time are learnt then.
        """
        if self._known:
            return True
        person = self._people.get(track_id)
        return person is not None and person.settled and np.array_equal(person.ratio, person.target)

    def forget(self, track_id: int) -> None:
        """Drop what was learnt of one person."""
        self._people.forget(track_id)

    def _learn(self, person: _Person, joints: Joints3D, dt_s: float) -> None:
        measured = person.statistics.add(joints, dt_s)
        person.target = np.where(person.fixed, person.target, person.statistics.shares)
        seen_s = person.statistics.evidence_s
        enough = seen_s >= _ENOUGH_S
        if np.any(enough & ~person.fixed):
            error = person.statistics.spreads / np.sqrt(np.maximum(seen_s, _CORRELATION_S) / _CORRELATION_S)
            person.fixed |= enough & ((error <= _MAX_ERROR) | (seen_s >= _LONG_S))
        person.settled = bool(np.all(person.fixed[measured]) and measured.any())


def _measured(joints: Joints3D) -> tuple[Float64, Float64]:
    """(M,) distances of _MEASURES in metres, and their weights in 0..1."""
    rows = joints.layout.rows(LIMB_NAMES)
    xyz, score = joints.xyz_m[rows].astype(np.float64), joints.score[rows].astype(np.float64)
    known = np.isfinite(xyz).all(axis=1) & np.isfinite(score) & np.isfinite(joints.root_m).all()
    xyz, score = np.where(known[:, None], xyz, 0.0), np.where(known, np.clip(score, 0.0, 1.0), 0.0)
    xyz = np.concatenate((xyz, [xyz[pair].mean(axis=0) for pair in _PAIRS]))
    score = np.concatenate((score, [score[pair].min() for pair in _PAIRS]))
    bone = xyz[_ENDS] - xyz[_STARTS]
    length_m = np.sqrt((bone**2).sum(axis=1))
    sight = (xyz[_ENDS] + xyz[_STARTS]) / 2 + np.nan_to_num(joints.root_m)
    cosine = (bone * sight).sum(axis=1) / np.maximum(length_m * np.sqrt((sight**2).sum(axis=1)), 1e-9)
    sine2 = 1.0 - np.minimum(cosine**2, 1.0)  # of the angle to the line of sight
    return length_m, np.minimum(score[_ENDS], score[_STARTS]) * sine2**2


def _read_only(bone_m: Float64) -> Float64:
    bone_m.flags.writeable = False
    return bone_m
