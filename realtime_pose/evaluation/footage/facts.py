"""Facts that a person sees in a clip, read from facts.json, and whether a clip's poses hold them.

Each fact is about a range of frames; each number in it is one check, of the median over the range unless said
otherwise. What a pose of the body cannot show (arms' gestures, hands, faces, counts) is not judged.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage.cameras import heading_of
from realtime_pose.evaluation.footage.clip_poses import FEET, HIPS, LOWER_LEGS, PersonTrack
from realtime_pose.utils.arrays import Float64

BODY_KINDS = ("standing", "sitting", "walking", "facing")
"""The kinds of facts that are judged; "arm", "hand", "face" and "count" are not yet."""

# Tolerances, in degrees and metres.
_TRUNK_MAX_DEG, _TRUNK_RANGE_DEG = 8.0, 10.0
_KNEE_MIN_DEG, _KNEE_DEG = 12.0, 15.0
_UPRIGHT_TRUNK_DEG, _STRAIGHT_KNEE_DEG = 10.0, 140.0  # facts that say both are about upright legs too,
_LEGS_MAX_DEG = 12.0  # which lean this much at most
_YAW_DEG = 35.0
_SIDE_VIEW_DEG = 60.0  # a body's yaw is judged from here on; smaller ones are said of heads
_CAMERA_DEG = 4.0
_HIP_HEIGHT_M = 0.15
_FEET_TRAVEL_M = 0.15
_TRAVEL_M = 0.30
_ANKLE_M = (-0.03, 0.18)
_ANKLE_SHARE = 0.8
_POSE_SHARE = 0.5  # a range with poses in fewer of its frames fails
_ENDS = 3  # poses at each end of a range whose mean is the place where a way begins and ends


@dataclass(frozen=True)
class Fact:
    """One fact: what a person sees in the frames from `first` to `last`, both included.

    Attributes:
        first, last: Numbers of frames, from 0.
        kind: Such as "standing".
        text: The fact in words.
        fields: All its other fields, as in the file.
    """

    first: int
    last: int
    kind: str
    text: str
    fields: Mapping[str, Any]

    @property
    def who(self) -> str:
        """The person it is about; empty where the clip has only one."""
        return str(self.fields.get("who", ""))

    @property
    def says_feet(self) -> bool:
        """Whether both feet may be judged: somebody stands, and no foot is said to be in the air."""
        return self.kind == "standing" and "foot_up" not in self.fields


@dataclass(frozen=True)
class Check:
    """One number of a fact, judged.

    Attributes:
        fact: The fact.
        name: The field, such as "trunk_deg_max", or "ankle" and "legs", which standing facts imply.
        got: The value in words.
        wanted: The bound in words, its tolerance included.
        holds: Whether the value is within it.
    """

    fact: Fact
    name: str
    got: str
    wanted: str
    holds: bool


def read_facts(path: Path) -> dict[Path, list[Fact]]:
    """The facts of each file, by its resolved path; files are named relative to the folder of `path`.

    Raises:
        RecordingError: The file cannot be read, or is not a list of files with facts.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        facts = {(path.parent / entry["file"]).resolve(): [_fact(raw) for raw in entry["facts"]] for entry in entries}
    except OSError as exc:
        raise RecordingError(f"cannot read the facts {path} ({exc.strerror}); give a facts.json") from exc
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise RecordingError(
            f"{path} is not a list of files with facts ({type(exc).__name__}: {str(exc)[:200]}); "
            "docs/accuracy.md describes it"
        ) from exc
    return facts


def _fact(raw: Mapping[str, Any]) -> Fact:
    first, last = (int(frame) for frame in raw["frames"])
    if not 0 <= first <= last:
        raise ValueError(f"frames {first} to {last} are no range")
    fields = {key: value for key, value in raw.items() if key not in ("frames", "kind", "text")}
    return Fact(first, last, str(raw["kind"]), str(raw["text"]), fields)


@dataclass(frozen=True)
class Judgement:
    """The checks of one clip, and the facts that were not judged.

    Attributes:
        checks: Every check.
        other_kinds: Facts of arms, hands, faces and counts.
        no_number: Facts of the body that say nothing that can be measured.
        other_people: Facts about somebody who was not followed, or whom the program cannot tell from others.
    """

    checks: list[Check]
    other_kinds: int = 0
    no_number: int = 0
    other_people: int = 0


