"""The source: the demo, a camera of this computer or of the browser, a file, an upload or a URL."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from realtime_pose.capture.sources import ACTORS, BROWSER, SCHEMES, without_credentials
from realtime_pose.errors import CaptureError, RealtimePoseError
from realtime_pose.interface.dashboard.engine.sources.camera_list import camera_finder
from realtime_pose.interface.dashboard.engine.sources.input_files import (
    MAX_UPLOAD_MB,
    MEDIA_SUFFIXES,
    checked_media,
    keep_upload,
)
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import (
    attempt,
    change,
    sentence_of,
    set_problem,
    show_problem,
)

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

DEMO, CAMERA, BROWSER_CAMERA, FILE, UPLOAD, URL = "Demo", "Camera", "Browser camera", "File", "Upload", "URL"
KINDS = (DEMO, CAMERA, BROWSER_CAMERA, FILE, UPLOAD, URL)
_KIND, _PATH, _URL, _CAMERA, _ACTOR, _UPLOADED = (
    f"source.{name}" for name in ("kind", "path", "url", "camera", "actor", "uploaded")
)
_ACTOR_NAMES = {"actor": "First actor", "actor-2": "Second actor"}
_SOURCE = "capture.source"
_DRAWN = "source.cameras_drawn"
_MAX_ROWS = 5  # of widgets, of any kind of source


def source_kind_of(source: str, uploads: Path) -> str:
    """The one of KINDS that a source belongs to."""
    if source in ACTORS:
        return DEMO
    if source == BROWSER:
        return BROWSER_CAMERA
    if "://" in source:
        return URL
    if source.isdigit() or source.startswith("/dev/video"):
        return CAMERA
    return UPLOAD if Path(source).is_relative_to(uploads.resolve()) else FILE


def load_source(studio: "StudioApi", source: str) -> None:
    """Set the widgets to a source that was chosen elsewhere."""
    kind = source_kind_of(source, studio.folders.uploads)
    st.session_state[_KIND] = kind
    if kind == FILE:
        st.session_state[_PATH] = source
    elif kind == URL:
        st.session_state[_URL] = without_credentials(source)  # without its password
    elif kind == CAMERA:
        st.session_state[_CAMERA] = source.removeprefix("/dev/video")
    elif kind == DEMO:
        st.session_state[_ACTOR] = source


def source_section(studio: "StudioApi") -> None:
    """The choice of a source, and the fields that it needs."""
    _choices(studio)
    _watch_cameras()


@fragment()
def _choices(studio: "StudioApi") -> None:
    st.selectbox(
        "Source", KINDS, key=_KIND, on_change=_kind_chosen, args=(studio,), filter_mode=None,
        help="Where frames come from. The demo needs no camera: it is a clip of an actor.",
    )  # fmt: skip
    parts: dict[str, Callable[[StudioApi], None]] = {
        DEMO: _demo, CAMERA: _camera, BROWSER_CAMERA: _browser_camera, FILE: _file, UPLOAD: _upload, URL: _url,
    }  # fmt: skip
    parts[st.session_state[_KIND]](studio)
    show_problem(_SOURCE)
    for _ in range(_MAX_ROWS):  # replace widgets of another kind; see `show_problem`
        st.empty()


def _kind_chosen(studio: "StudioApi") -> None:
    """Apply a kind that needs no further field at once; the others wait for their field."""
    set_problem(_SOURCE, "")
    kind = st.session_state[_KIND]
    if kind == DEMO:
        _set(studio, st.session_state.get(_ACTOR, ACTORS[0]))
    elif kind == BROWSER_CAMERA:
        _set(studio, BROWSER)
    elif kind == CAMERA:
        finder = camera_finder()
        if finder.found is None:
            finder.search()
        elif finder.found:
            st.session_state[_CAMERA] = str(finder.found[0].info.index)
            _set(studio, st.session_state[_CAMERA])


def _set(studio: "StudioApi", source: str) -> None:
    """Set the source, and switch to it if another one runs, except during a recording."""
    if source == studio.config.capture.source or not change(studio, {_SOURCE: source}, field=_SOURCE):
        return
    state = studio.state()
    if state.recording is not None:
        set_problem(_SOURCE, "The old source is being recorded; stop the recording, then press Stop and Start.")
    elif state.phase.busy:
        attempt(studio.start)


def _demo(studio: "StudioApi") -> None:
    st.session_state.setdefault(_ACTOR, ACTORS[0])
    st.selectbox(
        "Clip", ACTORS, key=_ACTOR, format_func=lambda name: _ACTOR_NAMES.get(name, name), filter_mode=None,
        on_change=lambda: _set(studio, st.session_state[_ACTOR]),
        help="Both come with the program. The second has another body, another camera, and sits much of the time.",
    )  # fmt: skip


@fragment(1.0, lambda: (camera_finder().searching, camera_finder().found))
def _watch_cameras() -> None:
    """Rerun the page when a search for cameras has started or ended."""
    finder = camera_finder()
    if st.session_state.get(_KIND) == CAMERA and st.session_state.get(_DRAWN) != (finder.searching, finder.found):
        st.rerun()


def _camera(studio: "StudioApi") -> None:
    finder = camera_finder()
    st.session_state[_DRAWN] = finder.searching, finder.found
    found = finder.found or ()
    if finder.searching or finder.found is None:
        st.caption("Searching for cameras ...", help="Each is opened for a moment, so its light may come on.")
        if not finder.searching:
            finder.search(_in_use(studio))
    elif not found:
        st.info("No camera found on this computer. Connect one, or close the program that uses it.")
    if found:
        names = {str(camera.info.index): f"{camera.info.name or 'Camera'} ({camera.info.index})" for camera in found}
        held = studio.config.capture.source.removeprefix("/dev/video")
        if held not in names and st.session_state.get(_CAMERA) not in names:
            st.session_state[_CAMERA] = next(iter(names))
            _set(studio, st.session_state[_CAMERA])
        elif st.session_state.get(_CAMERA) not in names:
            st.session_state[_CAMERA] = held
        st.selectbox(
            "Camera", list(names), key=_CAMERA, format_func=lambda index: names.get(index, index), filter_mode=None,
            on_change=lambda: _set(studio, st.session_state[_CAMERA]),
            help="Cameras of the computer that runs the program.",
        )  # fmt: skip
        chosen = next((c for c in found if str(c.info.index) == st.session_state[_CAMERA]), None)
        if chosen is not None:
            if chosen.preview:
                st.image(chosen.preview, width="stretch")
            st.caption(f"{chosen.info.width} x {chosen.info.height}, {chosen.info.fps:.0f} frames/s")
    st.button(
        "Search again", key="source.look", icon=":material/refresh:", disabled=finder.searching, width="stretch",
        on_click=lambda: finder.search(_in_use(studio)), help="After connecting a camera.",
    )  # fmt: skip


def _in_use(studio: "StudioApi") -> str:
    """The camera that runs now, which cannot be opened a second time."""
    source = studio.config.capture.source.removeprefix("/dev/video")
    return source if studio.state().phase.busy else ""


def _browser_camera(studio: "StudioApi") -> None:
    st.caption(
        "The camera of the device that shows this page. The browser asks for permission after Start. "
        "Browsers allow it on localhost or over HTTPS only."
    )
    address = urlsplit(st.context.url or "http://localhost")
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        st.warning(f"This page was opened from {address.netloc} without HTTPS, so the browser will block its camera.")


def _file(studio: "StudioApi") -> None:
    st.session_state.setdefault(_PATH, "")
    st.text_input(
        "Path", key=_PATH, placeholder="/home/me/dance.mp4", on_change=_path_given, args=(studio,),
        help="A video or image on the computer that runs the program.",
    )  # fmt: skip


def _path_given(studio: "StudioApi") -> None:
    try:
        path = checked_media(st.session_state[_PATH])
    except RealtimePoseError as exc:
        set_problem(_SOURCE, sentence_of(exc))
        held = studio.config.capture.source
        st.session_state[_PATH] = held if source_kind_of(held, studio.folders.uploads) == FILE else ""
        return
    _set(studio, str(path))


def _upload(studio: "StudioApi") -> None:
    st.file_uploader(
        "Video or image", type=[suffix[1:] for suffix in MEDIA_SUFFIXES], key=_UPLOADED,
        max_upload_size=MAX_UPLOAD_MB, on_change=_uploaded, args=(studio,),
        help=f"At most {MAX_UPLOAD_MB} MB. Kept on this computer for a day.",
    )  # fmt: skip
    held = studio.config.capture.source
    if source_kind_of(held, studio.folders.uploads) == UPLOAD:
        st.caption(f"In use: {Path(held).name}")


def _uploaded(studio: "StudioApi") -> None:
    file = st.session_state[_UPLOADED]
    if file is None:
        return
    try:
        if file.size > MAX_UPLOAD_MB * 1_000_000:
            raise CaptureError(f"{file.name!r} is larger than {MAX_UPLOAD_MB} MB; give its path instead")
        path = keep_upload(
            file.name, io.BytesIO(file.getbuffer()), studio.folders.uploads, studio.config.capture.source
        )
    except RealtimePoseError as exc:
        set_problem(_SOURCE, sentence_of(exc))
        return
    _set(studio, str(path))


def _url(studio: "StudioApi") -> None:
    st.session_state.setdefault(_URL, "")
    st.text_input(
        "Address", key=_URL, placeholder="rtsp://camera.local/stream", on_change=_url_given, args=(studio,),
        help=f"The stream of a camera or server; starts with {', '.join(SCHEMES[:4])} ...",
    )  # fmt: skip


def _url_given(studio: "StudioApi") -> None:
    url = st.session_state[_URL].strip()
    scheme, separator, rest = url.partition("://")
    if separator and rest and scheme.lower() in SCHEMES and url.isprintable() and " " not in url:
        _set(studio, url)
        return
    if url:
        shown, schemes = without_credentials(url), ", ".join(SCHEMES)
        set_problem(_SOURCE, f"{shown} is not a stream address; start it with one of {schemes}, and ://.")
    else:
        set_problem(_SOURCE, "Enter an address, such as rtsp://camera.local/stream.")
    held = studio.config.capture.source
    st.session_state[_URL] = without_credentials(held) if "://" in held else ""
