"""Where the pictures come from: the demo, a camera of this computer, the browser's own, a file, an upload or a URL."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from realtime_pose.capture.sources import ACTORS, SCHEMES, without_credentials
from realtime_pose.errors import CaptureError, RealtimePoseError
from realtime_pose.interface.dashboard.engine.camera_list import camera_finder
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import (
    attempt,
    change,
    sentence_of,
    set_problem,
    show_problem,
)
from realtime_pose.interface.dashboard.web.uploads import MAX_UPLOAD_MB, MEDIA_SUFFIXES, checked_media, keep_upload

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

BROWSER = "browser"
DEMO, CAMERA, BROWSER_CAMERA, FILE, UPLOAD, URL = "Demo", "Camera", "Browser camera", "File", "Upload", "URL"
KINDS = (DEMO, CAMERA, BROWSER_CAMERA, FILE, UPLOAD, URL)
_KIND, _PATH, _URL, _CAMERA, _ACTOR, _UPLOADED = (
    f"source.{name}" for name in ("kind", "path", "url", "camera", "actor", "uploaded")
)
_ACTOR_WORDS = {"actor": "First actor", "actor-2": "Second actor"}
_SOURCE = "capture.source"
_DRAWN = "source.cameras_drawn"
_MOST_PLACES = 5  # that a kind's part takes on the page
_RUNNING = ("opening", "running", "paused")


def source_kind_of(source: str, uploads: Path) -> str:
    """Which of KINDS a source belongs to."""
    if source in ACTORS:
        return DEMO
    if source == BROWSER:
        return BROWSER_CAMERA
    if "://" in source:
        return URL
    if source.isdigit() or source.startswith("/dev/video"):
        return CAMERA
    return UPLOAD if Path(source).is_relative_to(uploads.resolve()) else FILE


def take_over_source(studio: "Studio", source: str) -> None:
    """Set the widgets to a source that was chosen elsewhere."""
    kind = source_kind_of(source, studio.folders.uploads)
    st.session_state[_KIND] = kind
    if kind == FILE:
        st.session_state[_PATH] = source
    elif kind == URL:
        st.session_state[_URL] = without_credentials(source)  # another tab need not see a password
    elif kind == CAMERA:
        st.session_state[_CAMERA] = source.removeprefix("/dev/video")
    elif kind == DEMO:
        st.session_state[_ACTOR] = source


def source_section(studio: "Studio") -> None:
    """The choice of the source, and what each kind needs."""
    _choices(studio)
    _watch_cameras()


@fragment()
def _choices(studio: "Studio") -> None:
    st.selectbox(
        "Pictures from", KINDS, key=_KIND, on_change=_kind_chosen, args=(studio,), filter_mode=None,
        help="Where the pictures come from. The demo needs nothing: it is a clip of an actor.",
    )  # fmt: skip
    parts: dict[str, Callable[[Studio], None]] = {
        DEMO: _demo, CAMERA: _camera, BROWSER_CAMERA: _browser_camera, FILE: _file, UPLOAD: _upload, URL: _url,
    }  # fmt: skip
    parts[st.session_state[_KIND]](studio)
    show_problem(_SOURCE)
    for _ in range(_MOST_PLACES):  # over what another kind has had there; see `show_problem`
        st.empty()


def _kind_chosen(studio: "Studio") -> None:
    """What needs nothing further is the source at once; for the rest the next field says which."""
    set_problem(_SOURCE, "")
    kind = st.session_state[_KIND]
    if kind == DEMO:
        _set(studio, st.session_state.get(_ACTOR, ACTORS[0]))
    elif kind == BROWSER_CAMERA:
        _set(studio, BROWSER)
    elif kind == CAMERA:
        finder = camera_finder()
        if finder.found is None:
            finder.look()
        elif finder.found:
            st.session_state[_CAMERA] = str(finder.found[0].info.index)
            _set(studio, st.session_state[_CAMERA])


def _set(studio: "Studio", source: str) -> None:
    """Make it the source; where another one runs, go over to it, except in the middle of a recording."""
    if source == studio.config.capture.source or not change(studio, {_SOURCE: source}, field=_SOURCE):
        return
    state = studio.state()
    if state.recording is not None:
        set_problem(_SOURCE, "A recording is being made of the old source; stop it, then press Stop and Start.")
    elif state.phase in _RUNNING:
        attempt(studio.start)


def _demo(studio: "Studio") -> None:
    st.session_state.setdefault(_ACTOR, ACTORS[0])
    st.selectbox(
        "Clip", ACTORS, key=_ACTOR, format_func=lambda name: _ACTOR_WORDS.get(name, name), filter_mode=None,
        on_change=lambda: _set(studio, st.session_state[_ACTOR]),
        help="Both come with the program. The second has another body, another camera, and sits much of the time.",
    )  # fmt: skip


@fragment(1.0, lambda: (camera_finder().looking, camera_finder().found))
def _watch_cameras() -> None:
    """Draw the page anew when a search for cameras has ended."""
    finder = camera_finder()
    if st.session_state.get(_KIND) == CAMERA and st.session_state.get(_DRAWN) != (finder.looking, finder.found):
        st.rerun()


def _camera(studio: "Studio") -> None:
    finder = camera_finder()
    st.session_state[_DRAWN] = finder.looking, finder.found
    found = finder.found or ()
    if finder.looking or finder.found is None:
        st.caption("Looking for cameras ...", help="Each is opened for a moment, so its light may go on.")
        if not finder.looking:
            finder.look(_in_use(studio))
    elif not found:
        st.info("No camera of this computer gives pictures. Connect one, or close the program that uses it.")
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
            help="Cameras of the computer that the program runs on.",
        )  # fmt: skip
        chosen = next((c for c in found if str(c.info.index) == st.session_state[_CAMERA]), None)
        if chosen is not None:
            if chosen.picture:
                st.image(chosen.picture, width="stretch")
            st.caption(f"{chosen.info.width} x {chosen.info.height}, {chosen.info.fps:.0f} pictures a second")
    st.button(
        "Look again", key="source.look", icon=":material/refresh:", disabled=finder.looking, width="stretch",
        on_click=lambda: finder.look(_in_use(studio)), help="After connecting a camera.",
    )  # fmt: skip


def _in_use(studio: "Studio") -> str:
    """The camera that runs now, which cannot be opened a second time."""
    running = studio.state().phase in _RUNNING
    return studio.config.capture.source.removeprefix("/dev/video") if running else ""


def _browser_camera(studio: "Studio") -> None:
    st.caption(
        "The camera of the device that shows this page. The browser asks for permission after Start. "
        "Browsers allow it on localhost or over HTTPS only."
    )
    address = urlsplit(st.context.url or "http://localhost")
    if address.scheme != "https" and address.hostname not in ("localhost", "127.0.0.1", "::1"):
        st.warning(f"This page came from {address.netloc} without HTTPS, so the browser will refuse its camera.")


def _file(studio: "Studio") -> None:
    st.session_state.setdefault(_PATH, "")
    st.text_input(
        "Path", key=_PATH, placeholder="/home/me/dance.mp4", on_change=_path_given, args=(studio,),
        help="A video or picture on the computer that the program runs on. Nothing else is opened.",
    )  # fmt: skip


def _path_given(studio: "Studio") -> None:
    try:
        path = checked_media(st.session_state[_PATH])
    except RealtimePoseError as exc:
        set_problem(_SOURCE, sentence_of(exc))
        held = studio.config.capture.source
        st.session_state[_PATH] = held if source_kind_of(held, studio.folders.uploads) == FILE else ""
        return
    _set(studio, str(path))


def _upload(studio: "Studio") -> None:
    st.file_uploader(
        "Video or picture", type=[suffix[1:] for suffix in MEDIA_SUFFIXES], key=_UPLOADED,
        max_upload_size=MAX_UPLOAD_MB, on_change=_uploaded, args=(studio,),
        help=f"At most {MAX_UPLOAD_MB} MB. Kept on this computer for a day.",
    )  # fmt: skip
    held = studio.config.capture.source
    if source_kind_of(held, studio.folders.uploads) == UPLOAD:
        st.caption(f"Set: {Path(held).name}")


def _uploaded(studio: "Studio") -> None:
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


def _url(studio: "Studio") -> None:
    st.session_state.setdefault(_URL, "")
    st.text_input(
        "Address", key=_URL, placeholder="rtsp://camera.local/stream", on_change=_url_given, args=(studio,),
        help=f"A camera's or server's stream; begins with {', '.join(SCHEMES[:4])} ...",
    )  # fmt: skip


def _url_given(studio: "Studio") -> None:
    url = st.session_state[_URL].strip()
    scheme, separator, rest = url.partition("://")
    if separator and rest and scheme.lower() in SCHEMES and url.isprintable() and " " not in url:
        _set(studio, url)
        return
    shown = without_credentials(url) or "nothing"
    set_problem(_SOURCE, f"{shown} is not a stream's address; it begins with {', '.join(SCHEMES)} and ://.")
    held = studio.config.capture.source
    st.session_state[_URL] = without_credentials(held) if "://" in held else ""
