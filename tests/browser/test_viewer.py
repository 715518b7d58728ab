"""The live view in a real browser, with a scripted server."""

import base64
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.rigs import NAMES, make_rig, write_glb
from support.viewer_server import COLOURS, STATIC, ViewerServer, actor, actor_camera, jpeg, message, plain, state

from realtime_pose.axes import mirrored_positions, mirrored_rotations
from realtime_pose.model3d.character import default_character_path
from realtime_pose.skeletons import HUMANOID

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VIEWER = Path(__file__).parents[2] / "viewer"
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--use-fake-device-for-media-stream",
]  # fmt: skip
SOFTWARE_3D = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 60_000  # bounds a test that hangs; a passing one never waits it out
READY = "window.realtimePose && (!realtimePose.webgl || (realtimePose.character.name && realtimePose.renders))"
# The colour in the middle of the frame, read at each acknowledgement.
SPY = """
window.seen = [];
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (typeof data === "string" && data.includes("ack")) {
    const canvas = document.querySelector(".rp-2d canvas");
    const at = canvas.getContext("2d").getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    window.seen.push([...at.slice(0, 3)]);
  }
  return send.call(this, data);
};
"""


@pytest.fixture(scope="module")
def server():
    running = ViewerServer()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tools():
    with playwright.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(tools):
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=FLAGS + SOFTWARE_3D)
    yield browser
    browser.close()


@pytest.fixture
def opened(chromium, server):
    """A function that opens the page and returns the tab and its connection."""
    contexts = []

    def open_page(browser=chromium, greeting=None, spy="", **options):
        server.greeting = greeting or state("running")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(PATIENCE_MS)
        tab.asked, tab.complaints = [], []
        tab.on("request", lambda request: tab.asked.append(request.url))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        if spy:
            tab.add_init_script(spy)
        before = len(server.watchers)
        tab.goto(server.url)
        tab.wait_for_function(READY)
        return tab, server.newest(before + 1)

    yield open_page
    for context in contexts:
        context.close()


def pixel(tab, x, y):
    """The colour (r, g, b) at a point of the frame, given as shares of its width and height."""
    return tab.evaluate(
        """([x, y]) => {
            const canvas = document.querySelector(".rp-2d canvas");
            const at = [Math.round(x * canvas.width), Math.round(y * canvas.height)];
            return [...canvas.getContext("2d").getImageData(...at, 1, 1).data].slice(0, 3);
        }""",
        [x, y],
    )


def angle_rad(a_xyzw, b_xyzw):
    """The angle between two turns; q and -q are one turn. By the sine: near 0 the cosine knows too little."""
    a, b = (np.array(q) / np.linalg.norm(q) for q in (a_xyzw, b_xyzw))
    return 4 * np.arcsin(min(1.0, np.linalg.norm(a - b) / 2, np.linalg.norm(a + b) / 2))


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def is_blue(tab, x, y):
    """True if a line in the colour of the left side goes through a point; it may be two pixels wide."""
    width = tab.evaluate("document.querySelector('.rp-2d canvas').width")
    near = [pixel(tab, x + dx / width, y) for dx in (-1, 0, 1)]
    return np.abs(np.array(near) - rgb(COLOURS["left"])).max(axis=1).min() < 12


def said(tab, view):
    return tab.inner_text(f".rp-{view} .rp-message")


# ---- the bundle -----------------------------------------------------------------------------------------------------


def test_the_bundle_is_what_its_sources_make(tmp_path):
    if shutil.which("node") is None or not (VIEWER / "node_modules" / "esbuild").is_dir():
        pytest.skip("needs Node.js, and `npm ci` in viewer/")
    done = subprocess.run(
        ["node", "build.mjs", str(tmp_path)], cwd=VIEWER, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in ("live.js", "LICENSES.txt"):
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), f"{name}: run `npm run build` in viewer/"


# ---- the frame and the overlay --------------------------------------------------------------------------------------


