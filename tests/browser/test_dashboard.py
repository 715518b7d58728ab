"""The dashboard end to end, from Start to a downloaded file: the real program, page and browser."""

import json
import shutil
import struct
import urllib.request

import bvh
import cv2
import numpy as np
import pytest
from support.dashboard_in_browser import (
    CHROMIUM,
    FLAGS,
    PATIENCE_MS,
    Dashboard,
    button,
    choose,
    open_page,
    pause,
    picture,
    settled,
    start,
    start_demo,
    still,
    stop,
    until,
    write_camera,
    write_clip,
)
from support.rigs import write_glb

from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.model3d.character import default_character_path
from realtime_pose.skeletons import HUMANOID

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
playwright.expect.set_options(timeout=PATIENCE_MS)
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

END_WITHIN_S = 2
AS_STARTED = "?estimator=blazepose"  # the URL of a page with the program's start options
ARM, FOREARM = "rightUpperArm", "rightLowerArm"
BONES = ("hips", ARM, FOREARM, "leftUpperArm", "leftUpperLeg", "rightLowerLeg", "head")
SAME_RAD = 0.002  # packets have four decimals

WHERE = """() => [".rp-live", ".rp-2d", ".rp-3d", ".pg-stages", "[data-testid=stTabs]"].map((place) => {
    const { x, y, width, height } = document.querySelector(place).getBoundingClientRect();
    return [place, ...[x, y, width, height].map(Math.round)].join(" ");
})"""
OVERFLOWING = """(width) => [...document.querySelectorAll("[data-testid=stMain] *")]
    .filter((e) => e.getClientRects().length && e.getBoundingClientRect().right > width + 1
        && !e.closest("[role=tablist], svg, .rp-badges, table"))
    .map((e) => e.className + " " + Math.round(e.getBoundingClientRect().right))"""

