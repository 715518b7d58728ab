"""Python API: `PoseInference`, `read_frames` and the conversions of their results."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.actor_frames import FACING, actor_frame
from support.bodies import human_local, keypoints_of, points_of

from realtime_pose import (
    COCO17,
    AppConfig,
    ArrayShapeError,
    BodyConfig,
    CaptureConfig,
    CaptureError,
    ConfigError,
    Frame,
    InferenceConfig,
    PersonBox,
    PersonKeypoints,
    PoseInference,
    RealtimePoseError,
    Runtime,
    UnknownChoiceError,
    open_source,
    read_frames,
)
from realtime_pose.body.profile import BodyProfile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.utils.arrays import as_float32

DOCS = Path(__file__).parents[2] / "docs" / "library.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
LEFT, RIGHT = (60.0, 60.0, 260.0, 460.0), (380.0, 60.0, 580.0, 460.0)
IMAGE = np.full((480, 640, 3), 90, np.uint8)


class Detector:
    """Finds people at two places."""

    closed = 0

    def detect(self, frame):
        return [PersonBox(as_float32(box), 0.9) for box in (LEFT, RIGHT)]

    def close(self):
        self.closed += 1


class Estimator:
    """Finds a body in each box; its hands rise from frame to frame."""

    name, runtime, precision, device, model_hash = "made-up", "nothing", "fp32", "cpu", "0" * 64
    layout, finds_people = COCO17, False

    def __init__(self):
        self.closed, self.frames = 0, []

    def estimate(self, frame, boxes):
        self.frames.append(frame)
        return [self._person(box, frame) for box in boxes]

    def _person(self, box, frame):
        x = float(box.bbox_xyxy_px[[0, 2]].mean() - 320) / 554 * 3
        body = points_of(human_local(0, reach=0.2 + 0.1 * (frame.index % 3)), root_m=(x, 0.0, -3.0))
        seen = keypoints_of(body, track_id=box.track_id)
        return PersonKeypoints(COCO17, seen.xy_px, seen.score, box.track_id, frame.time_ns)

    def close(self):
        self.closed += 1


class Following(Estimator):
    """Follows one person with a tracker of its own, until it is reset."""

    finds_people = True

    def __init__(self):
        super().__init__()
        self.forgot = 0

    def estimate(self, frame, boxes):
        self.frames.append(frame)
        return [self._person(PersonBox(as_float32(LEFT), 1.0, 1), frame)]

    def reset(self):
        self.forgot += 1


def made(is_video=True, persons=2, body=None, **more):
    config = AppConfig(inference=InferenceConfig(persons=persons), body=body or BodyConfig())
    given = {"estimator": Estimator(), "detector": Detector()} | more
    return PoseInference(config, is_video=is_video, **given)


def rotations(result):
    return np.stack([person.pose.rotations.local_xyzw for person in result.people])


def names(result):
    return [person.box.track_id for person in result.people]


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_every_person_has_keypoints_joints_and_rotations():
    result = made().inference(IMAGE)
    assert names(result) == [1, 2]
    for person in result.people:
        assert person.keypoints.xy_px.shape == (17, 2)
        assert person.joints.xyz_m.shape == (17, 3)
        assert person.pose.rotations.local_xyzw.shape == (17, 4)


def test_a_video_keeps_ids_and_smooths_and_single_images_do_not():
    video, still = made(), made(is_video=False)
    of_video = [video.inference(IMAGE) for _ in range(4)]
    of_stills = [still.inference(IMAGE) for _ in range(4)]
    assert [names(result) for result in of_video] == [[1, 2]] * 4
    np.testing.assert_array_equal(rotations(of_video[0]), rotations(of_stills[0]))
    np.testing.assert_array_equal(rotations(of_stills[3]), rotations(of_stills[0]))  # the same hands, nothing before
    assert np.abs(rotations(of_video[3]) - rotations(of_stills[3])).max() > 1e-3


def test_a_reset_starts_again_and_keeps_the_models():
    model = made()
    first = [rotations(model.inference(IMAGE)) for _ in range(3)]
    model.reset()
    again = [model.inference(IMAGE) for _ in range(3)]
    for before, after in zip(first, again, strict=True):
        np.testing.assert_array_equal(before, rotations(after))
    assert [result.frame.index for result in again] == [0, 1, 2]
    assert names(again[0]) == [1, 2]
    assert model.estimator.closed == 0


def test_smoothing_is_from_the_settings_and_uses_the_given_time():
    def last(smoothing, period_s=None):
        model = made(body=BodyConfig(smoothing=smoothing))
        for i in range(3):
            result = model.inference(IMAGE, None if period_s is None else i * period_s)
        return rotations(result)

    usual = last("smooth")
    assert np.abs(last("none") - usual).max() > 0.02
    assert np.abs(last("smooth", 0.2) - usual).max() > 0.02
    np.testing.assert_allclose(last("smooth", 1 / 30), usual, atol=1e-5)


def test_times_are_those_given_else_a_thirtieth_of_a_second_apart():
    model = made()
    times = [model.inference(IMAGE, time_s).frame.time_ns for time_s in (None, None, 1.0, None)]
    assert times == [0, 33_333_333, 1_000_000_000, 1_033_333_333]
    frame = Frame(IMAGE.copy(), 7, 42, 0)
    assert model.inference(frame).frame is frame


def test_looking_ahead_is_left_to_files_and_never_leaves_a_stream_unsmoothed():
    ahead, usual = made(body=BodyConfig(look_ahead=True)), made()
    for _ in range(3):
        np.testing.assert_array_equal(rotations(ahead.inference(IMAGE)), rotations(usual.inference(IMAGE)))


def test_a_profile_gives_the_height_unless_one_is_set(tmp_path):
    tall = BodyDimensions.of_height(2.0)
    BodyProfile(2.0, {name: getattr(tall, name) for name in LENGTHS}).save(tmp_path / "tall.json")
    profile = str(tmp_path / "tall.json")

    def bones_m(body):
        return made(body=body).inference(IMAGE).people[0].pose.bone_m.sum()

    assert bones_m(BodyConfig(profile=profile)) == pytest.approx(bones_m(BodyConfig(height_m=2.0)), rel=0.03)
    for height_m in (1.5, 1.70):  # 1.70 is what the default is too
        given = BodyConfig(profile=profile, height_m=height_m)
        assert bones_m(given) == pytest.approx(bones_m(BodyConfig(height_m=height_m)), rel=0.03)


def test_the_callers_image_is_copied():
    image = IMAGE.copy()
    result = made().inference(image)
    image[:] = 0  # may be written, and changes nothing
    assert (result.frame.image_bgr == 90).all()
    np.testing.assert_array_equal(made().inference(IMAGE[:, ::-1]).frame.image_bgr, IMAGE[:, ::-1])


@pytest.mark.parametrize("is_video", [True, False])
def test_the_time_of_every_stage_is_measured(is_video):
    model = made(is_video)
    for _ in range(2):
        model.inference(IMAGE)
        assert set(model.stopwatch.take()) == {"detect", "estimate", "lift", "solve", "filter"}


# --- drawing ----------------------------------------------------------------------------------------------------------


def test_drawing_returns_a_new_image():
    model = made()
    model.inference(IMAGE)
    drawn, boxed, plain = model.draw(), model.draw(boxes=True), model.draw(ids=False)
    assert drawn.shape == IMAGE.shape
    drawn[:] = 0  # it is the caller's
    assert (model.draw() != IMAGE).any()
    assert (boxed != plain).any(axis=2).sum() > (model.draw() != plain).any(axis=2).sum() > 0


def test_nothing_can_be_drawn_before_an_image_or_after_a_reset():
    model = made()
    with pytest.raises(RealtimePoseError, match=r"no image to draw on yet; call inference\(image\) first"):
        model.draw()
    model.inference(IMAGE)
    model.reset()
    with pytest.raises(RealtimePoseError, match="no image to draw on yet"):
        model.draw()


# --- estimators of one's own ------------------------------------------------------------------------------------------


def test_an_estimator_with_a_tracker_is_reset():
    stream, stills = (made(is_video, 1, estimator=Following(), detector=None) for is_video in (True, False))
    begun = stream.estimator.forgot
    for _ in range(3):
        assert names(stream.inference(IMAGE)) == [1]
        stills.inference(IMAGE)
    assert stream.estimator.forgot == begun
    assert stills.estimator.forgot >= begun + 3
    stream.reset()
    assert stream.estimator.forgot == begun + 1


def test_more_people_than_it_can_follow_are_reported():
    notices = []
    made(persons=3, estimator=Following(), detector=None, notify=notices.append)
    assert notices == ["made-up follows one person, not 3; ViTPose can do more."]


class Halfway:
    name = "half"
    finds_people = False

    def estimate(self, frame, boxes):
        return []


def test_missing_members_are_named_before_anything_is_loaded():
    with pytest.raises(
        ConfigError, match=r"the estimator Halfway has no runtime, precision, .*layout, close; see realtime"
    ):
        PoseInference(estimator=Halfway())
    with pytest.raises(ConfigError, match="the detector Halfway has no detect, close"):
        PoseInference(estimator=Estimator(), detector=Halfway())


def test_models_are_closed_once_those_given_too():
    with made() as model:
        detector = model._detector
        model.inference(IMAGE)
    model.close()
    assert (model.estimator.closed, detector.closed) == (1, 1)
    with pytest.raises(RealtimePoseError, match="is closed; construct another one"):
        model.inference(IMAGE)


class Kept:
    def __init__(self):
        self.results, self.closed = [], False

    def send(self, result):
        self.results.append(result)

    def close(self):
        self.closed = True


def test_a_runtime_takes_it_with_sinks_of_ones_own():
    model, quick, slow = made(), Kept(), Kept()
    runtime = Runtime(open_source(CaptureConfig("actor")), model, [quick], [slow], max_frames=6)
    runtime.start()
    assert runtime.wait(60)
    runtime.stop()
    runtime.raise_if_failed()
    for sink in (quick, slow):
        assert [result.frame.index for result in sink.results] == [0, 1, 2, 3, 4, 5]
        assert sink.closed
    assert model.estimator.closed == 1
    assert {"capture", "detect", "estimate", "lift", "solve", "filter", "send"} <= runtime.statistics.figures()[
        "stages_ms"
    ].keys()


# --- the program's own estimator --------------------------------------------------------------------------------------


def test_blazepose_forgets_at_a_reset_and_between_images(monkeypatch):
    config = AppConfig(inference=InferenceConfig(estimator="blazepose"))
    frames = [actor_frame(20 + i) for i in range(3)]

    def last_of(model, reset):
        for frame in frames[:2]:
            model.inference(frame)
        if reset:
            model.reset()
        return model.inference(frames[2]).people[0].keypoints.xy_px

    with PoseInference(config) as stills, PoseInference(config, is_video=True) as stream:
        assert stills.described == "blazepose with openvino fp32 on cpu"
        alone, followed, fresh = last_of(stills, False), last_of(stream, False), last_of(stream, True)
    assert np.abs(followed - alone).max() > 0.1
    np.testing.assert_allclose(fresh, alone, atol=0.01)


def test_a_wrong_name_is_refused_with_those_there_are():
    with pytest.raises(UnknownChoiceError, match="is not one of: auto, blazepose"):
        PoseInference(AppConfig(inference=InferenceConfig(estimator="vitpos")))


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, r"the image is None, wanted an array .*for a file that it cannot read"),
        ("me.jpg", r"the image is 'me\.jpg', wanted an array"),
        (np.zeros((48, 64, 3)), "an array of float64, wanted an array"),
        (np.zeros((0, 64, 3), np.uint8), r"the image is empty: its shape is \(0, 64, 3\)"),
    ],
)
def test_objects_that_are_no_images_are_refused_in_plain_words(given, words):
    with pytest.raises(CaptureError, match=words):
        made().inference(given)


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 4), (1, 48, 64, 3)])
def test_an_image_of_another_shape_is_refused(shape):
    with pytest.raises(ArrayShapeError, match=rf"the image has shape {re.escape(str(shape))}, wanted \(any, any, 3\)"):
        made().inference(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("time_s", [float("nan"), float("inf")])
def test_a_time_that_is_not_finite_is_refused(time_s):
    with pytest.raises(ConfigError, match="wanted seconds"):
        made().inference(IMAGE, time_s)


def test_an_image_of_one_pixel_has_no_people():
    config = AppConfig(inference=InferenceConfig(estimator="blazepose"))
    with PoseInference(config) as model:
        assert model.inference(np.zeros((1, 1, 3), np.uint8)).people == ()


# --- frames -----------------------------------------------------------------------------------------------------------


def test_frames_of_a_file_come_with_their_times(tmp_path):
    clip = tmp_path / "dance.mp4"
    write_clip(clip, 6)
    frames = list(read_frames(clip))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [round(frame.time_ns / 1e6) for frame in frames] == [0, 33, 67, 100, 133, 167]
    turned = next(read_frames(CaptureConfig(str(clip), rotate_deg=90)))
    assert (turned.width, turned.height) == (480, 640)


class Faulty:
    """A camera without a frame at first, then with a fault, then ended."""

    def __init__(self):
        self.answers, self.notices, self.closed = [None, actor_frame(FACING)], [], False

    def read(self):
        if not self.answers:
            self.notices.append("the end is damaged")
            raise CaptureError("gone")
        return self.answers.pop(0)

    def close(self):
        self.closed = True


def test_a_source_is_always_closed_and_its_faults_are_logged(monkeypatch, caplog):
    source = Faulty()
    monkeypatch.setattr("realtime_pose.api.open_source", lambda config: source)
    frames = read_frames(0)
    assert next(frames).index == FACING  # the missing frame was skipped
    with pytest.raises(CaptureError, match="gone"):
        next(frames)
    assert source.closed
    assert caplog.messages == ["the end is damaged"]

    source = Faulty()
    frames = read_frames(0)
    next(frames)
    frames.close()
    assert source.closed


def test_a_source_that_is_not_there_is_refused():
    with pytest.raises(CaptureError, match="no-such-file"):
        next(read_frames("no-such-file.mp4"))


# --- the documentation ------------------------------------------------------------------------------------------------


def write_clip(path, frames):
    height, width = actor_frame(0).image_bgr.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (width, height))
    for index in range(frames):
        writer.write(actor_frame(index).image_bgr)
    writer.release()


def test_the_documentation_has_programs():
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("block", BLOCKS, ids=[block.strip().splitlines()[0][:50] for block in BLOCKS])
def test_each_program_in_the_documentation_runs(block, tmp_path, monkeypatch, capsys):
    """Run beside the files that it names; the output is that of its comments."""
    if "supervision" in block:
        pytest.importorskip("supervision", reason="supervision is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "dance.mp4", 8)
    cv2.imwrite("me.jpg", actor_frame(FACING).image_bgr)
    exec(compile(block, str(DOCS), "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    for line in re.findall(r"print\(.*\)  # (.+)", block):
        assert line in printed
