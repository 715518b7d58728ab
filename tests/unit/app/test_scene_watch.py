"""Scenes that poses cannot be right for: the poses stay sane, and the report says what was seen."""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from support.bodies import keypoints_of, points_of
from support.people import CAMERA

from realtime_pose.app.run import open_run
from realtime_pose.app.scene_watch import SceneWatch
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, Person, PersonBox
from realtime_pose.pipeline import assemble_pipeline
from realtime_pose.skeletons import COCO17, HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FPS, LONG = 10, 110  # frames a second, and the frames of 11 s
ROOM = cv2.GaussianBlur(
    cv2.resize(
        np.random.default_rng(0).integers(40, 216, (40, 60, 3)).astype(np.uint8),
        (1280, 960),
        interpolation=cv2.INTER_NEAREST,
    ),
    (0, 0),
    2,
)
FACE = [name for name in COCO17.names if name.partition("_")[2] in ("", "eye", "ear")]


@dataclass
class Scripted:
    """An estimator that returns given keypoints."""

    people: list = field(default_factory=list)
    name, runtime, device, layout, finds_people = "scripted", "none", "cpu", COCO17, True

    def estimate(self, frame, boxes):
        return self.people

    def close(self):
        pass


def standing(time_s, *, moves=True):
    """A person's local rotations: standing, arms and trunk moving."""
    local = RELAXED_XYZW.copy()
    if moves:
        local[0] = rot.from_rotvec([0.0, 0.2 * np.sin(time_s), 0.05 * np.sin(1.3 * time_s)])
        arm = HUMANOID.index["leftUpperArm"]
        local[arm] = rot.multiply(rot.from_axis_angle([1.0, 0.0, 0.0], np.array(0.5 * np.sin(3 * time_s))), local[arm])
    return local


def seated(time_s):
    """The same on a chair."""
    local = standing(time_s)
    for side in ("left", "right"):
        for bone, angle in (("UpperLeg", -1.5), ("LowerLeg", 1.5)):
            local[HUMANOID.index[f"{side}{bone}"]] = rot.from_axis_angle([1.0, 0.0, 0.0], np.array(angle))
    return local


def image_of(shift_px=(0.0, 0.0), zoom=1.0):
    matrix = cv2.getRotationMatrix2D((640.0, 480.0), 0.0, zoom)
    matrix[:, 2] += (CAMERA.width / 2 - 640 + shift_px[0], CAMERA.height / 2 - 480 + shift_px[1])
    return cv2.warpAffine(ROOM, matrix, (CAMERA.width, CAMERA.height))


STILL = image_of()


def play(body_of, *, image=lambda time_s: STILL, shift=lambda time_s: 0.0, zoom=lambda time_s: 1.0, noise_px=0.5,
         visible=COCO17.names, frames=LONG, pitch_deg=None):  # fmt: skip
    """The notes of a run, and its poses."""
    config = AppConfig().with_values({"body": {"camera_pitch_deg": pitch_deg}}, "test")
    estimator, watch, poses = Scripted(), SceneWatch(config), []
    pipeline = assemble_pipeline(config, estimator)
    score = np.isin(COCO17.names, visible) * 0.9
    for i in range(frames):
        time_s, time_ns = i / FPS, round(i / FPS * 1e9)
        seen = keypoints_of(
            points_of(body_of(time_s), root_m=(0.0, 0.0, -3.5)),
            time_ns=time_ns,
            score=score,
            noise_px=noise_px,
            seed=i,
        )
        middle = np.array([CAMERA.cx, CAMERA.cy])
        xy = (seen.xy_px - middle) * zoom(time_s) + middle + [0.0, shift(time_s)]
        estimator.people = [replace(seen, xy_px=as_float32(xy))]
        result = pipeline.step(Frame(image(time_s), i, time_ns, 0))
        watch.add(result)
        poses += [person.pose for person in result.people]
    check_sane(poses)
    return watch.notes(), poses


def check_sane(poses):
    """Finite, in the room, and without a jump."""
    assert poses
    roots = np.array([pose.root_m for pose in poses])
    local = np.array([pose.rotations.local_xyzw for pose in poses], dtype=float)
    assert np.isfinite(roots).all()
    assert np.isfinite(local).all()
    assert np.allclose(np.linalg.norm(local, axis=-1), 1.0, atol=1e-4)
    assert np.abs(roots).max() < 15
    assert np.linalg.norm(np.diff(roots, axis=0), axis=-1).max(initial=0.0) < 0.6
    assert np.degrees(rot.angle_between_rad(local[1:], local[:-1])).max(initial=0.0) < 60


