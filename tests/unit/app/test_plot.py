"""Plots of sessions: the person and figures drawn, the notes, and plain errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.people import make_clip, make_person, make_pose, make_result

from realtime_pose.app import plot as plotting
from realtime_pose.app.plot import REPORT, plot_session
from realtime_pose.app.take import SESSION, open_session
from realtime_pose.datatypes import JointRotations
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import as_float32

SETTINGS = {"fps": 30.0, "model": {"name": "vitpose-s"}, "source": "clip.mp4"}
STAGES_MS = {"capture": {"p50": 1.0, "p95": 2.0}, "estimate": {"p50": 20.0, "p95": 30.0}}
REPORTED = {"frames": 12, "source": "clip.mp4", "stages_ms": STAGES_MS, "latency_ms": {"p50": 22.0, "p95": 33.0}}


def session_of(folder, results, settings=SETTINGS):
    folder.mkdir(exist_ok=True)
    recorder = SessionRecorder(folder / SESSION, settings)
    for result in results:
        recorder.send(result)
    recorder.close()
    return open_session(folder)


@pytest.fixture
def session(tmp_path):
    return session_of(tmp_path / "take", make_clip(12))


def two_people():
    """Person 0 in frames 100 to 103 except 102, person 7 in 100 to 109."""
    results = []
    for i in range(10):
        people = [make_person(7, track_id=7)]
        if i in (0, 1, 3):
            people.append(make_person(0, track_id=0))
        results.append(make_result(people, index=100 + i, time_ns=i * 40_000_000))
    return results


def test_all_figures_of_a_take_with_its_report(session):
    session.path.with_name(REPORT).write_text(json.dumps(REPORTED))
    page = plot_session(session)
    assert list(page.charts) == ["feet", "angles", "path", "latency"]
    assert page.charts["latency"][1].data[0].x == (1.0, 20.0, 22.0)
    assert page.title == "take"
    assert page.facts == "person 0 · 12 frames in 0.4 s · vitpose-s · source clip.mp4"
    assert page.timed == ["feet", "angles"]
    assert page.row == 0


def test_the_person_seen_most_is_drawn_and_the_others_are_named(tmp_path):
    page = plot_session(session_of(tmp_path / "t", two_people()))
    assert page.motion.track_id == 7
    assert page.motion.frame.tolist() == list(range(100, 110))
    assert "Also in this session: person 0 (3 frames). Draw one with --person ID." in page.notes


def test_a_person_from_their_first_frame_to_their_last(tmp_path):
    page = plot_session(session_of(tmp_path / "t", two_people()), person=0, frame=103)
    assert page.motion.frame.tolist() == [100, 101, 102, 103]
    assert page.motion.present.tolist() == [True, True, False, True]
    assert page.row == 3
    assert "3 frames" in page.facts


def test_a_person_of_negative_name_can_be_drawn(tmp_path):
    page = plot_session(session_of(tmp_path / "t", [make_result([make_person(1, track_id=-1)])]), person=-1)
    assert page.motion.track_id == -1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"person": 3}, r"--person 3 has no pose in .*session.rtpose, which has: 0, 7"),
        ({"person": 0, "frame": 102}, r"--frame 102: person 0 has no pose in that frame of .*; the nearest is 10[13]"),
        ({"frame": 5000}, r"--frame 5000: person 7 has no pose in that frame of .*; the nearest is 109"),
    ],
)
def test_missing_choices_are_named_with_the_existing_ones(tmp_path, wanted, said):
    with pytest.raises(ConfigError, match=said):
        plot_session(session_of(tmp_path / "t", two_people()), **wanted)


@pytest.mark.parametrize("results", [[], [make_result()], [make_result([make_person(0, with_pose=False)])]])
def test_a_session_without_poses_is_refused_in_a_sentence(tmp_path, results):
    with pytest.raises(RecordingError, match="has nobody with a pose; record it with a person in view"):
        plot_session(session_of(tmp_path / "t", results))


def test_poses_that_are_not_finite_are_skipped(tmp_path):
    clip = make_clip(4)
    poses = [result.people[0].pose for result in clip]
    bad = [
        replace(poses[0], root_m=as_float32([np.nan, 0, 0])),
        replace(poses[1], bone_m=as_float32(np.full(17, np.inf))),
        poses[2],
        replace(poses[3], rotations=JointRotations(poses[3].rotations.skeleton, as_float32(np.full((17, 4), np.nan)))),
    ]
    results = [replace(r, people=(replace(r.people[0], pose=p),)) for r, p in zip(clip, bad, strict=True)]
    page = plot_session(session_of(tmp_path / "t", results))
    assert page.motion.frame[page.row] == 2
    with pytest.raises(RecordingError, match="has nobody with a pose"):
        plot_session(session_of(tmp_path / "u", [results[1], results[3]]))


def test_bars_show_when_each_foot_stands(tmp_path):
    """A person stands for a second, jumps for 0.4 s and is out of view in the middle of it, and stands again."""
    clip, pose = make_clip(60), make_pose(0, turn_rad=0.0)
    results = []
    for i, result in enumerate(clip):
        height = 0.9 + (0.3 if 30 <= i < 42 else 0.0)
        own = replace(pose, root_m=as_float32([0, height, 0]), time_ns=result.frame.time_ns)
        results.append(replace(result, people=() if i == 36 else (replace(result.people[0], pose=own),)))
    figure = plot_session(session_of(tmp_path / "t", results)).charts["feet"][1]
    for bars in figure.data[2:]:
        spans = bars.x.reshape(-1, 3)[:, :2]
        assert len(spans) == 2
        assert spans == pytest.approx(np.array([[0, 1.0], [1.4, 59 / 30]]), abs=0.15)


def test_another_skeleton_is_drawn_without_the_angles(tmp_path):
    skeleton = Skeleton("stick", ("a", "b"), (-1, 0), np.array([[0.0, 1, 0], [0, 0.5, 0]]), {})
    pose = replace(
        make_pose(0),
        rotations=JointRotations(skeleton, as_float32([[0, 0, 0, 1]] * 2)),
        bone_m=as_float32([0, 0.5]),
        score=as_float32([1, 1]),
    )
    page = plot_session(session_of(tmp_path / "t", [make_result([replace(make_person(0), pose=pose)])]))
    assert list(page.charts) == ["path"]
    assert any("another" in note for note in page.notes)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (None, "No times by stage"),
        ("{", "not the report of a run"),
        ('{"files": []}', "not the report of a run"),
        ("[" * 100_000, "not the report of a run"),
        (json.dumps(REPORTED | {"frames": 13}), "belongs to another run"),
        (json.dumps(REPORTED | {"source": "0"}), "belongs to another run"),
    ],
)
def test_a_missing_run_report_is_noted_on_the_page(session, report, said):
    if report is not None:
        session.path.with_name(REPORT).write_text(report)
    page = plot_session(session)
    assert "latency" not in page.charts
    assert any(said in note for note in page.notes)


@pytest.mark.parametrize("odd", ["<b>", True, None, {}, [1], float("nan"), float("inf")])
def test_a_report_with_odd_figures_loses_those_alone(session, odd):
    stages = {**STAGES_MS, "solve": {"p50": odd, "p95": 1.0}, "lift": odd, "<script>": {"p50": 1, "p95": 2}}
    report = REPORTED | {"stages_ms": stages, "latency_ms": odd}
    session.path.with_name(REPORT).write_text(json.dumps(report))
    assert plot_session(session).charts["latency"][1].data[0].y == ("capture", "estimate")


def test_settings_of_any_kind_are_shown_as_text(tmp_path):
    odd = {"model": ["x"], "source": {"a": "<script>"}}
    assert plot_session(session_of(tmp_path / "t", make_clip(2), odd)).facts.endswith("source {'a': '<script>'}")
    long = {"source": "x" * 10_000}
    assert len(plot_session(session_of(tmp_path / "u", make_clip(2), long)).facts) < 200


def test_thinning_is_noted(tmp_path, monkeypatch, session):
    assert not [note for note in plot_session(session).notes if "thinned" in note or "evenly" in note]
    monkeypatch.setattr(plotting, "INTERVALS", 4)
    monkeypatch.setattr("realtime_pose.figures.page.PLAYED_FRAMES", 6)
    notes = plot_session(session).notes
    assert "The skeleton plays 6 of 12 frames, evenly spaced; --frame N shows any other." in notes
    assert any("of each 3 of the 12 frames" in note for note in notes)


def test_a_truncated_session_is_noted(session):
    data = session.path.read_bytes()
    session.path.write_bytes(data[:-5])
    page = plot_session(open_session(session.path))
    assert "The session's end is missing; it is drawn up to its last whole frame." in page.notes
    assert len(page.motion.frame) == 11


def test_progress_reaches_the_files_end(session):
    told = []
    plot_session(session, progress=lambda done, total: told.append((done, total)))
    assert len(told) == 12
    assert told[-1][0] == told[-1][1] == session.size_bytes


def test_recorded_foot_contacts_are_drawn_as_they_were_decided(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plotting, "foot_height_figure", lambda motion, contacts: drawn.append(contacts))
    contact = np.array([True, False])
    clip = [
        replace(result, people=tuple(replace(p, pose=replace(p.pose, foot_contact=contact)) for p in result.people))
        for result in make_clip(8)
    ]
    plot_session(session_of(tmp_path / "take", clip))
    assert drawn[0].tolist() == [[True, False]] * 8