def test_each_of_thirty_frames_is_shown_and_then_answered_for(opened):
    tab, watcher = opened(spy=SPY)
    greys = [(i * 37) % 200 + 20 for i in range(30)]
    for seq, grey in enumerate(greys):  # two at most are on their way, as the server has it
        watcher.until(lambda seq=seq: seq - len(watcher.acks) < 2)
        watcher.send(message(seq, [actor(seq)], plain(grey)))
    watcher.until(lambda: len(watcher.acks) == 30)
    assert watcher.acks == list(range(30))
    seen = tab.evaluate("window.seen")
    assert np.abs(np.array(seen) - np.array(greys)[:, None]).max() <= 2
    assert tab.evaluate("[realtimePose.frames, realtimePose.seq, realtimePose.run]") == [30, 29, 1]
    assert tab.complaints == []


def person(points, *, score=1.0, layout="coco17"):
    """A person with a few keypoints only: {row: (x, y)}."""
    rows = range(17)
    return {"id": 7, "box": [100, 50, 540, 430], "layout": layout, "joints": None, "rotations": None, "root": None,
            "known": None, "keypoints": [points.get(row, (0, 0)) for row in rows],
            "scores": [score if row in points else 0 for row in rows]}  # fmt: skip


SHOULDER, ELBOW = 5, 7  # left ones
ARM = {SHOULDER: (160, 120), ELBOW: (160, 360)}


def test_limbs_have_the_programs_colours_and_a_dark_rim(opened):
    tab, watcher = opened(viewport={"width": 1600, "height": 900})
    watcher.show(message(0, [person(ARM)], plain(128)))
    assert is_blue(tab, 160 / 640, 0.5)
    across = [sum(pixel(tab, (160 + dx) / 640, 0.5)) for dx in np.arange(0, 6, 0.25)]
    assert min(across) < 150 < 370 < across[-1]  # the rim is darker than the image around it


def test_points_below_the_threshold_are_not_drawn(opened):
    tab, watcher = opened(greeting=state("running", threshold=0.5))
    watcher.show(message(0, [person(ARM, score=0.4)], plain(128)))
    assert max(pixel(tab, 160 / 640, 0.5)) < 140
    watcher.tell(state("running", threshold=0.3))
    tab.wait_for_function("""() => {
        const canvas = document.querySelector(".rp-2d canvas");
        return canvas.getContext("2d").getImageData(canvas.width / 4, canvas.height / 2, 1, 1).data[2] > 200;
    }""")


def test_switches_redraw_the_current_frame(opened):
    tab, watcher = opened()
    watcher.show(message(0, [person(ARM)], plain(128)))
    box_edge, arm = (100 / 640, 0.5), (160 / 640, 0.5)
    assert max(pixel(tab, *box_edge)) < 140
    tab.click("[data-toggle=boxes]")
    assert min(pixel(tab, *box_edge)) > 150
    tab.click("[data-toggle=skeleton]")
    assert max(pixel(tab, *arm)) < 140
    assert len(watcher.acks) == 1


def test_mirror_flips_the_frame_and_the_people(opened):
    tab, watcher = opened(greeting=state("running", mirror=True))
    halves = np.full((480, 640, 3), 30, np.uint8)
    halves[:, :320] = 220
    watcher.show(message(0, [person(ARM)], jpeg(halves)))
    assert min(pixel(tab, 0.9, 0.9)) > 210 > 50 > max(pixel(tab, 0.1, 0.9))
    assert is_blue(tab, 1 - 160 / 640, 0.5)


def test_an_image_smaller_than_its_frame_and_of_another_shape_fits(opened):
    tab, watcher = opened()
    small = jpeg(np.full((180, 320, 3), 200, np.uint8))
    watcher.show(message(0, [person(ARM)], small, size=(1280, 720)))
    assert min(pixel(tab, 0.5, 0.5)) > 190
    assert pixel(tab, 0.5, 0.02) == [0, 0, 0]  # nothing over it: the box shows
    assert is_blue(tab, 160 / 1280, 0.125 + 0.75 * 240 / 720)


