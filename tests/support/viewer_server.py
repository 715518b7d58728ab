"""A stand-in for the dashboard's server: the viewer's files, a page that mounts it, and a feed that a test scripts."""

import asyncio
import contextlib
import json
import struct
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime_pose.datatypes import SceneCamera
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.model3d.character import default_character_path
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID, LAYOUTS
from realtime_pose.utils import rotations as rot

STATIC = Path(__file__).parents[2] / "realtime_pose" / "interface" / "dashboard" / "web" / "static"
COLOURS = {"left": "#56b4e9", "right": "#d55e00", "middle": "#f0e442"}
PATIENCE_S = 60.0
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>viewer</title><link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; } body { margin: 16px; font-family: system-ui, sans-serif; }
  @media (prefers-color-scheme: dark) { body { background: #0e1117; color: #fafafa; } }
</style>
<input id="typed" aria-label="for tests of keys"><main></main>
<script type="module">
  import { mount } from "/dashboard/live.js";
  const options = { url: location.origin.replace("http", "ws") + "/live", character: "/dashboard/default_model.glb" };
  window.mountViewer = () => (window.viewer = mount(document.querySelector("main"), options));
  window.mountViewer();
</script>"""


@cache
def _truth():
    return load_truth("actor")


def hello():
    """The first message: layouts, skeleton, colours."""
    return {
        "type": "hello",
        "layouts": {
            name: {
                "names": layout.names,
                "links": layout.links,
                "sides": layout.sides,
                "parts": layout.parts,
            }
            for name, layout in LAYOUTS.items()
        },
        "skeleton": {
            "joints": HUMANOID.joints,
            "parents": HUMANOID.parents,
            "rest_offset_m": HUMANOID.rest_offset_m.tolist(),
        },
        "colours": COLOURS,
        "character": "/dashboard/default_model.glb",
    }


def state(phase, **more):
    return {"type": "state", "phase": phase, "source": "actor", "kind": "live", "failure": "", "threshold": 0.3,
            "mirror": False, "browser_camera": False, "recording": False, **more}  # fmt: skip


def actor(row, *, person=0, aside_m=0.0):
    """The actor in one frame of the clip, as a person in a message."""
    truth = _truth()
    xy = truth.keypoints_px[row] + [aside_m * 180, 0]
    return {
        "id": person,
        "box": [*(xy.min(0) - 15).tolist(), *(xy.max(0) + 15).tolist()],
        "layout": COCO17_FEET_HANDS.name,
        "keypoints": np.round(xy, 1).tolist(),
        "scores": [1.0] * len(xy),
        "joints": (truth.joints_m[row] + [aside_m, 0, 0]).round(4).tolist(),
        "rotations": truth.local_xyzw[row].round(5).tolist(),
        "root": (truth.root_m[row] + [aside_m, 0, 0]).round(4).tolist(),
        "known": [1.0] * len(HUMANOID.joints),
    }


def actor_camera():
    """The camera of the clip, as a message has it, and as a SceneCamera."""
    truth = _truth()
    opencv_from_world = truth.camera_from_world
    world_from_camera = opencv_from_world[:3, :3].T * [1, -1, -1]  # columns: x, y up, z back
    size = truth.intrinsics.width, truth.intrinsics.height
    camera = SceneCamera(
        truth.intrinsics.fov_deg, *size, -opencv_from_world[:3, :3].T @ opencv_from_world[:3, 3],
        rot.from_matrix(world_from_camera),
    )  # fmt: skip
    placed = {"position": camera.position_m.tolist(), "rotation": camera.rotation_xyzw.tolist()}
    return placed | {"yfov_deg": camera.yfov_deg}, camera


def jpeg(image_bgr):
    return cv2.imencode(".jpg", image_bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def plain(value, size=(640, 480)):
    """A grey image."""
    return jpeg(np.full((size[1], size[0], 3), value, np.uint8))


def message(seq, people=(), picture=b"", *, run=1, size=(640, 480), sent_unix_s=0.0, camera=None):
    header = json.dumps(
        {
            "seq": seq,
            "run": run,
            "time_s": seq / 30,
            "sent_unix_s": sent_unix_s,
            "size": size,
            "camera": camera,
            "people": list(people),
        },
        separators=(",", ":"),
    ).encode()
    return struct.pack("<I", len(header)) + header + picture


class Watcher:
    """One connected browser: its messages, and a way to send to it, from the test's thread."""

    def __init__(self, socket: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket, self._loop = socket, loop
        self.acks: list[int] = []
        self.done: list[str] = []
        self.pictures: list[bytes] = []
        self.news = threading.Condition()
        self.gone = threading.Event()

    def _await(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def tell(self, news: dict[str, Any]) -> None:
        self._await(self._socket.send_text(json.dumps(news)))

    def send(self, frame: bytes) -> None:
        self._await(self._socket.send_bytes(frame))

    def show(self, frame: bytes) -> None:
        """Send a frame and wait until it is on the screen."""
        seen = len(self.acks)
        self.send(frame)
        self.until(lambda: len(self.acks) > seen)

    def until(self, condition: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(condition, PATIENCE_S), "the viewer did not answer"

    def drop(self) -> None:
        self._await(self._socket.close(1001))

    async def listen(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                heard = await self._socket.receive()
                if heard["type"] == "websocket.disconnect":
                    break
                with self.news:
                    if heard.get("bytes"):
                        self.pictures.append(heard["bytes"])
                    else:
                        said = json.loads(heard["text"])
                        (self.acks if "ack" in said else self.done).append(said.get("ack", said.get("do")))
                    self.news.notify_all()
        self.gone.set()


class ViewerServer:
    """Serves until `stop`; `greeting` is sent to every browser that connects, after hello."""

    def __init__(self) -> None:
        self.greeting = state("idle")
        self.watchers: list[Watcher] = []
        self._arrived = threading.Condition()
        self._closed = False
        app = Starlette(
            routes=[
                Route("/", lambda request: HTMLResponse(PAGE)),
                Route("/dashboard/default_model.glb", self._model),
                Mount("/dashboard", StaticFiles(directory=STATIC)),
                WebSocketRoute("/live", self._live),
            ]
        )
        # uvicorn's default implementation uses deprecated parts of websockets; the sans-io one does not
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="error", ws="websockets-sansio", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    async def _model(self, request):
        return FileResponse(default_character_path())

    async def _live(self, socket: WebSocket) -> None:
        if self._closed:
            await socket.close()
            return
        await socket.accept()
        await socket.send_text(json.dumps(hello()))
        await socket.send_text(json.dumps(self.greeting))
        watcher = Watcher(socket, asyncio.get_running_loop())
        with self._arrived:
            self.watchers.append(watcher)
            self._arrived.notify_all()
        await watcher.listen()

    def hold(self) -> None:
        """Refuse connections until `go_on`."""
        self._closed = True

    def go_on(self) -> None:
        self._closed = False

    def newest(self, count: int) -> Watcher:
        """The browser that connected as number `count`; waits for it."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.watchers) >= count, PATIENCE_S), "no browser came"
            return self.watchers[count - 1]

    def stop(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()
