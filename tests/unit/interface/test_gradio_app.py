"""The Gradio demo: images in, outputs out, through the page's own requests; and which requests are refused."""

import io
import json
import re
import socket
import struct
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file
from support.actor_frames import actor_frame, empty_frame
from support.demo import demo_app, picture_of

from realtime_pose.communication.packets.schema_check import SchemaCheck
from realtime_pose.config import AppConfig
from realtime_pose.errors import CaptureError, ConfigError
from realtime_pose.interface import gradio_app

pytest.importorskip("gradio", reason="needs gradio")
Image = pytest.importorskip("PIL.Image")

from starlette.testclient import TestClient  # noqa: E402 - comes with gradio

from realtime_pose.interface.demo import server  # noqa: E402
from realtime_pose.interface.demo.page import API_NAME  # noqa: E402
from realtime_pose.interface.demo.stills import Stills, read_image  # noqa: E402

HERE = "http://127.0.0.1"
VISITOR = ("127.0.0.1", 50_000)  # the guard refuses other addresses
OVERLAY, FIGURE, PACKETS, SAID, _, WHO = range(6)

pytestmark = pytest.mark.filterwarnings("ignore:.*no_silent_downcasting")  # Gradio's, of pandas


@pytest.fixture(scope="module")
def outside():
    """Hosts beyond this machine that were looked up or connected to."""
    asked = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looking_up(host, *rest, **more):
        if host not in (None, "127.0.0.1", "localhost", "::1"):
            asked.append(host)
        return look_up(host, *rest, **more)

    def connecting(self, address):
        if isinstance(address, tuple) and not address[0].startswith("127."):
            asked.append(address)
        return connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", looking_up)
        patch.setattr(socket.socket, "connect", connecting)
        yield asked


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "of_the_server"


@pytest.fixture(scope="module")
def demo(folder, outside):
    with (
        demo_app(folder) as app,
        TestClient(app, base_url=HERE, client=VISITOR, raise_server_exceptions=False) as client,
    ):
        yield client


def uploaded(demo, content, name="picture.png"):
    answer = demo.post("/gradio_api/upload", files={"files": (name, content)})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


def asked(demo, path):
    """The page's outputs for an image at `path` on the server: (event, data)."""
    picture = {"path": path, "meta": {"_type": "gradio.FileData"}}
    event = demo.post(f"/gradio_api/call/{API_NAME}", json={"data": [picture]}).json()["event_id"]
    lines = demo.get(f"/gradio_api/call/{API_NAME}/{event}").text.splitlines()
    return lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))


def shown(demo, content, name="picture.png"):
    event, data = asked(demo, uploaded(demo, content, name))
    assert event == "complete", data
    return data


def served_image(demo, file):
    content = demo.get(f"/gradio_api/file={file['path']}").content
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_an_image_gives_an_overlay_a_figure_and_packets_that_the_schema_allows(demo, tmp_path):
    picture = picture_of(1, tmp_path / "one.png")
    outputs = shown(demo, picture.read_bytes())
    assert outputs[SAID] == "1 person found."
    changed = np.abs(served_image(demo, outputs[OVERLAY]).astype(int) - cv2.imread(str(picture))).max(axis=2) > 40
    assert 500 < changed.sum() < changed.size / 2
    assert outputs[FIGURE]["type"] == "plotly"
    assert len(json.loads(outputs[FIGURE]["plot"])["data"]) == 6
    check = SchemaCheck()
    for packet in outputs[PACKETS]:
        check(json.dumps(packet, separators=(",", ":")).encode())
    pose, *parts = outputs[PACKETS]
    assert pose["type"] == "pose"
    assert pose["rotations"] is not None
    assert {part["part"] for part in parts} == {"feet", "hands"}
    assert outputs[WHO]["visible"] is False


def test_several_people_are_drawn_and_sent_and_one_of_them_is_chosen_for_3d(demo, tmp_path):
    one = shown(demo, picture_of(1, tmp_path / "one.png").read_bytes())
    three = shown(demo, picture_of(3, tmp_path / "three.png").read_bytes())
    assert three[SAID] == "3 people found."
    assert {packet["person"] for packet in three[PACKETS]} == {1, 2, 3}
    assert three[WHO]["visible"]
    assert [value for _, value in three[WHO]["choices"]] == [1, 2, 3]
    drawn = [(served_image(demo, outputs[OVERLAY]) != 180).any(axis=2).sum() for outputs in (one, three)]
    assert drawn[1] > 1.5 * drawn[0]