def test_a_person_who_stands_before_a_fixed_camera_needs_no_note():
    assert play(standing)[0] == []


def test_a_camera_that_is_shaken_is_said():
    def shift(time_s):
        return 12 * np.sin(7.3 * time_s) * (time_s > 4)

    notes, _ = play(standing, image=lambda t: image_of((0.0, shift(t))), shift=shift)
    (note,) = notes
    assert note.startswith("The camera moved or shook for ")
    assert " of 1" in note
    assert note.endswith("Fix the camera to something.")


def test_a_camera_that_is_moved_once_is_said():
    def shift(time_s):
        return 90 * np.clip((time_s - 4) / 2, 0, 1)

    notes, _ = play(standing, image=lambda t: image_of((0.0, shift(t))), shift=shift)
    assert [note[:32] for note in notes] == ["The camera moved or shook for 2 "]


def test_zoom_is_said():
    def zoom(time_s):
        return 1 + 0.3 * np.clip((time_s - 3) / 5, 0, 1)

    notes, _ = play(standing, image=lambda t: image_of(zoom=zoom(t)), zoom=zoom)
    (note,) = notes
    assert "by a factor of 1.3;" in note


def test_a_picture_that_looks_like_a_person_is_said():
    notes, _ = play(lambda time_s: standing(time_s, moves=False))
    assert notes == ["Person 1 never moved: a picture or a statue? Turn the camera away from it, or cover it."]
    assert play(lambda time_s: standing(time_s, moves=time_s > 9))[0] == []  # somebody who stood still


def test_nobody_who_stands_is_said_unless_the_pitch_is_given():
    notes, _ = play(seated)
    (note,) = notes
    assert note.startswith("Nobody stood upright with the feet in view")
    assert "--camera-pitch" in note
    assert play(seated, pitch_deg=5.0)[0] == []
    upper = [name for name in COCO17.names if name.partition("_")[2] not in ("knee", "ankle")]
    assert play(standing, visible=upper)[0] == notes  # the feet are not in view


def test_only_a_head_is_said():
    notes, poses = play(standing, visible=FACE)
    (note,) = notes
    assert note.startswith("Only a head was in view")
    for pose in poses[2 * FPS :]:  # the body that is a guess hangs upright and quiet
        assert rot.rotate(pose.rotations.local_xyzw[0].astype(float), [0.0, 1.0, 0.0])[1] > np.cos(np.radians(25))


@pytest.mark.parametrize("body_of", [seated, lambda time_s: standing(time_s, moves=False)])
def test_short_clips_say_nothing_of_people(body_of):
    assert play(body_of, frames=2 * FPS)[0] == []


def test_nobody_at_all_and_time_that_runs_back_are_fine():
    watch, estimator = SceneWatch(AppConfig()), Scripted()
    pipeline = assemble_pipeline(AppConfig(), estimator)
    for i, time_s in enumerate((0.0, 1.0, 0.2, 5.0, 0.0)):
        watch.add(pipeline.step(Frame(STILL, i, round(time_s * 1e9), 0)))
    assert watch.notes() == []


def test_many_people_in_a_run_without_an_end_take_bounded_memory():
    watch = SceneWatch(AppConfig())
    box = PersonBox(as_float32([0.0, 0.0, 100.0, 200.0]), 0.9)
    for i in range(250):
        seen = keypoints_of(points_of(standing(0.0), root_m=(0.0, 0.0, -3.5)), track_id=i)
        watch.add(FrameResult(Frame(STILL, i, i * 10**9, 0), (Person(box, seen, None, None),)))
    assert len(watch._seen) == 100


def test_a_run_reports_what_it_saw(monkeypatch):
    monkeypatch.setattr(SceneWatch, "notes", lambda watch: [f"{watch._looks} looks at people"])
    config = AppConfig().with_values({"inference": {"estimator": "blazepose"}, "capture": {"source": "actor"}}, "test")
    with open_run(config, print, paced=False, max_frames=20) as run:
        assert run.runtime.wait(60.0)
    assert run.report()["warnings"] == ["2 looks at people"]
