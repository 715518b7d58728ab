"""Plot page in a real browser: drawing, playing, both themes, wide and narrow, without requests."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.app.plot import plot_session
from realtime_pose.figures.page import write_page
from realtime_pose.figures.skeleton import JOINTS, OCCLUDED, skeleton_figure
from realtime_pose.figures.theme import DARK, LIGHT
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.skeletons import HUMANOID

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
SOFTWARE_3D = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
EVIL = "<script>document.body.dataset.owned='yes'</script><img src=x onerror=\"document.body.dataset.owned='yes'\">"
FRAMES = 12
TURNED, SAME = 0.05, 1e-6  # of the 3D view's eye, about 2 from the middle: a turn that one sees; rounding
TIMEOUT_MS = 60_000  # for a hanging test; a passing one never waits this long


def poses():
    """A person whose left forearm is occluded in frames 4 and 5, and who is out of view in frame 8."""
    made = []
    for i, result in enumerate(make_clip(FRAMES, seed=9)):
        pose = result.people[0].pose
        if i in (4, 5):
            score = pose.score.copy()
            score[HUMANOID.index["leftLowerArm"]] = 0
            pose = replace(pose, score=score)
        made.append(pose)
    return made


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plot")
    path = folder / "<b>take.rtpose"
    recorder = SessionRecorder(path, {"source": EVIL, "model": {"name": EVIL}})
    for i, (result, pose) in enumerate(zip(make_clip(FRAMES, seed=9), poses(), strict=True)):
        people = () if i == 8 else (replace(result.people[0], pose=pose),)
        recorder.send(replace(result, people=people))
    recorder.close()
    write_page(folder / "page.html", plot_session(read_session(path), frame=2))
    return folder / "page.html"


@pytest.fixture(scope="module")
def tools():
    with playwright.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(tools):
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS + SOFTWARE_3D)
    yield browser
    browser.close()


def opened(browser, page_file, **context):
    """The loaded page; its requests and console errors are in `asked` and `complaints`."""
    tab = browser.new_context(**context).new_page()
    tab.set_default_timeout(TIMEOUT_MS)
    tab.asked, tab.complaints = [], []
    tab.on("request", lambda request: tab.asked.append(request.url))
    tab.on("console", lambda message: message.type == "error" and tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto(page_file.as_uri())
    tab.wait_for_selector("body[data-ready]")
    return tab


@pytest.fixture(scope="module")
def tab(chromium, page_file):
    return opened(chromium, page_file, viewport={"width": 1280, "height": 800}, color_scheme="light")


def until(tab, condition):
    """Wait for a JavaScript expression to become true; the page's policy forbids Playwright's own way."""
    answer = tab.evaluate(
        f"""new Promise(done => {{
            const end = performance.now() + {TIMEOUT_MS};
            const look = () => ({condition}) ? done(true) : performance.now() > end ? done(false) : setTimeout(look, 9);
            look();
        }})"""
    )
    assert answer, condition


def go(tab, row):
    tab.locator("#frame").evaluate(
        "(slider, row) => { slider.value = row; slider.dispatchEvent(new Event('input')) }", row
    )


def drawn(tab):
    """The skeleton's traces as arrays (N, 3), with NaN for gaps."""
    traces = tab.evaluate("document.getElementById('skeleton').data.map(({x, y, z}) => [x, y, z].map(a => [...a]))")
    return [np.array(trace, float).T.reshape(-1, 3) for trace in traces]


def test_it_makes_no_requests_logs_no_errors_and_runs_no_markup(tab, page_file):
    outside = [url for url in tab.asked if not url.startswith(("data:", "blob:"))]
    assert outside == [page_file.as_uri()]
    assert tab.complaints == []
    assert tab.evaluate("document.body.dataset.owned") is None
    assert tab.title() == "<b>take"
    assert EVIL in tab.inner_text(".facts")


def test_text_that_got_into_the_page_would_not_run(tab):
    tab.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.body.dataset.owned=1\">')"
    )
    tab.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 1'}))")
    assert tab.evaluate("[document.body.dataset.owned, window.owned]") == [None, None]
    tab.complaints.clear()


@pytest.mark.parametrize("row", [0, 2, 4, 11])
def test_each_frame_is_the_figure_that_the_library_makes_of_its_pose(tab, row):
    go(tab, row)
    wanted = skeleton_figure(poses()[row])
    for ours, theirs in zip(drawn(tab), wanted.data, strict=True):
        numbers = np.stack([np.array(getattr(theirs, axis), float) for axis in "xyz"], axis=1)
        assert ours == pytest.approx(numbers, abs=0.0011, nan_ok=True)
    assert len(drawn(tab)[OCCLUDED]) == (6 if row == 4 else 0)
    assert "leftHand" in tab.evaluate(f"document.getElementById('skeleton').data[{JOINTS}].text.join()")
    assert tab.inner_text("#now").endswith(f"frame {row}")


