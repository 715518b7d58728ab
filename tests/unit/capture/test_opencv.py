"""Silencing OpenCV's messages from several threads at once."""

import cv2
import pytest

from realtime_pose.capture.opencv import quiet


def level():
    return cv2.utils.logging.getLogLevel()


def test_the_last_user_restores_the_level():
    before = level()
    first, second = quiet(), quiet()
    first.__enter__()
    second.__enter__()
    assert level() == cv2.utils.logging.LOG_LEVEL_SILENT
    first.__exit__(None, None, None)
    assert level() == cv2.utils.logging.LOG_LEVEL_SILENT
    second.__exit__(None, None, None)
    assert level() == before


def test_the_level_is_restored_after_a_fault():
    before = level()
    with pytest.raises(ZeroDivisionError), quiet():
        raise ZeroDivisionError
    assert level() == before