def test_a_take_without_images_shows_the_people(opened):
    tab, watcher = opened()
    watcher.show(message(0, [person(ARM)]))
    assert is_blue(tab, 160 / 640, 0.5)


def test_a_broken_image_does_not_stop_the_stream(opened):
    tab, watcher = opened()
    watcher.show(message(0, [], b"\xff\xd8 no picture"))
    watcher.show(message(1, [], plain(77)))
    assert watcher.acks == [0, 1]
    assert pixel(tab, 0.5, 0.5) == [77, 77, 77]


def test_a_frame_decoded_during_a_clear_is_not_shown(opened):
    tab, watcher = opened()
    watcher.show(message(0, [], plain(77)))
    tab.evaluate(
        """() => {
            const unpack = window.createImageBitmap;
            const waits = new Promise((go) => { window.goOn = go; });
            window.createImageBitmap = async (...given) => { await waits; return unpack(...given); };
        }"""
    )
    watcher.send(message(1, [], plain(99)))
    watcher.tell(state("idle"))
    tab.wait_for_function("document.querySelector('.rp-2d .rp-message').innerText.includes('Choose a source')")
    tab.evaluate("goOn()")
    watcher.until(lambda: 1 in watcher.acks)
    assert "Choose a source" in said(tab, "2d")
    assert pixel(tab, 0.5, 0.5) == [0, 0, 0]


# ---- the character --------------------------------------------------------------------------------------------------


def test_the_characters_bones_have_the_sent_rotations(opened):
    tab, watcher = opened()
    for row in (0, 90, 300):
        sent = actor(row)
        watcher.show(message(row, [sent], plain(90)))
        for joint, rotation in zip(HUMANOID.joints, sent["rotations"], strict=True):
            bone = tab.evaluate("name => realtimePose.bone(name)", joint)
            assert angle_rad(bone, rotation) < 2e-3, (row, joint)


def test_up_to_four_people_have_a_character_each(opened):
    tab, watcher = opened()
    people = [actor(60 * i, person=10 + i, aside_m=i - 2) for i in range(5)]
    watcher.show(message(0, people, plain(90)))
    tab.wait_for_function("realtimePose.character.figures === 4")
    bone = tab.evaluate("realtimePose.bone('leftLowerArm', 12)")
    assert angle_rad(bone, people[2]["rotations"][HUMANOID.index["leftLowerArm"]]) < 2e-3
    assert tab.evaluate("realtimePose.bone('hips', 14)") is None


EYE = "realtimePose.eye.position.map((x, axis) => x - realtimePose.eye.target[axis])"


def test_a_rotated_view_stays_while_people_walk_and_can_be_reset(opened):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(90)))
    before = tab.evaluate(EYE)
    box = tab.locator(".rp-3d canvas").bounding_box()
    tab.mouse.move(box["x"] + 200, box["y"] + 200)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 320, box["y"] + 230)
    tab.mouse.up()
    turned = tab.evaluate(EYE)
    assert np.linalg.norm(np.subtract(turned, before)) > 0.5
    tab.click("[data-toggle=boxes]")
    for row in (90, 120, 150):
        watcher.show(message(row, [actor(row)], plain(90)))
    here = actor(150)["joints"][0]
    tab.wait_for_function(
        "([x, , z]) => Math.hypot(realtimePose.eye.target[0] - x, realtimePose.eye.target[2] - z) < 0.01", arg=here
    )  # the view has followed
    assert tab.evaluate(EYE) == pytest.approx(turned, abs=1e-3)
    tab.click("[data-press=reset]")
    assert tab.evaluate(EYE) == pytest.approx(before, abs=1e-2)


def test_arrow_keys_rotate_the_view(opened):
    tab, _ = opened()
    before = tab.evaluate(EYE)
    tab.focus(".rp-3d canvas")
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate(EYE)[0] < before[0] - 0.1
    tab.keyboard.press("-")
    assert np.linalg.norm(tab.evaluate(EYE)) > np.linalg.norm(before) * 1.05


