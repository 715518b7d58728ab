"""The dashboard end to end: the program in a process of its own, and its page in Chromium."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import cv2

from realtime_pose.utils.paths import data_path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip
SILENCE_MS = 1500  # after which no frame is under way
PATIENCE_MS = 60_000  # bounds a test that hangs; a passing one never waits it out
ROOT = Path(__file__).parents[2]

# Notes each moment in which the live view pales or is taken away, from the page's first line on.
WATCH = """
window.harm = [];
new MutationObserver((changes) => {
  const pane = document.querySelector(".rp-live");
  if (!pane) return;
  window.pane ??= pane;
  if (pane !== window.pane) window.harm.push("mounted again");
  window.pane = pane;
  for (const { target } of changes) {
    if (target.dataset?.stale !== "true" || !target.contains(pane)) continue;
    if (getComputedStyle(target).opacity !== "1") window.harm.push("pale");
  }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-stale"] });
"""


class Dashboard:
    """`realtime-pose ui` on a free port, without a network; its files are in `folder`.

    Args:
        folder: For takes, uploads and everything else that it stores.
        words: Further words of the command line.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        self.takes = folder / "takes"
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("VITPOSE_", "STREAMLIT_", "DISPLAY"))}
        environment |= {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        environment |= {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("CACHE", "DATA", "CONFIG")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime_pose", "ui", "--no-browser", "--port", str(port), "--takes",
             str(self.takes), "--source", "actor", "--estimator", "blazepose", *words],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if "dashboard: http" in line:
                break
        assert self.said, "it said nothing"
        assert "dashboard: http" in self.said[-1], self.said
        self.url = self.said[-1].split()[1]
        self._reader = threading.Thread(target=self._read)  # so that a full pipe does not block it
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(self.process.stdout)

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def until(tab, condition, *given):
    """Wait until a JavaScript expression holds; `given` is `given` in it.

    Playwright's own waiting evaluates text inside the page, which the page's security policy rightly forbids.
    """
    tab.evaluate(
        f"""([ms, given]) => new Promise((yes, no) => {{
            const last = performance.now() + ms;
            const look = () => {{
                let holds = false;
                try {{ holds = {condition}; }} catch (error) {{ if (!(error instanceof TypeError)) return no(error); }}
                if (holds) yes();
                else if (performance.now() > last) no(new Error("never came true: " + {json.dumps(condition)}));
                else setTimeout(look, 30);
            }};
            look();
        }})""",
        [PATIENCE_MS, list(given)],
    )


def open_page(context, url):
    """The page, once its live view has loaded; `asked` has its requests, `complaints` its console errors."""
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.asked, tab.complaints = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("websocket", lambda opened: tab.asked.append(opened.url))
    tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.add_init_script(WATCH)
    tab.goto(url)
    settled(tab)
    return tab


def settled(tab):
    """Wait until the live view has its character and the page below it is complete."""
    until(tab, "window.realtimePose.character.name && window.realtimePose.renders")
    tab.get_by_role("tab", name="Help").wait_for()


def button(tab, name):
    return tab.get_by_role("button", name=name, exact=True)


def choose(tab, label, option):
    """Choose an option of a list, unless it is chosen."""
    box = tab.get_by_role("combobox", name=label)
    if option == box.input_value():
        return
    box.scroll_into_view_if_needed()
    tab.evaluate("new Promise((yes) => requestAnimationFrame(() => requestAnimationFrame(yes)))")  # scrolling closes it
    box.click()
    tab.get_by_role("option", name=option, exact=True).click()


def phase(tab):
    return tab.inner_text(".pg-phase")


def stop(tab):
    """Stop, and wait until nothing runs."""
    tab.wait_for_selector(".pg-phase")
    if tab.locator(".pg-opening, .pg-running, .pg-paused").count():
        tab.click(".st-key-stop button:visible")
    tab.wait_for_selector(".pg-idle, .pg-failed")
    tab.wait_for_selector(".st-key-start button:visible")


def start(tab, frames=3):
    """Start again, and wait for a few frames of this run."""
    stop(tab)
    run = tab.evaluate("window.realtimePose.run")
    tab.click(".st-key-start button")
    until(tab, "realtimePose.run !== given[0] && realtimePose.run !== null", run)
    before = tab.evaluate("realtimePose.frames")
    until(tab, "realtimePose.frames >= given[0]", before + frames - 1)


def start_demo(tab):
    """Start the demo."""
    stop(tab)
    choose(tab, "Source", "Demo")
    start(tab)


def pause(tab):
    """Pause, and wait until the last frame is drawn."""
    button(tab, "Pause").click()
    tab.wait_for_selector(".pg-paused")
    tab.wait_for_selector(".rp-paused:visible")
    still(tab)


def still(tab):
    """Wait until no further frame comes."""
    tab.evaluate(
        f"""() => new Promise((yes) => {{
            let seq = realtimePose.seq, since = performance.now();
            const look = () => {{
                if (realtimePose.seq !== seq) [seq, since] = [realtimePose.seq, performance.now()];
                if (performance.now() - since > {SILENCE_MS}) yes();
                else setTimeout(look, 30);
            }};
            look();
        }})"""
    )


def picture(tab):
    """The colours on the left canvas, coarsely."""
    return tab.evaluate(
        """() => {
            const canvas = document.querySelector(".rp-2d canvas");
            const small = new OffscreenCanvas(160, 120).getContext("2d");
            small.drawImage(canvas, 0, 0, 160, 120);
            return [...small.getImageData(0, 0, 160, 120).data];
        }"""
    )


def figure(tab, label):
    """The value of one of the page's figures."""
    metric = tab.locator("[data-testid=stMetric]").filter(has=tab.get_by_text(label, exact=True))
    return metric.locator("[data-testid=stMetricValue]").inner_text().strip()


def clip_frames(first, count):
    """Frames of the actor's clip."""
    clip = cv2.VideoCapture(str(data_path("resources/videos/default.mp4")), cv2.CAP_FFMPEG)
    clip.set(cv2.CAP_PROP_POS_FRAMES, first)
    frames = [clip.read()[1] for _ in range(count)]
    clip.release()
    return frames


def write_clip(path, first=0, count=60, fps=30):
    """A small video of the actor; with fewer `fps` it lasts longer."""
    frames = clip_frames(first, count)
    height, width = frames[0].shape[:2]
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
    assert film.isOpened()
    for frame in frames:
        film.write(frame)
    film.release()
    return path


def write_camera(path, count=60):
    """The video of Chromium's fake camera: the actor, as a sequence of JPEGs."""
    path.write_bytes(b"".join(cv2.imencode(".jpg", frame)[1].tobytes() for frame in clip_frames(0, count)))
    return path