def judge(facts: Sequence[Fact], tracks: Sequence[PersonTrack], width: int) -> Judgement:
    """The facts of one clip against its people's poses.

    Args:
        facts: The facts.
        tracks: The people, most frames first; the first is judged where a fact does not say who.
        width: Width of the images, px: "left" and "right" are people in its halves.
    """
    checks: list[Check] = []
    left_out = dict.fromkeys(("other_kinds", "no_number", "other_people"), 0)
    for fact in facts:
        track = _person_of(fact, tracks, width)
        if fact.kind not in BODY_KINDS:
            left_out["other_kinds"] += 1
        elif track is None:
            left_out["other_people"] += 1
        elif not (found := _judged(fact, track)):
            left_out["no_number"] += 1
        else:
            checks += found
    return Judgement(checks, **left_out)


_NOBODY = PersonTrack(
    0, np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 17, 3)), np.zeros((0, 2), bool), (), np.zeros((0, 12, 2)),
    np.zeros((0, 12)), 1.0,
)  # fmt: skip


def _person_of(fact: Fact, tracks: Sequence[PersonTrack], width: int) -> PersonTrack | None:
    if not fact.who:
        return tracks[0] if tracks else _NOBODY
    if fact.who not in ("left", "right"):
        return None
    for track in tracks:
        at_right = float(np.median(track.projected_px[:, HIPS, 0])) > width / 2
        if at_right == (fact.who == "right"):
            return track
    return None


def _judged(fact: Fact, track: PersonTrack) -> list[Check]:
    rows = track.rows(fact.first, fact.last)
    poses, frames = rows.stop - rows.start, fact.last - fact.first + 1
    if poses and poses >= _POSE_SHARE * frames:
        return [Check(fact, *result) for result in _results(fact, track, rows)]
    # Which checks there would have been does not depend on the poses: any pose tells.
    names = [result[0] for result in _results(fact, _STANDS_STILL, slice(0, 1))]
    return [Check(fact, name, f"a pose in {poses} of {frames} frames", "in half of them", False) for name in names]


_STANDS_STILL = PersonTrack(
    0, np.zeros(1, np.int64), np.zeros(1), np.zeros((1, 17, 3)), np.zeros((1, 2), bool), (), np.zeros((1, 12, 2)),
    np.zeros((1, 12)), 1.0,
)  # fmt: skip

_Result = tuple[str, str, str, bool]


def _results(fact: Fact, track: PersonTrack, rows: slice) -> Iterator[_Result]:
    """Name, value, bound, and whether it holds, of each check of a fact."""
    said = fact.fields
    trunk_deg, knees_deg = _median(track.trunk_deg[rows]), np.median(track.knees_deg[rows], axis=0)
    if "trunk_deg_max" in said:
        yield _at_most("trunk_deg_max", trunk_deg, said["trunk_deg_max"] + _TRUNK_MAX_DEG)
    if "trunk_deg" in said:
        low, high = said["trunk_deg"]
        yield _between("trunk_deg", trunk_deg, low - _TRUNK_RANGE_DEG, high + _TRUNK_RANGE_DEG)
    if "knee_deg_min" in said:
        yield _at_least("knee_deg_min", float(knees_deg.min()), said["knee_deg_min"] - _KNEE_MIN_DEG)
    if "knee_deg_max" in said:
        knee_deg = _bent_knee_deg(track, rows, str(said.get("bent", "")))
        yield _at_most("knee_deg_max", knee_deg, said["knee_deg_max"] + _KNEE_DEG)
    if "knee_deg" in said:
        low, high = said["knee_deg"]
        yield _between("knee_deg", float(knees_deg.mean()), low - _KNEE_DEG, high + _KNEE_DEG)
    if (
        said.get("trunk_deg_max", 90.0) <= _UPRIGHT_TRUNK_DEG
        and said.get("knee_deg_min", 0.0) >= _STRAIGHT_KNEE_DEG
    ):  # fmt: skip
        yield _at_most("legs", _median(track.legs_deg[rows]), _LEGS_MAX_DEG)
    if said.get("feet_fixed"):
        travel_cm = 100 * max(_travel_m(track.joints_m[rows, foot]) for foot in FEET)
        yield _at_most("feet_fixed", travel_cm, 100 * _FEET_TRAVEL_M, " cm")
    if "hip_height_m" in said:
        hips_cm, wanted_cm = 100 * _median(track.joints_m[rows, HIPS, 1]), 100 * said["hip_height_m"]
        yield _between("hip_height_m", hips_cm, wanted_cm - 100 * _HIP_HEIGHT_M, wanted_cm + 100 * _HIP_HEIGHT_M, " cm")
    if "direction" in said:
        yield _at_least("direction", 100 * _way_m(track, rows, said["direction"]), 100 * _TRAVEL_M, " cm")
    if fact.kind == "facing" and abs(said.get("yaw_deg", 0.0)) >= _SIDE_VIEW_DEG:
        yield _yaw_result(track, rows, said["yaw_deg"])
    # A fact's pitch is negative where the camera looks down, a camera's is positive.
    for name, sign in (("camera_pitch_deg", -1.0), ("camera_roll_deg", 1.0)):
        if name in said:
            angles = [sign * getattr(camera, name.removeprefix("camera_")) for camera in track.cameras[rows]]
            got = _median(np.array(angles)) if angles else 0.0
            yield _between(name, got, said[name] - _CAMERA_DEG, said[name] + _CAMERA_DEG)
    if fact.says_feet:
        yield _ankle_result(track.lower_ankle_m[rows])