def test_an_image_without_people_is_reported_and_shown(demo, tmp_path):
    outputs = shown(demo, picture_of(0, tmp_path / "none.png").read_bytes())
    assert outputs[SAID].startswith("No person found.")
    assert served_image(demo, outputs[OVERLAY]).shape == (480, 640, 3)
    assert outputs[FIGURE] is None
    assert outputs[PACKETS] is None


def png_header(width, height):
    """The header of a PNG of this size, without pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return header + struct.pack(">I", 9) + b"IDAT"


def encoded(kind, **more):
    file = io.BytesIO()
    Image.fromarray(actor_frame(0).image_bgr[:, :, ::-1]).save(file, kind, **more)
    return file.getvalue()


BAD = {
    "text": (b"hello", "is not a readable image"),
    "empty": (b"", "is not a readable image"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not a readable image"),
    "pdf": (b"%PDF-1.7\n%EOF", "is not a readable image"),
    "cut off": (encoded("PNG")[:5000], "is damaged"),
    "spoilt": (encoded("PNG")[:3000] + bytes(5000), "is damaged"),
    "large": (png_header(9000, 6000), "more than 50 megapixels"),
    "bomb": (png_header(60_000, 60_000), "at most 50 megapixels"),
    "tiny": (cv2.imencode(".png", np.zeros((1, 4000, 3), np.uint8))[1].tobytes(), "fewer than 32 x 32"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_image_gets_one_sentence(demo, name):
    content, sentence = BAD[name]
    outputs = shown(demo, content)
    assert sentence in outputs[SAID]
    assert "\n" not in outputs[SAID]
    assert "Traceback" not in outputs[SAID]
    assert outputs[OVERLAY] is outputs[FIGURE] is outputs[PACKETS] is None


def test_an_upload_that_is_too_large_is_refused(demo):
    answer = demo.post("/gradio_api/upload", files={"files": ("large.png", bytes(server.MAX_BODY_BYTES))})
    assert answer.status_code == 413
    assert "at most 20 MB" in answer.text
    a_little = demo.post("/gradio_api/upload", files={"files": ("large.png", bytes(server.MAX_UPLOAD_MB * 2**20 + 1))})
    assert a_little.status_code == 413


def test_a_request_that_hides_its_size_is_broken_off(demo):
    def endless():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(server.MAX_BODY_BYTES // 2**20 + 3):
            yield bytes(2**20)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = demo.post("/gradio_api/upload", content=endless(), headers=kind)
    assert answer.status_code >= 400


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_images_of_each_format_are_read(tmp_path, kind):
    path = tmp_path / "picture"
    path.write_bytes(encoded(kind))
    image = read_image(path)
    assert image.shape == (480, 640, 3)
    assert np.abs(image.astype(int) - actor_frame(0).image_bgr).mean() < 12  # RGB and BGR differ by more


def test_an_image_is_rotated_by_its_exif_orientation(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # rotate clockwise
    path = tmp_path / "held.jpg"
    path.write_bytes(encoded("JPEG", exif=exif, quality=95))
    upright = cv2.rotate(actor_frame(0).image_bgr, cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(read_image(path).astype(int) - upright).mean() < 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:7860"}, 200),
        ({"host": "evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_only_this_hosts_own_pages_are_let_in(demo, headers, status):
    assert demo.get("/", headers=headers).status_code == status
    assert demo.post("/gradio_api/upload", headers=headers).status_code == (403 if status == 403 else 400)


def test_others_are_let_in_by_the_names_given_for_them_only(tmp_path):
    other = ("172.17.0.1", 50_000)
    with demo_app(tmp_path / "demo", host_names=["studio.local"]) as app, TestClient(app, client=other) as client:
        assert client.get("/", headers={"host": "studio.local:7860"}).status_code == 200
        assert client.get("/", headers={"host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("path", [str(gradio_app.__file__), "/etc/passwd", "{folder}/example.png"])
def test_no_other_file_is_served_or_read(demo, folder, path):
    path = path.format(folder=folder)
    assert demo.get(f"/gradio_api/file={path}").status_code in (403, 404)
    event, _ = asked(demo, path)
    assert event == "error"


def test_an_address_is_not_fetched(demo, outside):
    event, data = asked(demo, "http://elsewhere.example/picture.png")
    assert event == "error"
    assert "URLs are not downloaded" in json.dumps(data)
    assert outside == []


def test_the_running_model_and_notices_are_on_the_page(demo):
    text = demo.get("/config").text
    assert "Running made-up with nothing on cpu." in text
    assert "A notice." in text


def test_the_theme_names_no_address(demo):
    assert set(re.findall(r"https?://[^'\"]+", demo.get("/theme.css").text)) <= {"http://www.w3.org/2000/svg"}


def test_no_outside_host_was_contacted(demo, outside):
    assert demo.get("/").status_code == 200
    assert outside == []


# --- single images ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stills():
    settings = AppConfig().with_values({"inference": {"estimator": "blazepose", "persons": 10}}, "test")
    made = Stills(settings, notify=lambda sentence: None)
    yield made
    made.close()


def answer_of(result):
    return [
        (p.keypoints.xy_px.tolist(), p.pose.rotations.local_xyzw.tolist(), p.pose.root_m.tolist())
        for p in result.people
    ]


def test_each_image_is_independent_also_when_two_come_at_once(stills):
    first, second = actor_frame(40).image_bgr, actor_frame(160).image_bgr
    alone = answer_of(stills.people_in(first))
    assert len(alone) == 1
    other = answer_of(stills.people_in(second))
    assert other != alone
    assert answer_of(stills.people_in(first)) == alone  # independent of the image before
    assert stills.people_in(empty_frame().image_bgr).people == ()
    with ThreadPoolExecutor(2) as visitors:
        at_once = list(visitors.map(stills.people_in, [first, second] * 3))
    assert [answer_of(result) for result in at_once] == [alone, other] * 3


def test_the_model_and_device_are_reported(stills):
    assert stills.described == "blazepose with openvino fp32 on cpu"
    assert not stills.finds_one


# --- starting ---------------------------------------------------------------------------------------------------------


def started(capsys, *arguments):
    return gradio_app.main(["--port", "0", *arguments]), capsys.readouterr().err


@pytest.fixture
def gradio_settings(monkeypatch):
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")


@pytest.mark.usefixtures("gradio_settings")
def test_without_gradio_one_sentence_explains_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    code, said = started(capsys)
    assert code == 1
    assert said.splitlines() == ['error the demo needs gradio; install it with: pip install "realtime-pose[gradio]"']


@pytest.mark.usefixtures("gradio_settings")
@pytest.mark.parametrize(
    ("variables", "code", "sentence"),
    [
        ({"VITPOSE_DEVICE": "abacus"}, 2, "device='abacus' is not one of"),
        ({"VITPOSE_CHECKPOINT": "/no/such/weights.pth"}, 1, "/no/such/weights.pth"),
        ({"VITPOSE_CHECKPOINT": "{weights}", "VITPOSE_CONFIG": "/no/such/config.py"}, 2, "/no/such/config.py"),
    ],
)
def test_the_three_variables_choose_the_model(monkeypatch, capsys, tmp_path, variables, code, sentence):
    weights = tmp_path / "weights.safetensors"
    save_file({"weight": np.zeros((2, 2), np.float32)}, weights)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(weights=weights))
    got, said = started(capsys, "--no-download")
    assert (got, len(said.splitlines())) == (code, 1), said
    assert sentence in said


@pytest.mark.usefixtures("gradio_settings")
def test_a_port_in_use_is_reported_before_anything_is_loaded(capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        code = gradio_app.main(["--port", str(other.getsockname()[1])])
    assert code == 2
    assert "choose another one with --port" in capsys.readouterr().err


@pytest.mark.usefixtures("gradio_settings")
@pytest.mark.parametrize(("names", "address"), [("", "127.0.0.1"), ("localhost", "0.0.0.0")])
def test_it_listens_to_other_machines_only_where_their_name_for_it_is_given(monkeypatch, capsys, names, address):
    monkeypatch.setenv("REALTIME_POSE_HOST_NAMES", names)
    bound = []

    def listen(port, at):
        bound.append(at)
        raise ConfigError("enough seen")

    monkeypatch.setattr(gradio_app, "_listen", listen)
    assert gradio_app.main([]) == 2
    assert bound == [address]
    assert "enough seen" in capsys.readouterr().err


def test_wrong_images_raise_our_errors(tmp_path):
    for content, _ in BAD.values():
        (tmp_path / "picture").write_bytes(content)
        with pytest.raises(CaptureError):
            read_image(tmp_path / "picture")


def test_uploads_are_deleted_at_the_end(tmp_path):
    folder = tmp_path / "of_the_server"
    with demo_app(folder) as app, TestClient(app, base_url=HERE, client=VISITOR) as client:
        uploaded(client, encoded("PNG"))
        assert [path for path in (folder / "visitors").rglob("*") if path.name == "picture.png"]
    assert not folder.exists()
