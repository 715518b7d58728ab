"""The preview window of `--show`."""

import contextlib
import os
import sys

import cv2

from realtime_pose.datatypes import FrameResult
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.errors import ConfigError

_TITLE = "realtime-pose (q or Esc closes)"
_CLOSING_KEYS = (ord("q"), ord("Q"), 27)


class PreviewWindow:
    """Window that shows each frame with its people drawn on it. Create, update and close it in one thread.

    Attributes:
        closed: Whether it was closed, by q, Esc or the window's own button.

    Args:
        score_threshold: Keypoints with a lower score are not drawn.

    Raises:
        ConfigError: There is no display, or OpenCV cannot open windows.
    """

    def __init__(self, score_threshold: float = 0.3) -> None:
        self._score_threshold = score_threshold
        self.closed = False
        # OpenCV's window library ends the whole process if there is no display, so check first
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise ConfigError("--show needs a display, and there is none; leave it out, or run on a desktop")
        try:
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as exc:
            raise ConfigError(f"cannot open a window ({exc.err}); leave --show out, or install opencv-python") from exc

    def send(self, result: FrameResult) -> None:
        """Show one result; does nothing once the window is closed."""
        if self.closed:
            return
        image_bgr = draw_skeleton_on_frame(
            result.frame.image_bgr, result.people, score_threshold=self._score_threshold, boxes=True
        )
        cv2.imshow(_TITLE, image_bgr)
        pressed = cv2.waitKey(1) & 0xFF in _CLOSING_KEYS
        if pressed or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
            self.close()

    def close(self) -> None:
        """Close the window. Safe to repeat."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(cv2.error):  # the user may have closed it already
                cv2.destroyWindow(_TITLE)
                cv2.waitKey(1)  # lets the window system do it
