"""Makes docs/dashboard.png from the running demo: realtime-pose ui --no-browser --estimator blazepose, then

.venv/bin/python docs/make_dashboard_image.py http://127.0.0.1:8501     # on an idle machine: the figures are shown
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from playwright.sync_api import sync_playwright  # noqa: E402
from support.dashboard_in_browser import CHROMIUM, FLAGS, open_page, start_demo, stop  # noqa: E402

SETTLE_MS = 8_000  # the demo walks, and the figures are those of the last seconds


def main(url: str, out: str = str(ROOT / "docs" / "dashboard.png")) -> None:
    """Start the demo, wait until the figures have settled, take the screenshot."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = open_page(browser.new_context(viewport={"width": 1280, "height": 820}), url)
        start_demo(tab)
        tab.wait_for_timeout(SETTLE_MS)
        tab.screenshot(path=out)
        stop(tab)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
