"""How long each person's own bones are: learnt in the first seconds, then fixed for good, so that bones do not breathe.

A lifter places points in metres, by `body.height_m`; how far they are apart says a person's proportions, but badly in
any one frame. A length counts by the time for which it was seen, by its scores, and by how much of it lies across the
line of sight: what points at the camera is guessed, and mostly too short. The weighted median of that is what a length
heads for. Once there is enough of it, it is fixed.
"""

from dataclasses import dataclass, field

import numpy as np

from realtime_pose.body.profile import LONGEST, SHORTEST, body_of
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import Joints3D
from realtime_pose.skeletons import LIMB_NAMES
from realtime_pose.utils.arrays import Bool, Float64

_MOST_STEP_S = 0.1  # a longer gap between two frames counts as this much
_EXPECTED_S, _EXPECTED_SPREAD = 0.3, 0.04  # the average body speaks as long as this, and bodies differ by so much
_FIRST_S, _FIRST_MOST = 0.4, 0.12  # the first look at somebody counts as long as this, and may change a bone by so much
_ENOUGH_S, _SURE, _LONG_S = 5.0, 0.015, 15.0
_MOMENT_S = 0.3  # frames closer than this err alike
_RATE = 0.02  # share of its length by which a bone changes in a second at most: 17 mm/s at an ankle
_EARLY_S, _EARLY_RATE = 1.5, 0.15  # somebody who has just come may change quicker: nobody knows them yet
_BIN = 0.005  # width of a bin, of the logarithm

# Each measured distance: the length it says, and its two ends; a pair's middle is "shoulders" or "hips".
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
_SHARE = 1 / np.bincount(_LENGTH)[_LENGTH]  # left and right are half a vote each
_PAIRS = [[LIMB_NAMES.index(f"{side}_{part}") for side in ("left", "right")] for part in ("shoulder", "hip")]


class LengthStatistics:
    """The weighted median of each of LENGTHS over time, as a histogram of its share of an expected body."""

    def __init__(self, expected: BodyDimensions) -> None:
        self._expected_m = expected.lengths
        self._at = np.arange(np.log(SHORTEST), np.log(LONGEST) + _BIN, _BIN)
        bell = np.exp(-0.5 * (self._at / _EXPECTED_SPREAD) ** 2)
        self._prior = _EXPECTED_S * bell / bell.sum()
        self._weight_s = np.zeros((len(LENGTHS), len(self._at)))

    def add(self, joints: Joints3D, dt_s: float) -> Bool:
        """Take the lengths of a body that was seen for `dt_s`; which of LENGTHS (7,) it showed."""
        length_m, weight = _measured(joints)
        with np.errstate(divide="ignore", invalid="ignore"):
            place = (np.log(length_m / self._expected_m[_LENGTH]) - self._at[0]) / _BIN
        # A length that no body has says that something is wrong, not that the person is odd.
        usable = (weight > 0) & (place >= 0) & (place < len(self._at) - 1)
        row, place = _LENGTH[usable], place[usable]
        weight_s = (weight * _SHARE)[usable] * dt_s
        low = place.astype(np.int64)
        np.add.at(self._weight_s, (row, low), weight_s * (low + 1 - place))
        np.add.at(self._weight_s, (row, low + 1), weight_s * (place - low))
        shown = np.zeros(len(LENGTHS), dtype=np.bool_)
        shown[row] = True
        return shown

    @property
    def evidence_s(self) -> Float64:
        """For how long each length (7,) was seen as well as can be."""
        return np.asarray(self._weight_s.sum(axis=1))

    @property
    def shares(self) -> Float64:
        """The medians (7,), as shares of the expected body's lengths; 1 for what was never seen."""
        return np.where(self.evidence_s > 0, np.exp(self._quantile(0.5, self._weight_s + self._prior)), 1.0)

    @property
    def spreads(self) -> Float64:
        """How far each length (7,) is seen to vary: a standard deviation as a share, by the span of its middle half."""
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
    """What is known of one person's bones."""

    statistics: LengthStatistics
    bone_m: Float64
    time_ns: int = -1
    since_ns: int = -1
    share: Float64 = field(default_factory=lambda: np.ones(len(LENGTHS)))  # what they have now
    goal: Float64 = field(default_factory=lambda: np.ones(len(LENGTHS)))
    fixed: Bool = field(default_factory=lambda: np.zeros(len(LENGTHS), dtype=np.bool_))
    settled: bool = False


