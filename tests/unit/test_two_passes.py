"""Two passes: camera, floor and bones of the whole clip from its first frame on; files that change are refused."""

import numpy as np
import pytest
from support.lifting import FPS, make_case

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, Person, PersonBox
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.pipeline import build_body
from realtime_pose.two_passes import SecondPass, poses_of_clip
from realtime_pose.utils.arrays import as_float32, black_image
from realtime_pose.utils.stopwatch import Stopwatch

CASE = make_case(60)
AHEAD = AppConfig().with_values({"body": {"look_ahead": True}}, "test")


def seen(index, image=None):
    """A frame of the case with its person's keypoints."""
    time_ns = round(index / FPS * 1e9)
    frame = Frame(black_image(640, 480) if image is None else image, index, time_ns, time_ns)
    box = PersonBox(as_float32((0, 0, 640, 480)), 1.0, 1)
    return FrameResult(frame, (Person(box, CASE.keypoints(index, 1), None, None),))


def clip():
    return [seen(index) for index in range(len(CASE.xy_px))]


class FakeFile:
    """The images of the case again, each with its number as its colour; `changed` alters what comes at that frame."""

    def __init__(self, frames=60, changed=None):
        self._frames, self._changed, self._next, self.closed = frames, changed, 0, False

    def read(self):
        if self._next >= self._frames:
            raise EndOfStream("over")
        index, self._next = self._next, self._next + 1
        time_ns = round(index / FPS * 1e9) + (5 if index == self._changed else 0)
        return Frame(np.full((480, 640, 3), index, np.uint8), index, time_ns, 0)

    def close(self):
        self.closed = True


def second_pass(open_again, config=AHEAD):
    body = build_body(config)
    stage = SecondPass(body, config, open_again)
    for result in clip():
        (person,) = result.people
        made = body.person_of(person.keypoints.sane(), result.frame, Stopwatch())
        assert list(stage.feed(FrameResult(result.frame, (made,)))) == []
    return stage


def test_bones_camera_and_height_are_those_of_the_clip_from_its_first_frame_on():
    live, two = (list(poses_of_clip(clip, config)) for config in (AppConfig(), AHEAD))
    assert len(live) == len(two) == len(CASE.xy_px)
    bones = np.array([result.people[0].pose.bone_m for result in two])
    assert np.array_equal(bones, np.broadcast_to(bones[0], bones.shape))
    for of_camera, largest in ((lambda c: c.pitch_deg, 0.3), (lambda c: c.position_m[1], 0.02)):
        drift = [abs(of_camera(run[0].camera) - of_camera(run[-1].camera)) for run in (live, two)]
        assert drift[1] < largest
        assert drift[1] < drift[0]


def test_each_frame_of_each_pass_is_told():
    told = []
    list(poses_of_clip(clip, AHEAD, lambda: told.append(1)))
    assert len(told) == 2 * len(CASE.xy_px)


def test_the_stage_gives_what_the_clip_gives_and_puts_the_images_back():
    source = FakeFile()
    made, wanted = list(second_pass(lambda: source).flush()), list(poses_of_clip(clip, AHEAD))
    for one, other in zip(made, wanted, strict=True):
        assert np.array_equal(one.people[0].pose.rotations.local_xyzw, other.people[0].pose.rotations.local_xyzw)
        assert np.array_equal(one.people[0].pose.root_m, other.people[0].pose.root_m)
    assert [result.frame.image_bgr[0, 0, 0] for result in made] == list(range(60))
    assert source.closed


def test_without_need_of_images_the_source_is_not_opened_again():
    made = list(second_pass(None).flush())
    assert [result.frame.index for result in made] == list(range(60))
    assert made[0].frame.image_bgr.shape == (480, 640, 3)


def test_nothing_is_smoothed_without_a_preset_and_two_passes_still_count():
    config = AHEAD.with_values({"body": {"smoothing": "none"}}, "test")
    made = list(second_pass(FakeFile, config).flush())
    bones = np.array([result.people[0].pose.bone_m for result in made])
    assert np.array_equal(bones, np.broadcast_to(bones[0], bones.shape))


@pytest.mark.parametrize("changed", [FakeFile(frames=40), FakeFile(changed=40)])
def test_a_file_that_changed_between_the_readings_is_refused_and_what_came_before_is_kept(changed):
    made = []
    with pytest.raises(CaptureError, match=r"changed between its first and its second reading, at 1\.3. s"):
        made.extend(second_pass(lambda: changed).flush())
    assert changed.closed
    assert len(made) <= 40


def test_a_clip_of_nobody_stays_one():
    empty = [FrameResult(seen(index).frame, ()) for index in range(10)]
    assert [result.people for result in poses_of_clip(lambda: empty, AHEAD)] == [()] * 10