def test_a_frame_without_the_person_shows_the_floor_alone(tab):
    go(tab, 8)
    assert [len(trace) for trace in drawn(tab)[1:]] == [0] * 5
    assert tab.inner_text("#now").endswith("not in view")


def test_bones_are_on_the_canvas_in_their_colours(tab):
    import cv2

    go(tab, 2)
    picture = cv2.imdecode(np.frombuffer(tab.locator("#skeleton").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    for side in ("left", "right", "middle"):
        bgr = [int(getattr(LIGHT, side)[i : i + 2], 16) for i in (5, 3, 1)]
        assert (np.abs(picture.astype(int) - bgr).max(axis=2) < 12).sum() > 200, side


def cursor_s(tab, name):
    """The time of a chart's cursor line."""
    return tab.evaluate(
        """name => {
            const node = document.getElementById(name), { xaxis, _size } = node._fullLayout;
            const line = node.parentNode.querySelector('.cursor').getBoundingClientRect();
            return xaxis.p2d(line.left - node.getBoundingClientRect().left - _size.l);
        }""",
        name,
    )


def test_the_line_over_the_charts_follows_and_a_click_moves_the_skeleton(tab):
    for row in (3, 9):
        go(tab, row)
        for name in ("feet", "angles"):
            assert cursor_s(tab, name) == pytest.approx(row / 30, abs=0.002)
    box = tab.locator("#feet").bounding_box()
    size = tab.evaluate("document.getElementById('feet')._fullLayout._size")
    tab.mouse.move(box["x"] + size["l"] + size["w"] * 6 / 11, box["y"] + size["t"] + 60)
    tab.wait_for_selector("#feet .hoverlayer .hovertext")
    tab.mouse.down()
    tab.mouse.up()
    until(tab, "document.getElementById('frame').value === '6'")


def test_it_plays_to_the_end_and_starts_again(tab):
    go(tab, 9)
    for _ in range(2):
        tab.click("#play")
        until(tab, "document.getElementById('play').textContent === 'Play'")
        assert tab.inner_text("#now").endswith("frame 11")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Home")
    assert tab.inner_text("#now").endswith("frame 0")


def eye(tab):
    """The point from which the skeleton is looked at, in Plotly's units."""
    at = tab.evaluate("document.getElementById('skeleton')._fullLayout.scene._scene.getCamera().eye")
    return np.array([at["x"], at["y"], at["z"]])


def test_a_rotated_view_stays_when_frames_continue(tab):
    before = eye(tab)
    box = tab.locator("#skeleton").bounding_box()
    tab.mouse.move(box["x"] + 150, box["y"] + 150)
    tab.mouse.down()
    for step in range(1, 60):  # the view follows the mouse frame by frame
        tab.mouse.move(box["x"] + 150 + 3 * step, box["y"] + 150 + step)
        tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if np.abs(eye(tab) - before).max() > TURNED:
            break
    tab.mouse.up()
    go(tab, 5)
    turned = eye(tab)
    assert np.abs(turned - before).max() > TURNED
    for row in (6, 7):
        go(tab, row)
        assert eye(tab) == pytest.approx(turned, abs=SAME)  # Plotly computes it anew; the last digit may differ


OVERLAPS = """() => {
    const texts = [...document.querySelectorAll('#angles .annotation-text')];
    const boxes = texts.map((node) => node.getBoundingClientRect());
    const page = document.getElementById('angles').getBoundingClientRect();
    return boxes.filter((a, i) => a.left < page.left - 1 || a.right > page.right + 1 || boxes.some((b, j) => i < j &&
        a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
}"""


@pytest.mark.parametrize(("width", "scheme", "theme"), [(390, "light", LIGHT), (1280, "dark", DARK)])
def test_it_fits_and_has_the_viewers_colours(chromium, page_file, width, scheme, theme):
    tab = opened(chromium, page_file, viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.evaluate(OVERLAPS) == 0
    for name in ("skeleton", "feet", "angles", "path"):
        assert tab.evaluate("name => document.getElementById(name).layout.paper_bgcolor", name) == theme.paper
    assert tab.evaluate("document.getElementById('skeleton').data[1].line.color") == theme.left
    other = "dark" if scheme == "light" else "light"
    tab.emulate_media(color_scheme=other)
    wanted = (DARK if other == "dark" else LIGHT).paper
    until(tab, f"document.getElementById('feet').layout.paper_bgcolor === '{wanted}'")
    tab.context.close()


def test_without_3d_the_charts_stay_and_the_reason_is_given(tools, page_file):
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-3d-apis"])
    tab = opened(browser, page_file)
    assert "WebGL is off" in tab.inner_text("#skeleton")
    go(tab, 7)
    assert cursor_s(tab, "angles") == pytest.approx(7 / 30, abs=0.002)
    assert tab.complaints == []
    browser.close()