# Notes which buttons are shown, with a mark at each that is not where it was first.
SEEN_BUTTONS = """() => {
    const seen = new Set(), first = {};
    const look = () => seen.add(["start", "stop", "pause", "step"].map((name) => {
        const box = document.querySelector(`.st-key-transport > .st-key-${name} button`)?.getBoundingClientRect();
        if (!box?.width) return "";
        first[name] ??= box.x;
        return name[0].toUpperCase() + name.slice(1) + (Math.abs(box.x - first[name]) > 1 ? " (moved)" : "");
    }).filter(Boolean).sort().join(" "));
    look();
    const watch = new MutationObserver(look);
    watch.observe(document.querySelector("[data-testid=stMain]"), { subtree: true, childList: true, attributes: true });
    window.seenButtons = () => { watch.disconnect(); return [...seen].sort(); };
}"""


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    running = Dashboard(tmp_path_factory.mktemp("dashboard"))
    yield running
    running.end()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    camera = write_camera(tmp_path_factory.mktemp("camera") / "actor.mjpeg")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--use-file-for-fake-video-capture={camera}"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(chromium):
    """A browser context."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context
    context.close()


@pytest.fixture(scope="module")
def page(window, dashboard):
    return open_page(window, dashboard.url)


@pytest.fixture
def tab(page):
    """The page that stays open through all tests; it must log no errors."""
    yield page
    assert page.evaluate("window.harm") == []
    assert page.complaints == []


@pytest.fixture
def ear(tab):
    """A UDP receiver, to which the page sends."""
    receiver = UdpReceiver("127.0.0.1:0")
    send_to(tab, receiver.address)
    yield receiver
    switch(tab, "UDP", on=False)
    receiver.close()


def switch(tab, label, *, on):
    box = tab.get_by_role("switch", name=label, exact=True)
    if box.is_checked() != on:
        box.locator("xpath=ancestor::label").click()
        playwright.expect(box).to_be_checked(checked=on)


def send_to(tab, address):
    field = tab.get_by_role("textbox", name="UDP address")
    field.fill(address)
    field.press("Enter")
    switch(tab, "UDP", on=True)


def a_pose(receiver, wanted=lambda packet: True):
    """The next pose that satisfies `wanted`."""
    for _ in range(3000):
        packet = receiver.receive(PATIENCE_MS / 1000)
        assert packet is not None, receiver.why_malformed or "no packet came"
        if isinstance(packet, PosePacket) and packet.rotations is not None and wanted(packet):
            return packet
    raise AssertionError("no such pose came")


def newest_pose(receiver, before=None):
    """The latest pose received so far, or `before`."""
    while (packet := receiver.receive(0)) is not None:
        before = packet if isinstance(packet, PosePacket) else before
    return before


def angle_rad(a_xyzw, b_xyzw):
    """The angle between two turns; q and -q are one turn. By the sine: near 0 the cosine knows too little."""
    a, b = (np.array(q) / np.linalg.norm(q) for q in (a_xyzw, b_xyzw))
    return 4 * np.arcsin(min(1.0, np.linalg.norm(a - b) / 2, np.linalg.norm(a + b) / 2))


def bones(tab):
    return tab.evaluate("names => Object.fromEntries(names.map((name) => [name, realtimePose.bone(name)]))", BONES)


def length_m(packet, joint, parent):
    at = [packet.joints_3d[HUMANOID.joints.index(name)] for name in (joint, parent)]
    return float(np.linalg.norm(np.subtract(*at)))


def more_frames(tab, count):
    """Wait for so many further frames on the screen."""
    until(tab, "realtimePose.frames >= given[0]", tab.evaluate("realtimePose.frames") + count)


def looks_from(tab):
    """From which side, and how far, the 3D view is looked at: stays as people walk."""
    eye = tab.evaluate("realtimePose.eye")
    return np.subtract(eye["position"], eye["target"])


def set_number(tab, label, value):
    field = tab.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Enter")


def name_of_source(tab):
    return tab.inner_text(".pg-line span:nth-child(2)")


# ---- the live view --------------------------------------------------------------------------------------------------


def test_start_shows_frames_and_moves_the_character(tab):
    start_demo(tab)
    still, arm = picture(tab), bones(tab)[ARM]
    changed, turned_rad = 0, 0.0
    for _ in range(60):  # 240 frames; the actor waves within 60
        more_frames(tab, 4)
        difference = np.abs(np.subtract(picture(tab), still)).reshape(-1, 4).max(axis=1)
        changed = max(changed, int((difference > 30).sum()))
        turned_rad = max(turned_rad, angle_rad(bones(tab)[ARM], arm))
        if changed > 50 and turned_rad > 0.3:
            break
    assert changed > 50  # of 19,200 places
    assert turned_rad > 0.3
    assert tab.evaluate("realtimePose.character.figures") == 1
    assert tab.evaluate("realtimePose.character.missing") == []


def test_the_character_has_the_pose_of_the_packets(tab, ear):
    start_demo(tab)
    a_pose(ear)
    more_frames(tab, 20)
    pause(tab)
    newest_pose(ear)  # unread packets have filled the receiver's buffer
    first = None
    for moment in range(2):
        frames = tab.evaluate("realtimePose.frames")
        button(tab, "Step").click()
        until(tab, "realtimePose.frames > given[0]", frames)
        told = dict(zip(HUMANOID.joints, a_pose(ear).rotations, strict=True))
        seen = bones(tab)
        apart_rad = {name: angle_rad(seen[name], told[name]) for name in BONES}
        assert max(apart_rad.values()) < SAME_RAD, (moment, apart_rad)
        assert seen != first
        first = seen
    assert angle_rad(first[ARM], (0, 0, 0, 1)) > 0.5  # of a T-pose; else anything would agree


def test_widgets_leave_the_view_as_it_is(tab):
    start_demo(tab)
    box = tab.locator(".rp-3d canvas").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(*middle)
    tab.mouse.down()
    tab.mouse.move(middle[0] + 120, middle[1] - 30, steps=4)
    before = looks_from(tab)
    tab.mouse.up()
    turned = looks_from(tab)
    tab.evaluate("window.kept = window.realtimePose")
    where = tab.locator(".rp-live").bounding_box()
    choose(tab, "Smoothing", "Crisp")
    more_frames(tab, 2)
    slider = tab.get_by_role("slider", name="Score threshold")
    slider.press("ArrowRight")
    until(tab, "location.search.includes('score_threshold=0.35')")
    choose(tab, "Feet", "Off")
    switch(tab, "Mirror", on=True)
    more_frames(tab, 3)
    switch(tab, "Mirror", on=False)
    slider.press("ArrowLeft")
    choose(tab, "Smoothing", "Balanced")
    choose(tab, "Feet", "Lock standing feet")
    until(tab, "location.search === given[0]", AS_STARTED)
    more_frames(tab, 2)
    assert tab.evaluate("window.kept === window.realtimePose")
    assert tab.locator(".rp-live").bounding_box() == where
    assert np.abs(looks_from(tab) - turned).max() < 0.01
    assert np.abs(before - (0, 0, 0)).max() > 0.1
    tab.get_by_role("button", name="Reset view").click()
    until(tab, "Math.abs(realtimePose.eye.position[0] - realtimePose.eye.target[0] - given[0]) > 0.3", turned[0])


def test_two_tabs_watch_one_session(tab, window, dashboard):
    other = open_page(window, dashboard.url)
    start_demo(tab)
    other.bring_to_front()
    more_frames(other, 5)
    assert other.evaluate("realtimePose.run") == tab.evaluate("realtimePose.run")
    tab.bring_to_front()
    more_frames(tab, 5)
    more_frames(other, 5)
    other.get_by_role("button", name="Stop", exact=True).click()
    tab.wait_for_selector(".st-key-start")
    assert other.complaints == []
    other.close()


def test_marks_of_the_pages_runs_do_not_pile_up(tab):
    start_demo(tab)
    tab.evaluate(
        "for (let run = 0; run < 20; run += 1) for (const name of ['running', 'notRunning']) performance.mark(name)"
    )
    until(tab, "performance.getEntriesByType('mark').length < 10")


# ---- sources --------------------------------------------------------------------------------------------------------


def test_a_file_runs_and_is_paused_and_stepped(tab, tmp_path):
    clip = write_clip(tmp_path / "dance.mp4", first=30, count=120, fps=6)
    stop(tab)
    choose(tab, "Source", "File")
    path = tab.get_by_role("textbox", name="Path")
    path.fill(str(clip))
    path.press("Enter")
    start(tab, frames=5)
    assert name_of_source(tab) == str(clip)
    pause(tab)
    shown = tab.evaluate("realtimePose.seq")
    for further in (1, 2):
        button(tab, "Step").click()
        until(tab, "realtimePose.seq >= given[0]", shown + further)
        still(tab)
        assert tab.evaluate("realtimePose.seq") == shown + further
    button(tab, "Resume").click()
    more_frames(tab, 5)
    assert tab.evaluate("realtimePose.seq") > shown + 5
    tab.wait_for_selector(".pg-status:has-text('The clip is over.')")
    tab.wait_for_selector(".st-key-start button:has-text('Start')")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "is not a video or image by its name"),
        ("notes.mp4", "is not a video or an image"),
        ("gone.mp4", "does not exist or is not a file"),
    ],
)
def test_a_path_that_is_no_video_is_refused_in_place(tab, tmp_path, name, why):
    (tmp_path / "notes.mp4").write_text("#EXTM3U\nfile:///etc/passwd\n")
    choose(tab, "Source", "File")
    path = tab.get_by_role("textbox", name="Path")
    path.fill(name if name.startswith("/") else str(tmp_path / name))
    path.press("Enter")
    said = tab.locator("[data-testid=stSidebar] [data-testid=stAlert]")
    playwright.expect(said).to_contain_text(why)
    assert "root:" not in tab.inner_text("body")
    choose(tab, "Source", "Demo")
    playwright.expect(said).to_have_count(0)


def test_an_uploaded_video_runs(tab, dashboard, tmp_path):
    stop(tab)
    choose(tab, "Source", "Upload")
    tab.set_input_files(
        "[data-testid=stFileUploader] input", write_clip(tmp_path / "My Dance.mp4", first=60, count=90, fps=10)
    )
    tab.wait_for_selector("text=/^In use: my-dance-.*mp4/")
    start(tab)
    until(tab, "realtimePose.character.figures === 1")
    assert "my-dance" in name_of_source(tab)
    stop(tab)
    tab.set_input_files(
        "[data-testid=stFileUploader] input", {"name": "x.mp4", "mimeType": "video/mp4", "buffer": b"no video" * 99}
    )
    said = tab.locator("[data-testid=stSidebar] [data-testid=stAlert]")
    playwright.expect(said).to_contain_text("'x.mp4'")
    choose(tab, "Source", "Demo")


def test_the_browsers_camera_is_seen_and_given_back(tab):
    stop(tab)
    choose(tab, "Source", "Browser camera")
    tab.wait_for_selector("text=Browsers allow it on localhost or over HTTPS only")
    start(tab, frames=5)
    until(tab, "realtimePose.camera_frames_sent > 5 && document.querySelector('.rp-nobody').hidden")
    until(tab, "[...document.querySelectorAll('.pg-line')].some((line) => line.innerText.includes('Browser camera'))")
    playwright.expect(metric(tab, "People")).to_have_text("1")
    shown = picture(tab)
    more_frames(tab, 5)
    assert picture(tab) != shown
    stop(tab)
    start_demo(tab)  # by its first frame the camera has been released
    sent = tab.evaluate("realtimePose.camera_frames_sent")
    more_frames(tab, 10)
    assert tab.evaluate("realtimePose.camera_frames_sent") == sent


def test_a_failed_source_names_the_cause_and_can_be_retried(tab, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", count=90, fps=10)
    stop(tab)
    choose(tab, "Source", "File")
    path = tab.get_by_role("textbox", name="Path")
    path.fill(str(clip))
    path.press("Enter")
    until(tab, "!document.querySelector('[data-testid=stSidebar] [data-testid=stAlert]')")
    start(tab, frames=1)
    stop(tab)
    away = shutil.move(clip, tmp_path / "away.mp4")
    tab.click(".st-key-start button")
    retry = button(tab, "Retry")
    retry.wait_for()
    for place in (".pg-status .pg-bad", ".rp-2d .rp-message"):
        playwright.expect(tab.locator(place)).to_contain_text(str(clip))
    shutil.move(away, clip)
    retry.click()
    tab.wait_for_selector(".pg-running")
    more_frames(tab, 3)
    stop(tab)
    choose(tab, "Source", "Demo")


# ---- settings and outputs -------------------------------------------------------------------------------------------


def test_a_setting_holds_at_once_everywhere_and_after_a_reload(tab, ear, window, dashboard):
    start_demo(tab)
    before = a_pose(ear)
    thigh = ("leftLowerLeg", "leftUpperLeg")
    other = open_page(window, dashboard.url)
    tab.bring_to_front()
    set_number(tab, "Body height (m)", 1.36)
    short = 1.36 / 1.70 * length_m(before, *thigh)
    a_pose(ear, lambda packet: abs(length_m(packet, *thigh) - short) < 0.01)
    until(tab, "location.search === given[0]", f"{AS_STARTED}&height_m=1.36")
    playwright.expect(other.get_by_role("spinbutton", name="Body height (m)")).to_have_value("1.36")
    until(other, "location.search === given[0]", f"{AS_STARTED}&height_m=1.36")
    other.close()
    tab.reload()
    settled(tab)
    field = tab.get_by_role("spinbutton", name="Body height (m)")
    playwright.expect(field).to_have_value("1.36")
    assert tab.evaluate("location.search") == f"{AS_STARTED}&height_m=1.36"
    more_frames(tab, 2)  # the run continued
    set_number(tab, "Body height (m)", 1.7)
    until(tab, "location.search === given[0]", AS_STARTED)
    a_pose(ear, lambda packet: abs(length_m(packet, *thigh) - length_m(before, *thigh)) < 0.01)


def test_packets_arrive_only_while_the_switch_is_on(tab):
    receiver = UdpReceiver("127.0.0.1:0")
    start_demo(tab)
    field = tab.get_by_role("textbox", name="UDP address")
    field.fill(receiver.address)
    field.press("Enter")
    more_frames(tab, 3)
    assert receiver.receive(0) is None  # with the switch off nothing is sent
    switch(tab, "UDP", on=True)
    assert a_pose(receiver).person == 1
    tab.wait_for_selector("text=/packets\\/s, [\\d,]+ sent/")
    tab.get_by_role("tab", name="Data").click()
    until(tab, "document.querySelector('[data-testid=stCode]').innerText.includes('\"rotations\"')")
    shown = json.loads(tab.inner_text("[data-testid=stCode] code"))
    assert len(shown["rotations"]) == len(HUMANOID.joints)
    assert shown["type"] == "pose"
    tab.get_by_role("tab", name="Figures").click()
    switch(tab, "UDP", on=False)
    tab.wait_for_selector("text=No output is on.")
    newest_pose(receiver)
    more_frames(tab, 3)
    assert receiver.receive(0) is None
    receiver.close()


@pytest.mark.parametrize("address", ["127.0.0.1:port", "127.0.0.1:99999", "http://127.0.0.1:5005"])
def test_a_wrong_address_is_refused_in_place(tab, address):
    field = tab.get_by_role("textbox", name="UDP address")
    field.fill(address)
    field.press("Enter")
    said = tab.locator("[data-testid=stSidebar] [data-testid=stAlert]")
    playwright.expect(said).to_contain_text(address)
    playwright.expect(field).not_to_have_value(address)
    assert not tab.get_by_role("switch", name="UDP", exact=True).is_checked()
    field.fill("127.0.0.1:5006")
    field.press("Enter")
    playwright.expect(said).to_have_count(0)


# ---- figures --------------------------------------------------------------------------------------------------------


def metric(tab, label):
    return tab.locator(f"[data-testid=stMetric]:has-text('{label}') [data-testid=stMetricValue]")


def test_figures_are_shown_only_during_a_run(tab):
    start_demo(tab)
    until(tab, "[...document.querySelectorAll('[data-testid=stMetricValue]')].every((e) => e.innerText !== '–')")
    playwright.expect(metric(tab, "Frames/s")).not_to_have_text("0.0")
    values = tab.locator("[data-testid=stMetricValue]").all_inner_texts()
    rate, dropped, usual, worst, people, confidence, engine = (value.strip() for value in values)
    assert float(rate) > 0
    assert (dropped, people, engine) == ("0", "1", "openvino")
    assert 0 < int(usual.removesuffix(" ms")) <= int(worst.removesuffix(" ms"))
    assert 50 < int(confidence.removesuffix("%")) <= 100
    until(tab, "document.querySelectorAll('.pg-stages i').length >= 4")
    widths = tab.evaluate(
        "[...document.querySelectorAll('.pg-stages i')].map((piece) => parseFloat(piece.style.width))"
    )
    assert sum(widths) == pytest.approx(100, abs=1)
    stop(tab)
    playwright.expect(metric(tab, "People")).to_have_text("–")


# ---- takes ----------------------------------------------------------------------------------------------------------


def test_a_take_is_recorded_played_exported_and_deleted(tab, dashboard, tmp_path):
    start_demo(tab)
    button(tab, "Record").click()
    tab.wait_for_selector(".pg-rec:has-text('Recording')")
    tab.wait_for_selector(".rp-rec:visible")
    more_frames(tab, 20)
    button(tab, "Stop recording").click()
    button(tab, "Record").wait_for()
    [folder] = dashboard.takes.iterdir()
    tab.get_by_role("tab", name="Takes").click()
    take = tab.locator(f".st-key-take-{folder.name}")
    take.locator(".rp-take:has-text('1 person')").wait_for()
    stop(tab)

    take.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_selector(f".pg-status:has-text('Take {folder.name}')")
    slider = tab.locator(".st-key-player").get_by_role("slider")
    slider.wait_for()
    until(tab, "realtimePose.run !== null && realtimePose.character.figures === 1")
    button(tab.locator(".st-key-player"), "Play").wait_for()  # it has ended
    tab.click(".st-key-pause button:has-text('Pause')")
    tab.wait_for_selector(".pg-paused")
    slider.press("Home")
    tab.wait_for_selector(".rp-when:has-text('frame 1 of')")
    still(tab)
    begin = bones(tab)
    for further in (2, 3, 4):
        slider.press("ArrowRight")
        tab.wait_for_selector(f".rp-when:has-text('frame {further} of')")
    still(tab)
    assert bones(tab) != begin
    button(tab.locator(".st-key-player"), "Close").click()
    tab.wait_for_selector(".st-key-player", state="detached")

    take.get_by_role("button", name="Export").click()
    with tab.expect_download() as download:
        take.locator("a.rp-download:has-text('motion.bvh')").click()
    assert download.value.suggested_filename == f"{folder.name}_motion.bvh"
    download.value.save_as(tmp_path / "motion.bvh")
    motion = bvh.Bvh((tmp_path / "motion.bvh").read_text())
    assert {joint.lower() for joint in HUMANOID.joints} <= {joint.lower() for joint in motion.get_joints_names()}
    assert motion.nframes >= 20
    assert motion.frame_time == pytest.approx(1 / 30, rel=0.05)

    take.get_by_role("button", name="Delete", exact=True).click()
    button(tab, "Delete permanently").wait_for()
    tab.keyboard.press("Escape")
    button(tab, "Delete permanently").wait_for(state="detached")
    assert folder.is_dir()
    take.get_by_role("button", name="Delete", exact=True).click()
    button(tab, "Delete permanently").click()
    take.wait_for(state="detached")
    assert list(dashboard.takes.iterdir()) == []
    tab.get_by_role("tab", name="Figures").click()


def test_a_paused_moment_is_drawn_as_figures(tab):
    start_demo(tab)
    pause(tab)
    for name in ("skeleton", "angles", "latency"):
        tab.wait_for_selector(f".st-key-still-{name} .main-svg, .st-key-still-{name} canvas", state="attached")
    button(tab, "Resume").click()
    tab.wait_for_selector(".st-key-still .js-plotly-plot", state="detached")


# ---- the character --------------------------------------------------------------------------------------------------


def test_a_character_with_textures_is_shown(tab, tmp_path):
    """Its textures are read from blobs, which the page's security policy must allow."""
    data = default_character_path().read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document, binary = json.loads(data[20 : 20 + length]), data[20 + length + 8 :]
    binary += b"\0" * (-len(binary) % 4)
    image = cv2.imencode(".png", np.full((8, 8, 3), 200, np.uint8))[1].tobytes()
    document["bufferViews"].append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(image)})
    document["images"] = [{"bufferView": len(document["bufferViews"]) - 1, "mimeType": "image/png"}]
    document["textures"] = [{"source": 0}]
    document["materials"][0].setdefault("pbrMetallicRoughness", {})["baseColorTexture"] = {"index": 0}
    binary += image + b"\0" * (-len(image) % 4)
    document["buffers"] = [{"byteLength": len(binary)}]
    write_glb(tmp_path / "mine.glb", document, binary)
    tab.set_input_files(".rp-live input[type=file]", tmp_path / "mine.glb")
    until(tab, "realtimePose.character.name === 'mine.glb' && realtimePose.character.missing.length === 0")
    (tmp_path / "bad.glb").write_bytes(b"glTF, but not quite")
    tab.set_input_files(".rp-live input[type=file]", tmp_path / "bad.glb")
    tab.wait_for_selector(".rp-file-message:has-text('bad.glb cannot be used')")
    assert tab.evaluate("realtimePose.character.name") == "mine.glb"
    tab.locator(".rp-live").get_by_role("button", name="Built-in").click()
    until(tab, "realtimePose.character.name === 'default_model.glb'")