class BoneLengths:
    """The bone lengths of everybody who is followed, each by their `track_id`.

    With a profile (`body.profile`) there is nothing to learn, and everybody has its proportions.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._expected = body_of(config)
        self._known = bool(config.profile)
        self._start_m = _read_only(self._expected.bone_m)
        self._people: dict[int, _Person] = {}

    def update(self, joints: Joints3D) -> Float64:
        """The person's bones (17,), metres from parent to joint in HUMANOID's order, 0 for the root; read-only.

        They begin between an average body's of `height_m` and what the first look says, and change by 15 % in a second
        at most, soon by 2 %, until they are settled; from then on they are the same to the last bit. A side's left and
        right are equal.
        """
        if self._known:
            return self._start_m
        person = self._people.get(joints.track_id)
        if person is None:
            person = self._people[joints.track_id] = _Person(LengthStatistics(self._expected), self._start_m)
            person.time_ns = person.since_ns = joints.time_ns
            dt_s, most = _FIRST_S, _FIRST_MOST
        else:
            dt_s = min(max((joints.time_ns - person.time_ns) / 1e9, 0.0), _MOST_STEP_S)
            most = dt_s * (_EARLY_RATE if joints.time_ns - person.since_ns < _EARLY_S * 1e9 else _RATE)
            person.time_ns = joints.time_ns
        if not person.fixed.all():
            self._learn(person, joints, dt_s)
        if not np.array_equal(person.share, person.goal):
            person.share = person.share + np.clip(person.goal - person.share, -most, most)
            lengths = dict(zip(LENGTHS, (self._expected.lengths * person.share).tolist(), strict=True))
            person.bone_m = _read_only(self._expected.with_lengths(lengths).bone_m)
        return person.bone_m

    def settled(self, track_id: int) -> bool:
        """Whether all that is seen of the person is known, and no bone changes any more.

        Who walks closer so that their legs leave the picture is settled with what is left; if parts come into view that
        never were, they are learnt then.
        """
        if self._known:
            return True
        person = self._people.get(track_id)
        return person is not None and person.settled and np.array_equal(person.share, person.goal)

    def forget(self, track_id: int) -> None:
        """Drop what was learnt of one person."""
        self._people.pop(track_id, None)

    def _learn(self, person: _Person, joints: Joints3D, dt_s: float) -> None:
        shown = person.statistics.add(joints, dt_s)
        person.goal = np.where(person.fixed, person.goal, person.statistics.shares)
        seen_s = person.statistics.evidence_s
        enough = seen_s >= _ENOUGH_S
        if np.any(enough & ~person.fixed):
            doubt = person.statistics.spreads / np.sqrt(np.maximum(seen_s, _MOMENT_S) / _MOMENT_S)
            person.fixed |= enough & ((doubt <= _SURE) | (seen_s >= _LONG_S))
        person.settled = bool(np.all(person.fixed[shown]) and shown.any())


def _measured(joints: Joints3D) -> tuple[Float64, Float64]:
    """The distances (M,) in metres of _MEASURES, and what each counts for, 0..1."""
    rows = joints.layout.rows(LIMB_NAMES)
    xyz, score = joints.xyz_m[rows].astype(np.float64), joints.score[rows].astype(np.float64)
    known = np.isfinite(xyz).all(axis=1) & np.isfinite(score) & np.isfinite(joints.root_m).all()
    xyz, score = np.where(known[:, None], xyz, 0.0), np.where(known, np.clip(score, 0.0, 1.0), 0.0)
    xyz = np.concatenate((xyz, [xyz[pair].mean(axis=0) for pair in _PAIRS]))
    score = np.concatenate((score, [score[pair].min() for pair in _PAIRS]))
    bone = xyz[_ENDS] - xyz[_STARTS]
    length_m = np.sqrt((bone**2).sum(axis=1))
    sight = (xyz[_ENDS] + xyz[_STARTS]) / 2 + np.nan_to_num(joints.root_m)
    along = (bone * sight).sum(axis=1) / np.maximum(length_m * np.sqrt((sight**2).sum(axis=1)), 1e-9)
    across2 = 1.0 - np.minimum(along**2, 1.0)
    return length_m, np.minimum(score[_ENDS], score[_STARTS]) * across2**2


def _read_only(bone_m: Float64) -> Float64:
    bone_m.flags.writeable = False
    return bone_m
