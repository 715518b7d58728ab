"""Measurements of the dashboard in Chromium, as `name value` lines: python docker/visit.py URL.

The demo is started and its frames are counted, then a video is uploaded and shown. An error on the page, or a request
to another host, is a failure.
"""

import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import Page, sync_playwright  # noqa: E402
from support.dashboard_in_browser import CHROMIUM, FLAGS, choose, figure, open_page, start, start_demo, stop, until  # noqa: E402

FRAMES = 60
CLIP = ROOT / "resources" / "videos" / "default.mp4"


def main(url: str, screenshot: str | None = None) -> None:
    """Visit the page, print measurements, and raise if something is wrong."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = open_page(browser.new_context(viewport={"width": 1280, "height": 900}), url)
        start_demo(tab)
        say("demo_frames_per_s", f"{frames_per_s(tab):.1f}")
        until(tab, "realtimePose.character.figures === 1")
        say("demo_people", figure(tab, "People"))
        if screenshot:
            tab.screenshot(path=screenshot)
        stop(tab)
        choose(tab, "Source", "Upload")
        tab.set_input_files("[data-testid=stFileUploader] input", CLIP)
        tab.wait_for_selector("text=/^In use: default-.*mp4/")
        start(tab)
        say("upload_frames_per_s", f"{frames_per_s(tab):.1f}")
        elsewhere = [
            asked for asked in tab.asked if not asked.startswith((url, url.replace("http", "ws", 1), "blob:", "data:"))
        ]
        say("complaints", len(tab.complaints) + len(elsewhere))
        assert not tab.complaints, tab.complaints
        assert not elsewhere, elsewhere
        browser.close()
    assert refuses_another_host_name(url), "a request with another Host header was accepted"


def frames_per_s(tab: Page) -> float:
    """Frames shown per second, over the next sixty."""
    before, began = tab.evaluate("realtimePose.frames"), time.monotonic()
    until(tab, "realtimePose.frames >= given[0]", before + FRAMES)
    return FRAMES / (time.monotonic() - began)


def refuses_another_host_name(url: str) -> bool:
    """Whether a request with another Host header is refused, as from a foreign page."""
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "evil.example"}), timeout=10)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code in (400, 403)
    return False


def say(name: str, value: object) -> None:
    """Print one line."""
    sys.stdout.write(f"{name} {value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
