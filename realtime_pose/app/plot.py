"""Plot of a session: one person's motion as an HTML page with figures and notes."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_pose.app.take import SESSION
from realtime_pose.body.joint_angles import ANGLES, angles_over_time
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.figures.latency import latency_figure
from realtime_pose.figures.motion import INTERVALS, angles_figure, foot_height_figure, root_path_figure
from realtime_pose.figures.page import PlotPage, played_rows
from realtime_pose.figures.person_motion import PersonMotion, motion_of
from realtime_pose.figures.skeleton import BOX_M, skeleton_figure
from realtime_pose.filters.foot_contact import contacts_of
from realtime_pose.report import STAGES
from realtime_pose.session.reader import Session
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Bool

REPORT = "report.json"
"""Name of the run's report beside a session, which has its latency."""
_MAX_TEXT = 120


@dataclass(frozen=True)
class _Contents:
    """All poses of a session: by person and row, and each row's frame number and media time."""

    poses: dict[int, dict[int, SkeletonPose]]
    frames: list[int]
    times_s: list[float]


def plot_session(
    session: Session,
    *,
    person: int | None = None,
    frame: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PlotPage:
    """The page for one person of a session.

    Args:
        session: The session.
        person: The person's id; None selects the one with the most frames.
        frame: The source's index of the frame whose skeleton is shown first; None selects the person's first.
        progress: Called with the bytes read and the bytes in total.

    Raises:
        ConfigError: There is no such person, or they have no pose in that frame.
        RecordingError: The session is damaged, or nobody in it has a pose.
    """
    contents = _read(session, progress)
    track_id = _select(session, contents, person)
    own = contents.poses[track_id]
    start, end = min(own), max(own) + 1
    poses = [own.get(row) for row in range(start, end)]
    motion = motion_of(poses, contents.frames[start:end], contents.times_s[start:end])
    row = _row(session, motion, frame)
    notes: list[str] = []
    charts: dict[str, Any] = {}
    feet = foot_height_figure(motion, _contacts(motion, poses))
    if feet is not None:
        charts["feet"] = ("", feet)
    if motion.figure.skeleton is HUMANOID:
        angles = angles_over_time(motion.local_xyzw, motion.score)
        charts["angles"] = ("Joint angles", angles_figure(motion.time_s, dict(zip(ANGLES, angles.T, strict=True))))
    else:
        notes.append("Joint angles are defined for the program's own skeleton only; this session has another.")
    charts["path"] = ("", root_path_figure(motion))
    stages = stages_beside(session, len(contents.frames), notes)
    if stages is not None:
        charts["latency"] = ("", latency_figure(*stages))
    shown = poses[row]
    assert shown is not None  # `row_of` returns rows with a pose
    return PlotPage(
        title=_short(session.path.resolve().parent.name if session.path.name == SESSION else session.path.stem),
        facts=_facts(session, motion),
        motion=motion,
        row=row,
        skeleton=skeleton_figure(shown, box_m=_box_m(motion)),
        charts=charts,
        timed=[name for name in ("feet", "angles") if name in charts],
        notes=[*_drawing_notes(session, motion, row), *_others(contents, track_id), *notes],
    )


def _read(session: Session, progress: Callable[[int, int], None]) -> _Contents:
    contents = _Contents({}, [], [])
    for row, result in enumerate(session.frames()):
        contents.frames.append(result.frame.index)
        contents.times_s.append(result.frame.time_ns / 1e9)
        for person in result.people:
            if person.pose is not None and np.isfinite(person.pose.root_m).all():
                contents.poses.setdefault(person.keypoints.track_id, {})[row] = person.pose
        progress(session.bytes_read, session.size_bytes)
    return contents


def _select(session: Session, contents: _Contents, person: int | None) -> int:
    if not contents.poses:
        raise RecordingError(f"{session.path} has nobody with a pose; record it with a person in view")
    if person is None:
        return max(contents.poses, key=lambda track_id: len(contents.poses[track_id]))
    if person not in contents.poses:
        known = ", ".join(map(str, sorted(contents.poses)))
        raise ConfigError(f"--person {person} has no pose in {session.path}, which has: {known}")
    return person


def _row(session: Session, motion: PersonMotion, frame: int | None) -> int:
    present = np.flatnonzero(motion.present)
    if not len(present):
        raise RecordingError(f"{session.path}: person {motion.track_id} has no pose that can be drawn; record it again")
    if frame is None:
        return int(present[0])
    row = motion.row_of(frame)
    if row is None:
        nearest = motion.frame[present[np.abs(motion.frame[present] - frame).argmin()]]
        raise ConfigError(
            f"--frame {frame}: person {motion.track_id} has no pose in that frame of {session.path}; "
            f"the nearest is {nearest}"
        )
    return row


def _contacts(motion: PersonMotion, poses: list[SkeletonPose | None]) -> Bool | None:
    """(T, 2) whether the left and the right foot are on the floor; None for another skeleton than HUMANOID."""
    if motion.figure.skeleton is not HUMANOID:
        return None
    out = np.zeros((len(poses), 2), dtype=np.bool_)
    present = np.flatnonzero(motion.present)
    given = [pose for row in present if (pose := poses[row]) is not None]
    recorded = [pose.foot_contact for pose in given if pose.foot_contact is not None]
    if given:
        out[present] = recorded if len(recorded) == len(given) else contacts_of(given)  # older sessions have none
    return out


def _box_m(motion: PersonMotion) -> tuple[float, float]:
    """Lowest and highest point to show: nearly every pose fits, and a few outliers do not make all others small."""
    heights = motion.points_m[motion.present, :, 1]
    low, high = np.percentile(heights.min(axis=1), 1), np.percentile(heights.max(axis=1), 99)
    return float(np.clip(low - 0.1, -2.0, BOX_M[0])), float(np.clip(high + 0.1, BOX_M[1], 4.0))


def stages_beside(session: Session, frames: int, notes: list[str]) -> tuple[dict[str, Any], Any] | None:
    """Percentiles of each stage's time and of the latency, from the run's report beside the session.

    Args:
        session: The session.
        frames: Its number of frames, to recognise the report of another run.
        notes: Receives the reason if there are none.
    """
    try:
        report = json.loads(session.path.with_name(REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        notes.append(
            f"No times by stage: a session does not keep them. To draw them, write the run's report beside it with "
            f"--report TAKE/{REPORT}."
        )
        return None
    except (OSError, ValueError, RecursionError):
        report = None
    if not isinstance(report, dict) or not isinstance(report.get("stages_ms"), dict):
        notes.append(f"{REPORT} beside the session is not the report of a run; times by stage are left out.")
        return None
    if report.get("frames") != frames or report.get("source") != session.settings.get("source"):
        notes.append(f"{REPORT} beside the session belongs to another run; times by stage are left out.")
        return None
    latency = _percentiles(report.get("latency_ms"))
    stages = {stage: _percentiles(report["stages_ms"].get(stage)) for stage in STAGES}
    return stages, latency if latency["p50"] is not None else None


def _percentiles(given: Any) -> dict[str, float | None]:  # noqa: ANN401 - anything a file may hold
    """p50 and p95 if both are numbers, otherwise None for both."""
    values = [given.get(name) for name in ("p50", "p95")] if isinstance(given, dict) else []
    usable = len(values) == 2 and all(
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) for value in values
    )
    return dict(zip(("p50", "p95"), values if usable else (None, None), strict=True))


def _facts(session: Session, motion: PersonMotion) -> str:
    model = session.settings.get("model")
    name, source = model.get("name") if isinstance(model, dict) else None, session.settings.get("source")
    seconds = float(motion.time_s[-1] - motion.time_s[0])
    frames = f"{int(motion.present.sum()):,} frames in {seconds:.1f} s"
    origin = [_short(str(name))] * bool(name) + [f"source {_short(str(source))}"] * bool(source)
    return " · ".join([f"person {motion.track_id}", frames, *origin])


def _drawing_notes(session: Session, motion: PersonMotion, row: int) -> list[str]:
    """Notes on gaps, thinning and missing frames."""
    count, held = len(motion.frame), len(played_rows(motion, row))
    notes = ["A gap in a line: the joint was occluded (score 0), or the person was not in view."]
    if held < count:
        notes.append(f"The skeleton plays {held:,} of {count:,} frames, evenly spaced; --frame N shows any other.")
    if count > 2 * INTERVALS:
        notes.append(
            f"The curves are thinned: of each {count / INTERVALS:.0f} of the {count:,} frames a curve shows the lowest "
            "and the highest value."
        )
    if session.truncated:
        notes.append("The session's end is missing; it is drawn up to its last whole frame.")
    return notes


def _others(contents: _Contents, track_id: int) -> list[str]:
    others = [f"{i} ({len(poses):,} frames)" for i, poses in sorted(contents.poses.items()) if i != track_id]
    if not others:
        return []
    more = f" and {len(others) - 20} more" if len(others) > 20 else ""
    return [f"Also in this session: person {', '.join(others[:20])}{more}. Draw one with --person ID."]


def _short(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"