SETTLED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let calm = 0, all = 0, last = -1; all < 900; all += 1) {
        calm = realtimePose.renders === last ? calm + 1 : 0;
        if (calm === 20) return last;
        last = realtimePose.renders;
        await frame();
    }
    return null;
}"""


def shown_3d(tab):
    """The 3D box (H, W, 3) as it is on the screen, BGR, without the border."""
    tab.evaluate(SETTLED)
    image = cv2.imdecode(np.frombuffer(tab.locator(".rp-3d").screenshot(), np.uint8), cv2.IMREAD_COLOR)
    return image[2:-2, 2:-2]


@pytest.mark.parametrize("mirror", [False, True])
def test_over_the_video_the_character_lies_on_the_person(opened, mirror):
    tab, watcher = opened(greeting=state("running", mirror=mirror))
    camera = actor_camera()[1].mirrored() if mirror else actor_camera()[1]
    told = {"position": camera.position_m.tolist(), "rotation": camera.rotation_xyzw.tolist()}
    person = actor(40)
    if mirror:  # as the server does
        for key, mirrored in (("joints", mirrored_positions), ("rotations", mirrored_rotations)):
            person[key] = mirrored(HUMANOID, np.array(person[key])).tolist()
        person["root"] = person["joints"][0]
    size = camera.width, camera.height
    halves = np.full((*size[::-1], 3), 200, np.uint8)
    halves[:, : size[0] // 2] = 60
    tab.uncheck("[data-toggle=joints]")
    tab.check("[data-toggle=over]")
    watcher.show(message(0, [person], jpeg(halves), size=size, camera=told | {"yfov_deg": camera.yfov_deg}))
    tab.wait_for_function("realtimePose.over")
    picture = shown_3d(tab)
    height, width = picture.shape[:2]
    scale = width / size[0]
    top = (height - size[1] * scale) / 2

    def at(x, y):
        return picture[round(top + y * scale), round(x * scale)].astype(int)

    sides = [at(40, 40)[0], at(size[0] - 40, 40)[0]]
    assert sides == pytest.approx([200, 60] if mirror else [60, 200], abs=6)  # the frame, mirrored with the people
    assert np.abs(picture[2, width // 2].astype(int) - at(40, 40)).max() > 20  # above it is none
    tab.uncheck("[data-toggle=character]")
    covered = np.abs(picture.astype(int) - shown_3d(tab)).max(axis=-1) > 8
    joints_px = camera.project(person["joints"]) * scale + (0, top)
    missed = [name for name, (x, y) in zip(HUMANOID.joints, joints_px, strict=True) if not covered[round(y), round(x)]]
    assert missed == []
    rows, columns = np.nonzero(covered)
    tall = np.ptp(joints_px[:, 1])
    bounds = [columns.min(), rows.min(), columns.max(), rows.max()]
    assert bounds == pytest.approx([*joints_px.min(axis=0), *joints_px.max(axis=0)], abs=0.25 * tall)  # hands, crown


def test_without_a_camera_the_view_stays_and_says_so(opened):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(90), size=(1280, 720)))
    eye = tab.evaluate(EYE)
    tab.check("[data-toggle=over]")
    assert tab.inner_text(".rp-nobody") == "Camera unknown"
    assert tab.evaluate("realtimePose.over") is False
    assert tab.is_disabled("[data-press=reset]")
    watcher.show(message(1, [actor(0)], plain(90), size=(1280, 720), camera=actor_camera()[0]))
    assert tab.evaluate("realtimePose.over") is True
    assert tab.is_hidden(".rp-nobody")
    tab.uncheck("[data-toggle=over]")
    assert tab.evaluate(EYE) == pytest.approx(eye, abs=1e-2)
    assert tab.evaluate("realtimePose.over") is False


def test_nothing_is_rendered_while_nothing_changes(opened):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(90)))
    still = tab.evaluate(SETTLED)  # twenty animation frames without a render of the scene
    assert still is not None
    watcher.show(message(1, [actor(30)], plain(90)))
    tab.wait_for_function("before => realtimePose.renders > before", arg=still)


def test_a_lost_webgl_context_is_reported_and_restored(opened):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(90)))
    tab.evaluate("""() => {
        window.loss = document.querySelector(".rp-3d canvas").getContext("webgl2").getExtension("WEBGL_lose_context");
        window.loss.loseContext();
    }""")
    tab.wait_for_function("document.querySelector('.rp-3d .rp-message').innerText.includes('has reset the 3D view')")
    watcher.show(message(1, [actor(30)], plain(40)))
    assert pixel(tab, 0.1, 0.1) == [40, 40, 40]
    tab.evaluate("window.loss.restoreContext()")
    tab.wait_for_function("document.querySelector('.rp-3d .rp-message').innerText === ''")
    before = tab.evaluate("realtimePose.renders")
    watcher.show(message(2, [actor(60)], plain(90)))
    tab.wait_for_function("before => realtimePose.renders > before", arg=before)


def test_without_webgl_the_2d_view_continues_and_the_reason_is_shown(tools, opened):
    browser = tools.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-webgl", "--disable-3d-apis"])
    try:
        tab, watcher = opened(browser)
        for seq in range(3):
            watcher.show(message(seq, [actor(seq)], plain(60 + seq)))
            assert pixel(tab, 0.05, 0.05) == [60 + seq] * 3
        assert "needs WebGL 2" in said(tab, "3d")
        assert tab.evaluate("realtimePose.webgl") is False
        assert tab.is_disabled("[data-press=choose]")
        assert tab.complaints == []
    finally:
        browser.close()


# ---- a character of one's own ---------------------------------------------------------------------------------------


def drop(tab, name, content):
    """Drop a file on the view, as from the desktop."""
    tab.evaluate(
        """([name, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name));
            for (const kind of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
                document.querySelector(".rp-3d canvas, .rp-3d").dispatchEvent(event);
            }
        }""",
        [name, base64.b64encode(content).decode()],
    )


def note(tab):
    return tab.inner_text(".rp-file-message")


def vrm_1(nodes):
    bones = {joint: {"node": nodes[f"node {i}"]} for i, joint in enumerate(HUMANOID.joints)}
    meta = {"name": "somebody", "authors": ["us"], "licenseUrl": "https://vrm.dev/licenses/1.0/"}
    return {"VRMC_vrm": {"specVersion": "1.0", "meta": meta, "humanoid": {"humanBones": bones}}}


def in_rigid_parts(document):
    """A part of the mesh on each joint, and no skin."""
    (skin,) = document.pop("skins")
    del document["nodes"][-1]["skin"], document["nodes"][-1]["mesh"]
    for joint in skin["joints"]:
        document["nodes"][joint]["mesh"] = 0
    for name in ("JOINTS_0", "WEIGHTS_0"):
        del document["meshes"][0]["primitives"][0]["attributes"][name]


@pytest.mark.parametrize("names", ["vrm 1", "mixamo", "rigify", "unreal", "rigid parts"])
def test_a_character_that_is_dropped_is_driven(opened, tmp_path, names):
    tab, watcher = opened()
    if names == "vrm 1":
        own = {joint: f"node {i}" for i, joint in enumerate(HUMANOID.joints)}
        path = make_rig(tmp_path / "own.vrm", names=own, extensions=vrm_1)
    elif names == "rigid parts":
        path = make_rig(tmp_path / "own.glb", change=in_rigid_parts)
    else:
        path = make_rig(tmp_path / "own.glb", names=NAMES[names])
    drop(tab, path.name, path.read_bytes())
    tab.wait_for_function("name => realtimePose.character.name === name", arg=path.name)
    people = [actor(90), actor(300, person=1, aside_m=1)]
    watcher.show(message(0, people, plain(90)))
    tab.wait_for_function("realtimePose.character.figures === 2")
    for person_ in people:
        for joint in ("leftUpperArm", "rightLowerLeg", "head"):
            bone = tab.evaluate("([joint, id]) => realtimePose.bone(joint, id)", [joint, person_["id"]])
            assert angle_rad(bone, person_["rotations"][HUMANOID.index[joint]]) < 3e-3, joint
    tab.click("[data-press=default]")
    tab.wait_for_function("realtimePose.character.name === 'default_model.glb'")
    assert tab.complaints == []


def glb_with(change):
    """The default character with its JSON changed."""
    content = default_character_path().read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    document = json.loads(content[20 : 20 + length])
    change(document)
    return document, content[20 + length + 8 :]


def packed(tmp_path, change):
    path = tmp_path / "changed.glb"
    write_glb(path, *glb_with(change))
    return path.read_bytes()


def without_left_hand(document):
    document["nodes"][7]["name"] = "something"


def refers_outside(document):
    document["images"] = [{"uri": "http://127.0.0.1:9/picture.png"}]


def in_draco(document):
    document["extensionsUsed"] = ["KHR_draco_mesh_compression"]


def without_skin(document):
    del document["skins"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_left_hand, "no bone found for: left hand."),
        (refers_outside, "it refers to other files, which are not loaded"),
        (in_draco, "it is compressed with Draco"),
        (without_skin, "it has no skeleton"),
    ],
)
def test_an_unusable_character_changes_nothing_and_names_the_cause(opened, server, tmp_path, change, sentence):
    tab, watcher = opened()
    asked = len(tab.asked)
    drop(tab, "bad.glb", packed(tmp_path, change))
    tab.wait_for_function("document.querySelector('.rp-file-message').innerText.includes('bad.glb cannot be used')")
    assert sentence in note(tab)
    assert "The character is unchanged" in note(tab)
    watcher.show(message(0, [actor(90)], plain(90)))
    bone = tab.evaluate("realtimePose.bone('leftHand')")
    assert angle_rad(bone, actor(90)["rotations"][HUMANOID.index["leftHand"]]) < 2e-3
    assert tab.evaluate("realtimePose.character.name") == "default_model.glb"
    assert tab.asked[asked:] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 a zip of an .fbx and its textures", "it is not a GLB or VRM file"),
        (b"", "it is not a GLB or VRM file"),
        (default_character_path().read_bytes()[:9000], "it is incomplete"),
        (struct.pack("<4sIIII", b"glTF", 2, 28, 8, 0x4E4F534A) + b"{ broken", "its contents are damaged"),
    ],
)
def test_a_file_that_is_no_character_is_refused(opened, content, sentence):
    tab, _ = opened()
    tab.set_input_files("input[type=file]", {"name": "x.vrm", "mimeType": "", "buffer": content})
    tab.wait_for_function("document.querySelector('.rp-file-message').innerText.includes('x.vrm cannot be used')")
    assert sentence in note(tab)
    assert tab.evaluate("realtimePose.character.name") == "default_model.glb"


def test_a_file_that_is_too_large_is_not_even_read(opened, tmp_path):
    tab, _ = opened()
    path = tmp_path / "large.glb"
    path.touch()
    os.truncate(path, 101 * 1024 * 1024)
    tab.set_input_files("input[type=file]", path)
    tab.wait_for_function("document.querySelector('.rp-file-message').innerText.includes('at most 100 MB')")


# ---- the connection, words, keys ------------------------------------------------------------------------------------


def test_it_connects_again_when_the_server_drops_it(opened, server):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(50)))
    turned = tab.evaluate(EYE)
    count = len(server.watchers)
    server.hold()
    watcher.drop()
    tab.wait_for_selector("text=Reconnecting ...")
    assert pixel(tab, 0.05, 0.05) == [50, 50, 50]  # the last frame stays
    server.go_on()
    again = server.newest(count + 1)
    again.show(message(7, [actor(0)], plain(99)))
    assert pixel(tab, 0.05, 0.05) == [99, 99, 99]
    assert not tab.is_visible("text=Reconnecting ...")
    assert tab.evaluate("realtimePose.reconnects") >= 1
    assert tab.evaluate(EYE) == pytest.approx(turned, abs=1e-6)


def test_the_message_follows_the_state_of_the_run(opened):
    tab, watcher = opened(greeting=state("idle"))
    assert said(tab, "2d") == "Choose a source and press Start."
    watcher.tell(state("opening", doing="Fetching vitpose-s ...", progress=0.4))
    tab.wait_for_selector("text=Fetching vitpose-s ...")
    assert tab.evaluate("document.querySelector('.rp-message progress').value") == 0.4
    watcher.tell(state("running", recording=True))
    watcher.show(message(0, [], plain(90)))
    tab.wait_for_selector(".rp-rec >> visible=true")
    assert said(tab, "2d") == ""
    assert tab.inner_text(".rp-nobody") == "No 3D pose"
    watcher.tell(state("failed", failure="The camera is gone. Plug it in and press Start."))
    tab.wait_for_selector("text=The camera is gone. Plug it in and press Start.")
    assert pixel(tab, 0.5, 0.5) == [0, 0, 0]
    watcher.tell(state("idle"))
    tab.wait_for_selector("text=Choose a source")


def test_text_of_the_server_is_text(opened):
    tab, watcher = opened(greeting=state("idle"))
    watcher.tell(state("failed", failure="<img src=x onerror='window.owned = 1'>"))
    tab.wait_for_selector("text=<img src=x")
    assert tab.evaluate("window.owned") is None


def test_keys_recentre_pause_resume_and_step_unless_a_text_field_has_focus(opened):
    tab, watcher = opened()
    for key in ("r", " ", "."):
        tab.keyboard.press(key)
    tab.focus("#typed")
    tab.keyboard.type("r .")
    assert tab.input_value("#typed") == "r ."
    tab.focus("[data-toggle=boxes]")
    tab.keyboard.press(" ")
    assert tab.is_checked("[data-toggle=boxes]")
    watcher.tell(state("paused"))
    tab.wait_for_selector(".rp-paused >> visible=true")
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press(" ")
    tab.click("[data-press=recentre]")
    watcher.until(lambda: len(watcher.done) >= 5)
    assert watcher.done == ["recentre", "pause", "step", "resume", "recentre"]


def test_no_other_host_is_contacted(opened, server):
    tab, watcher = opened()
    watcher.show(message(0, [actor(0)], plain(90)))
    outside = [url for url in tab.asked if not url.startswith((server.url, "blob:", "data:"))]
    assert outside == []
    assert len(tab.asked) >= 3


STREAMS = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await ask(wanted));
"""


