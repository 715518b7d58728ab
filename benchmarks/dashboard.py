"""Frame rate, latency and memory of the dashboard in a browser.

    .venv/bin/python benchmarks/dashboard.py [--seconds 10] [--estimator blazepose] [--source FILE]
    .venv/bin/python benchmarks/dashboard.py --soak MINUTES [--seed 1]

The first form starts the program and opens its page in Chromium: it measures the time from Start to the first frame,
frames shown per second, their median latency from the program to the screen, and the CPU time of both, then the same
for two tabs at once. The second form keeps two tabs open, changes settings at random, and exits with 1 if the
program's or the page's memory grew by more than 3 % after the first quarter, or a tab lost its connection.
Needs Chromium.
"""

import argparse
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

_ROOT = Path(__file__).resolve().parents[1]
_FLAGS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
          "--enable-precise-memory-info"]  # fmt: skip
_PATIENCE_MS = 60_000
_SETTLE_S = 4.0  # models warm up, and the rate is that of the last two seconds
_CHANGE_S = 3.0
_SAMPLE_S = 5.0
_GROWTH = 0.03
_READY = "window.realtimePose && realtimePose.character.name && realtimePose.renders > 0"
_FROM_START = """() => new Promise((done) => {
    const before = realtimePose.frames, began = performance.now();
    document.querySelector(".st-key-start button").click();
    const look = () => (realtimePose.frames > before ? done(performance.now() - began) : setTimeout(look, 4));
    look();
})"""


@contextmanager
def dashboard(source: str, estimator: str) -> Iterator[tuple[psutil.Process, str]]:
    """The program in its own process with temporary folders, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"}
        environment |= {f"XDG_{kind}_HOME": folder for kind in ("DATA", "CONFIG")}
        if estimator == "blazepose":
            environment["XDG_CACHE_HOME"] = folder
        process = subprocess.Popen(
            [sys.executable, "-m", "realtime_pose", "ui", "--no-browser", "--port", str(port), "--source", source,
             "--estimator", estimator, "--no-download"],
            cwd=folder, env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            line = next(line for line in process.stdout if "dashboard: http" in line)
            yield psutil.Process(process.pid), line.split()[1]
        finally:
            process.terminate()
            process.wait()


def opened(context: BrowserContext, address: str) -> Page:
    """The page with its live view."""
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    page.goto(address)
    page.wait_for_selector(".rp-live")
    wait_for(page, _READY)
    page.wait_for_selector(".st-key-start button, .st-key-stop button")
    return page


def wait_for(page: Page, condition: str) -> None:
    """Wait for a JavaScript condition; the page's security policy forbids Playwright's own way of waiting."""
    end = time.monotonic() + _PATIENCE_MS / 1000
    while not page.evaluate(f"Boolean({condition})"):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.05)


def busy_s(processes: list[psutil.Process]) -> float:
    """CPU time so far."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def browser_processes(server: psutil.Process) -> list[psutil.Process]:
    """Every child process except the dashboard and Playwright's driver."""
    return [p for p in psutil.Process().children(recursive=True) if p.pid != server.pid and "chrom" in p.name()]


def measure(pages: list[Page], server: psutil.Process, seconds: float) -> dict[str, float | list[float]]:
    """Frames a second and latency of the pages over some seconds, and CPU time in percent of one core."""
    chromium = browser_processes(server)
    frames = [page.evaluate("realtimePose.frames") for page in pages]
    latencies: list[list[float]] = [[] for _ in pages]
    began, server_s, browser_s = time.monotonic(), busy_s([server]), busy_s(chromium)
    while time.monotonic() - began < seconds:
        for page, values in zip(pages, latencies, strict=True):
            values.append(page.evaluate("realtimePose.latency_ms"))
        time.sleep(0.5)
    took_s = time.monotonic() - began
    shown = [page.evaluate("realtimePose.frames") - before for page, before in zip(pages, frames, strict=True)]
    return {
        "fps": [round(count / took_s, 1) for count in shown],
        "latency_ms": [round(statistics.median(values), 1) for values in latencies],
        "server_percent": round(100 * (busy_s([server]) - server_s) / took_s),
        "browser_percent": round(100 * (busy_s(chromium) - browser_s) / took_s),
    }


def show_rates(browser: Browser, source: str, estimator: str, seconds: float) -> None:
    """Print the figures of the first form."""
    with dashboard(source, estimator) as (server, address):
        page = opened(browser.new_context(viewport={"width": 1280, "height": 900}), address)
        idle = measure_idle(server, page)
        first_ms = page.evaluate(_FROM_START)
        print(f"nothing running: program {idle[0]:.0f} %, browser {idle[1]:.0f} % of a core")
        print(f"from Start to the first frame: {first_ms / 1000:.2f} s", flush=True)
        time.sleep(_SETTLE_S)
        show("one tab", measure([page], server, seconds))
        other = opened(browser.new_context(viewport={"width": 1280, "height": 900}), address)
        time.sleep(_SETTLE_S)
        show("two tabs", measure([page, other], server, seconds))


def measure_idle(server: psutil.Process, page: Page) -> tuple[float, float]:
    """CPU time of the program and the browser while nothing runs, in percent of a core."""
    page.wait_for_timeout(1000)
    chromium = browser_processes(server)
    began, server_s, browser_s = time.monotonic(), busy_s([server]), busy_s(chromium)
    page.wait_for_timeout(3000)
    took_s = time.monotonic() - began
    return 100 * (busy_s([server]) - server_s) / took_s, 100 * (busy_s(chromium) - browser_s) / took_s


