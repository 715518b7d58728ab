"""The Gradio demo without models: an image's first pixel encodes the number of people."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.people import HEIGHT, WIDTH, make_person

from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.interface import gradio_app

STEP = 50


class CountedPeople:
    """Replaces `demo.stills.Stills`."""

    described = "made-up with nothing on cpu"
    finds_one = False
    score_threshold = 0.3

    def people_in(self, image_bgr):
        count = round(image_bgr[0, 0, 0] / STEP)
        people = [make_person(seed=name, track_id=name) for name in range(1, count + 1)]
        return FrameResult(Frame(image_bgr, 0, 0, 0), tuple(people))


def picture_of(count: int, path: Path) -> Path:
    """Write a grey PNG in which `CountedPeople` finds this many people."""
    image = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
    image[0, 0, 0] = count * STEP
    cv2.imwrite(str(path), image)
    return path


@contextmanager
def demo_app(folder: Path, host_names=()):
    """The demo as an ASGI app, with `folder` as its own, and Gradio's settings restored at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
            patch.setenv(name, "")  # so that it is restored
        folder.mkdir()
        gradio_app.set_gradio_environment(folder)
        with ThreadPoolExecutor(1) as elsewhere:  # in a browser test, this thread's event loop is Playwright's
            app = elsewhere.submit(asyncio.run, _built(folder, host_names)).result()
        yield app


async def _built(folder: Path, host_names):
    """A coroutine, as Gradio leaves event loops open that it makes where none runs."""
    from realtime_pose.interface.demo.page import build_page
    from realtime_pose.interface.demo.server import build_app

    page = build_page(CountedPeople(), [picture_of(1, folder / "example.png")], ["A notice."])
    return build_app(page, folder, 7860, host_names)