# ---- its look -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps_or_overflows(chromium, dashboard, tab, width):
    stop(tab)
    context = chromium.new_context(viewport={"width": width, "height": 900})
    narrow = open_page(context, dashboard.url)
    before = narrow.evaluate(WHERE)
    assert narrow.evaluate(OVERFLOWING, width) == []
    narrow.click(".st-key-start button")
    narrow.wait_for_selector(".pg-running")
    more_frames(narrow, 3)
    until(narrow, "[...document.querySelectorAll('[data-testid=stMetricValue]')].every((e) => e.innerText !== '–')")
    assert narrow.evaluate(WHERE) == before
    assert narrow.evaluate(OVERFLOWING, width) == []
    assert narrow.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    assert narrow.evaluate("document.documentElement.scrollWidth") <= width
    assert narrow.evaluate("window.harm") == []
    context.close()


def test_a_button_that_replaces_another_moves_none(tab):
    """Under a load, two buttons stayed side by side for seconds, and a click on Pause hit the gap beside it."""
    stop(tab)
    tab.evaluate(SEEN_BUTTONS)
    start(tab)
    tab.wait_for_selector(".pg-running")
    stop(tab)
    assert tab.evaluate("window.seenButtons()") == ["Pause Start Step", "Pause Step Stop"]