def show(words: str, figures: dict[str, float | list[float]]) -> None:
    """Print one measurement."""
    print(
        f"{words}: {figures['fps']} frames a second, {figures['latency_ms']} ms from program to screen; "
        f"program {figures['server_percent']} %, browser {figures['browser_percent']} % of a core",
        flush=True,
    )


def changes(page: Page, chance: random.Random) -> list[Callable[[], None]]:
    """Random actions of a user."""

    def pick(label: str, options: tuple[str, ...]) -> None:
        box = page.get_by_role("combobox", name=label)
        box.scroll_into_view_if_needed()
        page.wait_for_timeout(200)  # scrolling closes a list that has just opened
        box.click()
        page.get_by_role("option", name=chance.choice(options), exact=True).click()

    def number(label: str, low: float, high: float) -> None:
        field = page.get_by_role("spinbutton", name=label)
        field.fill(f"{chance.uniform(low, high):.2f}")
        field.press("Enter")

    return [
        lambda: pick("Smoothing", ("None", "Crisp", "Balanced", "Smooth")),
        lambda: pick("Feet", ("Hold standing feet", "Always on the floor", "Leave free")),
        lambda: pick("Clip", ("First actor", "Second actor")),
        lambda: number("Body height (m)", 1.4, 2.0),
        lambda: page.get_by_role("slider", name="Confidence").press(chance.choice(("ArrowLeft", "ArrowRight"))),
        lambda: page.get_by_role("switch", name="Mirror").locator("xpath=ancestor::label").click(),
        lambda: page.get_by_role("tab", name=chance.choice(("Figures", "Takes", "Packet", "Help"))).click(),
        lambda: page.click(".st-key-recentre button"),
    ]


def soak(browser: Browser, source: str, estimator: str, minutes: float, seed: int) -> int:
    """Print the figures of the second form; returns the exit code."""
    chance = random.Random(seed)
    with dashboard(source, estimator) as (server, address):
        pages = [opened(browser.new_context(viewport={"width": 1280, "height": 900}), address) for _ in range(2)]
        tools = [page.context.new_cdp_session(page) for page in pages]
        pages[0].evaluate(_FROM_START)
        todo = [changes(page, chance) for page in pages]
        samples: list[tuple[float, list[float]]] = []
        began = next_sample = time.monotonic()
        missed, slowest = 0, [99.0, 99.0]
        while (passed := time.monotonic() - began) < 60 * minutes:
            try:
                chance.choice(chance.choice(todo))()
            except Exception as exc:  # noqa: BLE001 - a list closed by the other tab's change is not a fault
                missed += 1
                print(f"  {passed:5.0f} s: not done ({str(exc).splitlines()[0][:90]})", flush=True)
            pages[0].wait_for_timeout(1000 * chance.uniform(0.3, 1) * _CHANGE_S)
            if time.monotonic() >= next_sample:
                next_sample += _SAMPLE_S
                samples.append((passed, memory_mb(server, tools)))
                rates = [page.evaluate("realtimePose.shown_fps") for page in pages]
                if passed > 60 * minutes / 4:
                    slowest = [min(low, rate) for low, rate in zip(slowest, rates, strict=True)]
                if len(samples) % 6 == 1:
                    memory = ", ".join(f"{mb:.1f}" for mb in samples[-1][1])
                    print(
                        f"  {passed:5.0f} s: {memory} MB; {', '.join(f'{r:.0f}' for r in rates)} a second", flush=True
                    )
        lost = sum(page.evaluate("realtimePose.reconnects") for page in pages)
        alive = [page.evaluate("realtimePose.shown_fps") > 0 for page in pages]
    return verdict(samples, 60 * minutes, lost, all(alive), missed, slowest)


def memory_mb(server: psutil.Process, tools: list[Any]) -> list[float]:
    """Memory of the program (resident) and of each page (live script objects, after garbage collection)."""
    pages = []
    for tool in tools:
        tool.send("HeapProfiler.collectGarbage")
        pages.append(tool.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
    return [server.memory_info().rss / 1e6, *pages]


def verdict(
    samples: list[tuple[float, list[float]]],
    length_s: float,
    lost: int,
    alive: bool,
    missed: int,
    slowest: list[float],
) -> int:
    """Print growth between the second quarter and the last; 1 if something grew or was lost."""
    early = [values for passed, values in samples if length_s / 4 <= passed < length_s / 2]
    late = [values for passed, values in samples if passed >= 3 * length_s / 4]
    bad = lost > 0 or not alive
    for place, name in enumerate(("program", "first page", "second page")):
        before, after = (statistics.median(values[place] for values in part) for part in (early, late))
        growth = after / before - 1
        bad |= growth > _GROWTH
        print(f"{name}: {before:.1f} MB, then {after:.1f} MB: {100 * growth:+.1f} %")
    print(f"connections lost: {lost}; changes that could not be made: {missed}")
    print(f"slowest two seconds of each page: {', '.join(f'{rate:.1f}' for rate in slowest)} frames a second")
    return int(bad)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--estimator", default="blazepose")
    parser.add_argument("--source", default="actor")
    parser.add_argument("--soak", type=float, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("Chromium is not installed; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        try:
            if given.soak is None:
                show_rates(browser, given.source, given.estimator, given.seconds)
                code = 0
            else:
                code = soak(browser, given.source, given.estimator, given.soak, given.seed)
        finally:
            browser.close()
    sys.exit(code)


if __name__ == "__main__":
    main()