def test_closing_frees_everything_and_it_can_start_again(opened, server):
    tab, watcher = opened(spy=STREAMS, permissions=["camera"])
    watcher.show(message(0, [actor(0)], plain(90)))
    watcher.tell(state("running", browser_camera=True))
    watcher.until(lambda: watcher.pictures)
    count = len(server.watchers)
    tab.evaluate("window.gl = document.querySelector('.rp-3d canvas').getContext('webgl2')")
    tab.evaluate("viewer.destroy(); viewer.destroy();")
    assert watcher.gone.wait(60)
    assert tab.evaluate("[window.stream.getTracks()[0].readyState, window.gl.isContextLost()]") == ["ended", True]
    assert tab.evaluate("[document.querySelectorAll('canvas').length, window.realtimePose]") == [0, None]
    for _ in range(18):  # more than a browser lets live at once
        tab.evaluate("mountViewer(); viewer.destroy();")
    tab.evaluate("mountViewer()")
    tab.wait_for_function(READY)
    assert tab.evaluate("realtimePose.webgl")
    assert len(server.watchers) >= count
    assert tab.complaints == []


# ---- the browser's camera -------------------------------------------------------------------------------------------


def test_frames_of_the_browsers_camera_are_sent_while_they_are_wanted(opened):
    tab, watcher = opened(permissions=["camera"])
    watcher.tell(state("running", browser_camera=True))
    watcher.until(lambda: len(watcher.pictures) >= 5)
    for picture in watcher.pictures[:5]:
        (grabbed_ms,) = struct.unpack_from("<d", picture)
        assert grabbed_ms > 1.6e12
        image = cv2.imdecode(np.frombuffer(picture, np.uint8, offset=8), cv2.IMREAD_COLOR)
        assert image.shape == (480, 640, 3)
        assert image.std() > 5
    watcher.tell(state("idle"))
    tab.wait_for_selector("text=Choose a source")
    sent = tab.evaluate("realtimePose.camera_frames_sent")
    tab.evaluate("async () => { for (let i = 0; i < 20; i += 1) await new Promise(requestAnimationFrame); }")
    assert tab.evaluate("realtimePose.camera_frames_sent") == sent


