"""The demo's page: a picture in; overlay, 3D figure and packets out."""

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
from realtime_pose.interface.demo.stills import Stills, read_picture
from realtime_pose.utils.arrays import UInt8

API_NAME = "pose"
_SHOWN_PX = 1600  # the overlay's longer side at most: more is not seen, and has to be sent
_QUEUED = 16
_KEPT_S = 3600  # what a visitor gave and got is deleted after so long, or at the end
_ON_ANY_GROUND = replace(
    LIGHT, paper="rgba(0,0,0,0)", text="#7d8694", muted="#7d8694", zero="#8b94a1", middle="#958000"
)
"""Colours that keep their contrast on white and on dark, as the server does not know which one a visitor has."""
_HOVER = {"bgcolor": "#1c2128", "bordercolor": "#1c2128", "font": {"color": "#ffffff"}}
_SYSTEM_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_SYSTEM_MONO = ["ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"]

_ABOUT = """# realtime_pose

Give a picture with people in it, or take one with your camera. You get their skeletons drawn over it, in 3D, and as
the PosePackets that the program sends over UDP. The picture goes to this server and nowhere else, and is deleted
within an hour or two."""
_START = "Choose a picture, or click one of the examples."
_NOBODY = "Nobody was found in this picture. Try one that shows a person whole, larger and in good light."
_CSS = """
.gradio-container { max-width: 1240px !important; margin: 0 auto !important; }
#said p, #runs p { margin: 0; padding: 2px 4px; }
#runs p, #runs li { font-size: 0.9em; opacity: 0.75; overflow-wrap: anywhere; }
#figure { min-height: 462px; }  /* as high empty as filled: nothing jumps when a result comes */
@media (max-width: 640px) { #picture, #overlay { height: 320px !important; } }
"""

Answer = tuple[Any, ...]


def build_page(stills: Stills, examples: Sequence[Path], notices: Sequence[str]) -> gr.Blocks:
    """The page, not served yet.

    Args:
        stills: Who finds the people.
        examples: Pictures that one click shows.
        notices: Sentences on what was chosen for the user, shown with what runs.
    """
    with gr.Blocks(title="realtime_pose", analytics_enabled=False, delete_cache=(_KEPT_S, _KEPT_S)) as page:
        gr.Markdown(_ABOUT)
        poses = gr.State({}, time_to_live=_KEPT_S)
        with gr.Row():
            with gr.Column():
                picture = _picture_input()
                said = gr.Markdown(_START, elem_id="said")
                gr.Examples([[str(path)] for path in examples], picture, label="Examples", cache_examples=False)
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
                who = gr.Radio([], label="In 3D", visible=False)
                figure = gr.Plot(label="In 3D: drag to turn it", elem_id="figure")
            with gr.Column():
                packets = gr.JSON(label="PosePackets", min_height=462, max_height=462, elem_id="packets")
        gr.Markdown(_what_runs(stills, notices), elem_id="runs")

        def answer(path: str | None) -> Answer:
            """Overlay, 3D figure, packets and one sentence for a picture."""
            return _answer(stills, path)

        picture.change(
            answer, picture, [overlay, figure, packets, said, poses, who], api_name=API_NAME, show_progress="minimal",
            trigger_mode="always_last",
        )  # fmt: skip
        who.input(_figure_of, [who, poses], figure, show_progress="hidden", api_visibility="private")
    for block in page.blocks.values():
        if isinstance(block, gr.components.Component):
            _fetch_nothing(block)
    page.queue(api_open=False, max_size=_QUEUED, default_concurrency_limit=1)
    return page


def look() -> dict[str, Any]:
    """How the page is dressed, as arguments of `mount_gradio_app`: no font and nothing else from elsewhere."""
    return {"theme": gr.themes.Default(font=_SYSTEM_FONT, font_mono=_SYSTEM_MONO), "css": _CSS}


def _picture_input() -> gr.Image:
    """Upload, camera and clipboard; gives the file's path, so that reading it, with its limits, is ours."""
    picture = gr.Image(
        label="Picture",
        elem_id="picture",
        sources=["upload", "webcam", "clipboard"],
        type="filepath",
        height=420,
        # a mirrored picture would have left and right confused
        webcam_options=gr.WebcamOptions(mirror=False),
    )
    # Set on this one component: a class of our own would make Gradio write a .pyi file beside this one.
    picture.preprocess = lambda payload: None if payload is None else payload.path or ""
    return picture


def _fetch_nothing(component: gr.components.Component) -> None:
    """Have the component refuse addresses, which Gradio would fetch where a visitor gives one in place of a file."""
    move = component.async_move_resource_to_block_cache

    async def only_files(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("Upload the picture itself; addresses are not fetched.", print_exception=False)
        moved: str | None = await move(path)
        return moved

    component.async_move_resource_to_block_cache = only_files


def _what_runs(stills: Stills, notices: Sequence[str]) -> str:
    one = ["It finds one person in a picture."] if stills.finds_one else []
    return "\n".join([" ".join([f"Running {stills.described}.", *one]), "", *(f"- {notice}" for notice in notices)])


def _answer(stills: Stills, path: str | None) -> Answer:
    if path is None:
        return _outputs(_START)
    try:
        image = read_picture(Path(path))
        result = stills.people_in(image)
    except RealtimePoseError as exc:
        return _outputs(str(exc))
    if not result.people:
        return _outputs(_NOBODY, _shown(image))
    poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
    several = len(result.people) > 1
    overlay = draw_skeleton_on_frame(image, result.people, score_threshold=stills.score_threshold, ids=several)
    found = f"{len(result.people)} people were found." if several else "1 person was found."
    return _outputs(found, _shown(overlay), _packets_of(result), poses)


def _outputs(
    said: str,
    overlay_rgb: UInt8 | None = None,
    packets: list[dict[str, Any]] | None = None,
    poses: Mapping[int, SkeletonPose] | None = None,
) -> Answer:
    """What the page's outputs are set to, in their order."""
    poses = poses or {}
    first = next(iter(poses), None)
    choices = [(f"Person {name}", name) for name in poses]
    who = gr.Radio(choices, value=first, visible=len(poses) > 1)
    return overlay_rgb, _figure_of(first, poses), packets, said, poses, who


def _figure_of(name: int | None, poses: Mapping[int, SkeletonPose]) -> Any:  # noqa: ANN401 - Plotly's own
    """One person in 3D; None where there is no such person any more."""
    if name is None or name not in poses:
        return None
    figure = skeleton_figure(poses[name], _ON_ANY_GROUND)
    # Gradio keeps room for a title where there is one, an empty one too
    figure.update_layout(title=None, hoverlabel=_HOVER)
    return figure


def _packets_of(result: FrameResult) -> list[dict[str, Any]]:
    """The picture's packets as they would go over the wire, without the `hello` that announces their names."""
    packets = PacketStream().packets_of(result)
    return [json.loads(encode(packet)) for packet in packets if not isinstance(packet, HelloPacket)]


def _shown(image_bgr: UInt8) -> UInt8:
    """The picture (H, W, 3) RGB, made smaller where it is larger than anybody sees."""
    height, width = image_bgr.shape[:2]
    share = min(1.0, _SHOWN_PX / max(height, width))
    small = cv2.resize(image_bgr, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else image_bgr
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
