"""Motion of the background: known shifts, turns and zooms of a room are found; people and plain walls say nothing."""

import cv2
import numpy as np
import pytest

from realtime_pose.datatypes import PersonBox
from realtime_pose.inference.tracking.background_motion import BackgroundMotion

WIDTH, HEIGHT = 640, 360


def room(seed=0):
    """An image with things of every size in it, larger than what a camera sees of it."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (30, 50, 3)).astype(np.uint8)
    return cv2.GaussianBlur(cv2.resize(coarse, (1000, 600), interpolation=cv2.INTER_NEAREST), (0, 0), 2)


def seen(dx=0.0, dy=0.0, zoom=1.0, turn_deg=0.0, noise=2.0, seed=0):
    """What a camera sees of the room, moved by pixels, enlarged, and turned about its centre."""
    matrix = cv2.getRotationMatrix2D((500.0, 300.0), turn_deg, zoom)
    matrix[:, 2] += (WIDTH / 2 - 500 - dx, HEIGHT / 2 - 300 - dy)
    image = cv2.warpAffine(room(), matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(float)
    image += np.random.default_rng(seed).normal(size=image.shape) * noise
    return np.clip(image, 0, 255).astype(np.uint8)


def after(first, second, people=()):
    motion = BackgroundMotion()
    assert motion.step(first, people) is None
    return motion.step(second, people)


def person(left, top, right, bottom):
    return PersonBox(np.array([left, top, right, bottom], np.float32), 0.9, 1)


def test_a_camera_that_stands_still_does_not_move():
    step = after(seen(seed=1), seen(seed=2))
    assert step.shift < 0.001
    assert abs(step.log_zoom) < 0.001


@pytest.mark.parametrize("pixels", [8.0, 40.0])
def test_a_shift_is_measured_as_a_share_of_the_longer_side(pixels):
    step = after(seen(), seen(dx=pixels, dy=0.0))
    assert step.shift == pytest.approx(pixels / WIDTH, abs=0.002)
    assert abs(step.log_zoom) < 0.003


def test_a_turn_about_the_axis_counts_as_a_shift():
    assert after(seen(), seen(turn_deg=2.0)).shift == pytest.approx(np.radians(2.0) / 2, abs=0.003)


def test_zoom_is_no_shift():
    step = after(seen(), seen(zoom=1.05))
    assert step.log_zoom == pytest.approx(np.log(1.05), abs=0.003)
    assert step.shift < 0.003


def test_a_person_who_moves_is_not_the_background():
    boxes = [person(200, 0, 440, 360)]
    first, second = seen(seed=1), seen(seed=2)
    for image, at in ((first, 0), (second, 25)):
        image[:, 200:440] = room(5)[:360, 300 + at : 540 + at]
    assert after(first, second, boxes).shift < 0.001


def test_what_cannot_be_followed_says_nothing():
    wall = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    assert after(wall, wall) is None
    assert after(seen(), seen(), [person(0, 0, WIDTH, HEIGHT)]) is None  # nothing but a person
    assert after(seen(), seen(), [person(100, 0, WIDTH, HEIGHT)]) is None  # one border of the image
    assert after(seen(), cv2.resize(room(7), (WIDTH, HEIGHT))) is None  # another scene
    assert after(seen(), seen()[:200]) is None  # another size
    assert after(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)) is None


def test_the_image_of_the_frame_is_left_as_it_was():
    image = seen()
    image.flags.writeable = False
    before = image.copy()
    after(image, image)
    assert np.array_equal(image, before)