def test_start_is_reached_by_keyboard(tab):
    stop(tab)
    tab.evaluate("document.activeElement.blur()")
    tab.locator("[data-testid=stSidebar] input").first.focus()
    for _ in range(80):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.closest('.st-key-start') !== null"):
            break
    else:
        pytest.fail("80 times Tab do not lead to Start")
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".pg-running")
    more_frames(tab, 3)


# ---- safety ---------------------------------------------------------------------------------------------------------


def test_nothing_is_asked_of_another_machine(tab, dashboard):
    start_demo(tab)
    host = dashboard.url.removeprefix("http://")
    allowed = (f"http://{host}/", f"ws://{host}/", "blob:", "data:")
    assert [url for url in tab.asked if not url.startswith(allowed)] == []
    assert f"ws://{host}/live" in tab.asked
    request = urllib.request.Request(dashboard.url, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code in (400, 403)
    refused.value.close()


def test_a_signal_ends_it_in_time_with_the_page_open(tab, chromium, tmp_path):
    stop(tab)  # frees the CPU for the other one
    running = Dashboard(tmp_path)
    context = chromium.new_context()
    try:
        page = open_page(context, running.url)
        start(page)
        running.ask_to_end()
        assert running.process.wait(END_WITHIN_S) == 0
        page.wait_for_selector(".rp-link:visible")  # the page says so
    finally:
        context.close()
        running.end()
    assert not any("Traceback" in line for line in running.said)