CAMERAS = {
    "NotAllowedError": "The browser may not use the camera.",
    "NotFoundError": "The browser finds no camera",
    "NotReadableError": "The camera is in use by another program.",
}


@pytest.mark.parametrize("name", [*CAMERAS, "insecure"])
def test_an_unavailable_camera_is_reported_with_what_to_do(opened, name):
    refusal = f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{name}'); }};"
    if name == "insecure":  # as browsers are without localhost or HTTPS
        refusal = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
    tab, watcher = opened(spy=refusal)
    watcher.tell(state("opening", browser_camera=True))
    tab.wait_for_selector(f"text={CAMERAS.get(name, 'camera needs localhost or HTTPS')}")
    tab.click("text=Try again")
    tab.wait_for_selector("text=Try again")
    watcher.tell(state("idle"))
    tab.wait_for_selector("text=Choose a source")
    assert tab.complaints == []


# ---- how it looks ---------------------------------------------------------------------------------------------------

BOXES = "[...document.querySelectorAll('.rp-box, .rp-bar')].map((box) => JSON.stringify(box.getBoundingClientRect()))"


@pytest.mark.parametrize(("width", "side_by_side"), [(1280, True), (390, False)])
def test_the_views_keep_their_places_whatever_happens(opened, width, side_by_side):
    tab, watcher = opened(greeting=state("idle"), viewport={"width": width, "height": 900})
    before = tab.evaluate(BOXES)
    left, right = (tab.locator(f".rp-{view}").bounding_box() for view in ("2d", "3d"))
    assert (abs(left["y"] - right["y"]) < 1) == side_by_side
    assert left["width"] / left["height"] == pytest.approx(4 / 3, rel=0.01)
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    watcher.tell(state("running", recording=True))
    watcher.show(message(0, [actor(0)], plain(90), size=(1280, 720)))
    assert tab.evaluate(BOXES) == before
    watcher.tell(
        state("failed", failure="Something that takes a few words to say went wrong. Do this, then that. " * 2)
    )
    tab.wait_for_selector("text=Something that takes")
    assert tab.evaluate(BOXES) == before


def test_light_and_dark_follow_the_page(opened):
    tab, _ = opened(color_scheme="light")
    theme = "document.querySelector('.rp-live').dataset.theme"
    assert tab.evaluate(theme) == "light"
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function(f"{theme} === 'dark'")
    # Streamlit's own theme goes before the system's
    tab.evaluate("""() => {
        document.querySelector("main").style.setProperty("--st-background-color", "#ffffff");
        document.querySelector("main").style.setProperty("--st-text-color", "#31333f");
    }""")
    tab.wait_for_function(f"{theme} === 'light'")


def test_each_control_is_reached_by_keyboard_and_has_a_name(opened):
    tab, _ = opened()
    tab.focus("#typed")
    names = []
    for _step in range(11):
        tab.keyboard.press("Tab")
        names.append(
            tab.evaluate("""() => {
                const at = document.activeElement;
                return at.ariaLabel ?? at.labels?.[0]?.innerText ?? at.innerText;
            }""").strip()
        )
    wanted = [
        "Skeleton",
        "Boxes",
        "IDs",
        "Character",
        "Joints",
        "Over the video",
        "Reset view",
        "Recentre",
        "Choose character",
    ]
    assert [name for name in names if name in wanted] == wanted
    assert any("in 3D" in name for name in names)
