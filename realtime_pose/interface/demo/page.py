"""The demo's page: an image in; overlay, 3D figure and packets out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import gradio as gr

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, encode
from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.errors import RealtimePoseError
from realtime_pose.figures.skeleton import skeleton_figure
from realtime_pose.figures.theme import LIGHT
from realtime_pose.interface.demo.stills import Stills, read_image
from realtime_pose.utils.arrays import UInt8

API_NAME = "pose"
_SHOWN_PX = 1600  # the overlay's longer side at most: more would not be visible
_QUEUED = 16
_KEPT_S = 3600  # inputs and results are deleted after so long, or at shutdown
_ON_ANY_BACKGROUND = replace(
    LIGHT, paper="rgba(0,0,0,0)", text="#7d8694", muted="#7d8694", zero="#8b94a1", middle="#958000"
)
"""Colours with enough contrast on white and on dark, as the server does not know the visitor's theme."""
_HOVER = {"bgcolor": "#1c2128", "bordercolor": "#1c2128", "font": {"color": "#ffffff"}}
_SYSTEM_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_SYSTEM_MONO = ["ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"]

_ABOUT = """# realtime_pose

Upload an image with people in it, or take one with your camera. You get their skeletons drawn over it, in 3D, and as
the PosePackets that the program sends over UDP. The image is sent to this server only, and deleted within two hours."""
_START = "Choose an image, or click one of the examples."
_NOBODY = "No person found. Try an image that shows a whole person, larger and in good light."
_CSS = """
.gradio-container { max-width: 1240px !important; margin: 0 auto !important; }
#message p, #runs p { margin: 0; padding: 2px 4px; }
#runs p, #runs li { font-size: 0.9em; opacity: 0.75; overflow-wrap: anywhere; }
#figure { min-height: 462px; }  /* the same height when empty: nothing moves when a result comes */
@media (max-width: 640px) { #image, #overlay { height: 320px !important; } }
"""

Answer = tuple[Any, ...]


def build_page(stills: Stills, examples: Sequence[Path], notices: Sequence[str]) -> gr.Blocks:
    """The page, not served yet.

    Args:
        stills: Finds the people.
        examples: Example images.
        notices: Choices made for the user, shown with the model.
    """
    with gr.Blocks(title="realtime_pose", analytics_enabled=False, delete_cache=(_KEPT_S, _KEPT_S)) as page:
        gr.Markdown(_ABOUT)
        poses = gr.State({}, time_to_live=_KEPT_S)
        with gr.Row():
            with gr.Column():
                image_input = _image_input()
                message = gr.Markdown(_START, elem_id="message")
                gr.Examples([[str(path)] for path in examples], image_input, label="Examples", cache_examples=False)
            with gr.Column():
                overlay = gr.Image(
                    label="Skeletons",
                    elem_id="overlay",
                    interactive=False,
                    format="jpeg",
                    height=420,
                    buttons=["download", "fullscreen"],
                )
        with gr.Row():
            with gr.Column():
                choice = gr.Radio([], label="Person in 3D", visible=False)
                figure = gr.Plot(label="3D (drag to rotate)", elem_id="figure")
            with gr.Column():
                packets = gr.JSON(label="PosePackets", min_height=462, max_height=462, elem_id="packets")
        gr.Markdown(_what_runs(stills, notices), elem_id="runs")

        def answer(path: str | None) -> Answer:
            """Overlay, 3D figure, packets and one sentence for an image."""
            return _answer(stills, path)

        image_input.change(
            answer, image_input, [overlay, figure, packets, message, poses, choice], api_name=API_NAME,
            show_progress="minimal", trigger_mode="always_last",
        )  # fmt: skip
        choice.input(_figure_of, [choice, poses], figure, show_progress="hidden", api_visibility="private")
    for block in page.blocks.values():
        if isinstance(block, gr.components.Component):
            _refuse_urls(block)
    page.queue(api_open=False, max_size=_QUEUED, default_concurrency_limit=1)
    return page


def theme() -> dict[str, Any]:
    """The page's theme and CSS, as arguments of `mount_gradio_app`; loads nothing from other servers."""
    return {"theme": gr.themes.Default(font=_SYSTEM_FONT, font_mono=_SYSTEM_MONO), "css": _CSS}


def _image_input() -> gr.Image:
    """Upload, camera and clipboard; returns the file's path, so that `read_image` reads it with its limits."""
    image_input = gr.Image(
        label="Image",
        elem_id="image",
        sources=["upload", "webcam", "clipboard"],
        type="filepath",
        height=420,
        # a mirrored image would swap left and right
        webcam_options=gr.WebcamOptions(mirror=False),
    )
    # Set on the instance: a subclass would make Gradio write a .pyi file beside this one.
    image_input.preprocess = lambda payload: None if payload is None else payload.path or ""
    return image_input


def _refuse_urls(component: gr.components.Component) -> None:
    """Make the component refuse URLs, which Gradio would download in place of a file."""
    move = component.async_move_resource_to_block_cache

    async def only_files(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("Upload the image file; URLs are not downloaded.", print_exception=False)
        moved: str | None = await move(path)
        return moved

    component.async_move_resource_to_block_cache = only_files


def _what_runs(stills: Stills, notices: Sequence[str]) -> str:
    one = ["It finds one person per image."] if stills.finds_one else []
    return "\n".join([" ".join([f"Running {stills.described}.", *one]), "", *(f"- {notice}" for notice in notices)])


def _answer(stills: Stills, path: str | None) -> Answer:
    if path is None:
        return _outputs(_START)
    try:
        image = read_image(Path(path))
        result = stills.people_in(image)
    except RealtimePoseError as exc:
        return _outputs(str(exc))
    if not result.people:
        return _outputs(_NOBODY, _shown(image))
    poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
    several = len(result.people) > 1
    overlay = draw_skeleton_on_frame(image, result.people, score_threshold=stills.score_threshold, ids=several)
    found = f"{len(result.people)} people found." if several else "1 person found."
    return _outputs(found, _shown(overlay), _packets_of(result), poses)


def _outputs(
    message: str,
    overlay_rgb: UInt8 | None = None,
    packets: list[dict[str, Any]] | None = None,
    poses: Mapping[int, SkeletonPose] | None = None,
) -> Answer:
    """The values of the page's outputs, in their order."""
    poses = poses or {}
    first = next(iter(poses), None)
    choices = [(f"Person {name}", name) for name in poses]
    choice = gr.Radio(choices, value=first, visible=len(poses) > 1)
    return overlay_rgb, _figure_of(first, poses), packets, message, poses, choice


def _figure_of(name: int | None, poses: Mapping[int, SkeletonPose]) -> Any:  # noqa: ANN401 - Plotly's own
    """One person in 3D; None if there is no such person."""
    if name is None or name not in poses:
        return None
    figure = skeleton_figure(poses[name], _ON_ANY_BACKGROUND)
    # Gradio reserves space for any title, even an empty one
    figure.update_layout(title=None, hoverlabel=_HOVER)
    return figure


def _packets_of(result: FrameResult) -> list[dict[str, Any]]:
    """The image's packets as they would be sent, without the `hello` packet."""
    packets = PacketStream().packets_of(result)
    return [json.loads(encode(packet)) for packet in packets if not isinstance(packet, HelloPacket)]


def _shown(image_bgr: UInt8) -> UInt8:
    """The image (H, W, 3) as RGB, scaled down to `_SHOWN_PX`."""
    height, width = image_bgr.shape[:2]
    share = min(1.0, _SHOWN_PX / max(height, width))
    small = cv2.resize(image_bgr, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else image_bgr
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
