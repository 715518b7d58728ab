"""The Gradio demo: a picture or a camera's frame in; overlay, 3D figure and PosePackets out, at 127.0.0.1:7860.

`python -m realtime_pose.interface.gradio_app`, or this file run as a script. VITPOSE_CONFIG, VITPOSE_CHECKPOINT and
VITPOSE_DEVICE choose the model; without them it is chosen as by `--estimator auto`. docs/gradio.md has more.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

PORT = 7860
PEOPLE = 10
"""How many are found in a picture at most."""
_EXAMPLE_FRAMES = (40, 160, 320)  # of the actor's clip: waving, walking, crouching
_FAILED, _WRONG_USAGE, _INTERRUPTED = 1, 2, 130

Say = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the demo until it is told to end; the exit code."""
    options = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="realtime-pose-demo-"))
    try:
        return _run(options, folder, _say)
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("gradio_app", description="A picture in; overlay, 3D figure and PosePackets out.")
    parser.add_argument("--port", type=int, default=PORT, help="port, %(default)s if not given")
    parser.add_argument("--no-download", action="store_true", help="never fetch weights")
    return parser


def _run(options: argparse.Namespace, folder: Path, say: Say) -> int:
    """The same, with everything that visitors send kept in `folder`."""
    keep_to_itself(folder)
    from realtime_pose.errors import ConfigError, RealtimePoseError
    from realtime_pose.utils.extras import needs_extra

    try:
        with needs_extra("gradio", "the demo"):
            import gradio  # noqa: F401 - only whether it is there
        _serve(options, folder, say)
    except RealtimePoseError as exc:
        say(f"error {exc}")
        return _WRONG_USAGE if isinstance(exc, ConfigError) else _FAILED
    return 0


def keep_to_itself(folder: Path) -> None:
    """Set what Gradio reads when it is imported: it tells nobody anything, and keeps its files in `folder`."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_TEMP_DIR": str(folder / "visitors"),
    }


def _serve(options: argparse.Namespace, folder: Path, say: Say) -> None:
    from realtime_pose.config import load_config
    from realtime_pose.interface.dashboard.web.server import address_for, host_names_of
    from realtime_pose.interface.demo.page import build_page
    from realtime_pose.interface.demo.server import build_app, serve
    from realtime_pose.interface.demo.stills import Stills, read_picture

    notices: list[str] = []

    def notify(sentence: str) -> None:
        notices.append(sentence)
        say(sentence)

    settings = {"persons": PEOPLE, **({"download": False} if options.no_download else {})}
    config = load_config([], {"inference": settings})
    host_names = host_names_of()
    with _listen(options.port, address_for(host_names)) as listener:  # before models are loaded, which takes long
        stills = Stills(config, notify, _progress(say))
        examples = write_examples(folder)
        stills.people_in(read_picture(examples[0]))  # what is loaded late is loaded before the first visitor comes
        page = build_page(stills, examples, notices)
        port = listener.getsockname()[1]
        say(f"{stills.described}. Open http://127.0.0.1:{port} in a browser; Ctrl-C ends.")
        serve(build_app(page, folder, port, host_names), listener)
        stills.close()


def _listen(port: int, address: str) -> socket.socket:
    """A socket that listens at the address.

    Raises:
        ConfigError: The port is taken, or none that can be.
    """
    from realtime_pose.errors import ConfigError

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen()
    except (OSError, OverflowError) as exc:
        listener.close()
        why = exc.strerror.lower() if isinstance(exc, OSError) and exc.strerror else "no such port"
        raise ConfigError(f"cannot serve on port {port} ({why}); choose another one with --port") from exc
    return listener


def _progress(say: Say) -> Callable[[int, int | None], None]:
    """Says every tenth of a download."""
    told = -1

    def progress(had: int, total: int | None) -> None:
        nonlocal told
        tenth = 10 * had // total if total else 0
        if tenth != told:
            told = tenth
            say(f"fetching weights: {had / 1e6:.0f} of {(total or 0) / 1e6:.0f} MB")

    return progress


def write_examples(folder: Path) -> list[Path]:
    """Pictures of the actor, written into the folder.

    Raises:
        CaptureError: The actor's clip is missing.
    """
    import cv2

    from realtime_pose.capture.base import CaptureConfig
    from realtime_pose.capture.sources import open_source

    clip, written = open_source(CaptureConfig(source="actor")), []
    for index in range(max(_EXAMPLE_FRAMES) + 1):
        frame = clip.read()
        if index in _EXAMPLE_FRAMES and frame is not None:
            written.append(folder / f"actor_{index}.jpg")
            cv2.imwrite(str(written[-1]), frame.image_bgr)
    clip.close()
    return written


if __name__ == "__main__":
    if not __package__:  # run as a script: the package is what is imported, not the modules beside this file
        sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(main())
