"""The Gradio demo in a real browser: one click shows a result, all requests go to its server, and it ends at once."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.demo import demo_app, picture_of

from realtime_pose.interface import gradio_app

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
pytest.importorskip("gradio", reason="needs gradio")
import uvicorn  # noqa: E402 - comes with gradio

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.filterwarnings("ignore:.*no_silent_downcasting"),  # Gradio's, of pandas
]

FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip
PATIENCE_MS = 120_000  # bounds a test that hangs; a passing one never waits it out
END_WITHIN_S = 2
FIRST_BONE = "() => [...(document.querySelector('.js-plotly-plot')?._fullData?.[5]?.x ?? [])].join()"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The demo as a user starts it, as a script from somewhere else, without a network: (process, address)."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VITPOSE_")}
    environment |= {"HF_HUB_OFFLINE": "1", "TMPDIR": str(tmp_path_factory.mktemp("tmp"))}
    environment["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))  # no weights: BlazePose it is
    process = subprocess.Popen(
        [sys.executable, gradio_app.__file__, "--port", "0"],
        cwd=tmp_path_factory.mktemp("elsewhere"), env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = []
    for line in process.stderr:
        said.append(line)
        if "Open http" in line:
            break
    assert said, "it said nothing"
    assert "Open http" in said[-1], said
    reader = threading.Thread(target=process.stderr.read)  # so that a full pipe does not block it
    reader.start()
    yield process, said[-1].split("Open ")[1].split()[0], Path(environment["TMPDIR"])
    process.kill()
    process.wait()
    reader.join()
    process.stderr.close()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """The page, served by this process, with `CountedPeople`."""
    with demo_app(tmp_path_factory.mktemp("crowd") / "demo") as app, socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def opened(browser, address, **context):
    """The page; `asked` has its requests, `complaints` its console errors."""
    tab = browser.new_context(viewport={"width": 1280, "height": 900}, **context).new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.asked, tab.complaints = [], []
    tab.context.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto(address)
    tab.wait_for_selector("#message:has-text('Choose an image')")
    return tab


def says(tab, sentence):
    tab.wait_for_selector(f"#message:has-text('{sentence}')")


def from_elsewhere(tab, address):
    return [url for url in tab.asked if not url.startswith((f"{address}/", "blob:", "data:"))]


def test_one_click_on_an_example_shows_a_skeleton_and_everything_comes_from_this_server(chromium, program):
    _, address, _ = program
    tab = opened(chromium, address)
    assert "Running blazepose with openvino" in tab.text_content("#runs")
    assert "Using BlazePose instead of ViTPose" in tab.text_content("#runs")
    tab.locator(".gallery-item").first.click()
    says(tab, "1 person found.")
    tab.wait_for_selector(".js-plotly-plot canvas")
    overlay, given = (
        cv2.imdecode(np.frombuffer(tab.request.get(tab.get_attribute(f"{place} img", "src")).body(), np.uint8), 1)
        for place in ("#overlay", "#image")
    )
    assert (np.abs(overlay.astype(int) - given).max(axis=2) > 60).sum() > 1000  # px that the skeleton covers
    tab.wait_for_function(FIRST_BONE)
    assert len(tab.evaluate(FIRST_BONE).split(",")) == 22
    tab.wait_for_selector("#packets:has-text('\"pose\"')")
    assert len(tab.asked) > 20
    assert from_elsewhere(tab, address) == []
    assert tab.complaints == []


def test_a_frame_of_the_camera_is_taken_as_it_is(chromium, program):
    _, address, _ = program
    tab = opened(chromium, address, permissions=["camera"])
    tab.locator("#image button[aria-label*=ebcam], #image button[aria-label*=amera]").first.click()
    tab.get_by_text("Click to Access Webcam").click()
    tab.wait_for_function("() => document.querySelector('#image video')?.videoWidth > 0")  # a press before is lost
    tab.get_by_label("capture photo").click()
    says(tab, "No person found.")  # Chromium's camera shows a circle
    tab.wait_for_selector("#overlay img")
    assert tab.complaints == []


def test_of_several_people_one_is_chosen_for_3d(chromium, crowd, tmp_path):
    tab = opened(chromium, crowd)
    tab.set_input_files("#image input[type=file]", picture_of(3, tmp_path / "three.png"))
    says(tab, "3 people found.")
    tab.wait_for_selector(".js-plotly-plot canvas")
    tab.wait_for_function(FIRST_BONE)
    first = tab.evaluate(FIRST_BONE)
    tab.get_by_label("Person 2").check()
    tab.wait_for_function(f"first => {{ const now = ({FIRST_BONE})(); return now && now !== first; }}", arg=first)
    assert tab.complaints == []


def test_unusable_uploads_are_reported_in_a_sentence(chromium, crowd, tmp_path):
    tab = opened(chromium, crowd)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    tab.set_input_files("#image input[type=file]", tmp_path / "broken.png")
    says(tab, "This file is not a readable image")
    tab.reload()
    says(tab, "Choose an image")
    (tmp_path / "large.png").write_bytes(bytes(21 * 2**20))
    tab.set_input_files("#image input[type=file]", tmp_path / "large.png")
    tab.get_by_text("too large").or_(tab.get_by_text("maximum allowed size")).first.wait_for()


def settled_heights(tab):
    """The heights of what results are shown in, once they stay: some of it is loaded after the page."""
    tab.wait_for_function(
        """() => {
            const heights = ["#overlay", "#figure", "#packets"].map((id) => document.querySelector(id)?.offsetHeight);
            const [now, key] = [performance.now(), heights.join()];
            if (window.settling?.key !== key) window.settling = { key, heights, since: now };
            return heights.every(Boolean) && now - window.settling.since > 1000;
        }"""
    )
    return tab.evaluate("window.settling.heights")


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window_and_does_not_jump(chromium, crowd, width, tmp_path):
    tab = opened(chromium, crowd)
    tab.set_viewport_size({"width": width, "height": 900})
    before = settled_heights(tab)
    tab.set_input_files("#image input[type=file]", picture_of(1, tmp_path / "one.png"))
    says(tab, "1 person found.")
    tab.wait_for_selector(".js-plotly-plot canvas")
    assert settled_heights(tab) == pytest.approx(before, abs=4)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_it_ends_at_once_with_a_page_open_and_leaves_nothing(chromium, program):
    process, address, folder = program
    opened(chromium, address)
    assert list(folder.iterdir())
    process.send_signal(signal.SIGTERM)
    process.wait(END_WITHIN_S)
    assert list(folder.iterdir()) == []