def _bent_knee_deg(track: PersonTrack, rows: slice, side: str) -> float:
    """The knee that is said to be bent, by its side of the image; the mean of both where none is said."""
    knees_deg = np.median(track.knees_deg[rows], axis=0)
    if side not in ("image_left", "image_right") or not track.cameras:
        return float(knees_deg.mean())
    left_x, right_x = np.median(track.projected_px[rows][:, LOWER_LEGS, 0], axis=0)
    return float(knees_deg[int((left_x > right_x) == (side == "image_left"))])


def _travel_m(places_m: Float64) -> float:
    """The horizontal distance (m) that a point (M, 3) travels, from the 5th to the 95th percentile."""
    low, high = np.percentile(places_m[:, [0, 2]], (5, 95), axis=0)
    return float(np.hypot(*(high - low)))


def _way_m(track: PersonTrack, rows: slice, direction: str) -> float:
    """How far the hips travel in this direction from the range's beginning to its end."""
    if not track.cameras:
        return 0.0
    hips_m, (right, towards) = track.joints_m[rows, HIPS], heading_of(track.cameras[rows.stop - 1])
    axis = {"image_right": right, "image_left": -right, "to_camera": towards, "away": -towards}.get(direction)
    if axis is None:
        raise RecordingError(f"direction {direction!r} is not image_left, image_right, to_camera or away")
    return float((hips_m[-_ENDS:].mean(axis=0) - hips_m[:_ENDS].mean(axis=0)) @ axis)


def _yaw_result(track: PersonTrack, rows: slice, wanted_deg: float) -> _Result:
    rad = np.radians(track.yaw_deg[rows]) if track.cameras else np.zeros(1)
    got_deg = float(np.degrees(np.arctan2(np.median(np.sin(rad)), np.median(np.cos(rad)))))
    off_deg = abs((got_deg - wanted_deg + 180) % 360 - 180)
    return "yaw_deg", f"{got_deg:.0f}", f"{wanted_deg:g} within {_YAW_DEG:g}", off_deg <= _YAW_DEG


def _ankle_result(ankle_m: Float64) -> _Result:
    low, high = _ANKLE_M
    share = float(((ankle_m >= low) & (ankle_m <= high)).mean())
    got = f"{100 * _median(ankle_m):.0f} cm, {100 * share:.0f} % of the frames within"
    wanted = f"{100 * low:.0f} to {100 * high:.0f} cm in {100 * _ANKLE_SHARE:.0f} %"
    return "ankle", got, wanted, share >= _ANKLE_SHARE


def _median(values: Float64) -> float:
    return float(np.median(values))


def _at_most(name: str, value: float, most: float, unit: str = "") -> _Result:
    return name, f"{value:.1f}{unit}", f"at most {most:g}{unit}", value <= most


def _at_least(name: str, value: float, least: float, unit: str = "") -> _Result:
    return name, f"{value:.1f}{unit}", f"at least {least:g}{unit}", value >= least


def _between(name: str, value: float, low: float, high: float, unit: str = "") -> _Result:
    return name, f"{value:.1f}{unit}", f"{low:g} to {high:g}{unit}", low <= value <= high
