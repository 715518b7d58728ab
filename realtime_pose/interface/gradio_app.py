"""The Gradio demo: an image in; overlay, 3D figure and PosePackets out, at 127.0.0.1:7860.

`python -m realtime_pose.interface.gradio_app`, or this file run as a script. VITPOSE_CONFIG, VITPOSE_CHECKPOINT and
VITPOSE_DEVICE choose the model; without them it is chosen as by `--estimator auto`. See docs/gradio.md.
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
"""The most people in an image."""
_EXAMPLE_FRAMES = (40, 160, 320)  # of the actor's clip: waving, walking, crouching
_FAILED, _WRONG_USAGE, _INTERRUPTED = 1, 2, 130

Print = Callable[[str], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the demo until SIGINT or SIGTERM; the exit code."""
    options = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="realtime-pose-demo-"))
    try:
        return _run(options, folder, _print)
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _print(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("gradio_app", description="An image in; overlay, 3D figure and PosePackets out.")
    parser.add_argument("--port", type=int, default=PORT, help="port (default: %(default)s)")
    parser.add_argument("--no-download", action="store_true", help="never download weights")
    return parser


def _run(options: argparse.Namespace, folder: Path, print_line: Print) -> int:
    """Serve the demo, with visitors' files in `folder`; the exit code."""
    set_gradio_environment(folder)
    from realtime_pose.errors import ConfigError, RealtimePoseError
    from realtime_pose.utils.extras import needs_extra

    try:
        with needs_extra("gradio", "the demo"):
            import gradio  # noqa: F401 - only whether it is there
        _serve(options, folder, print_line)
    except RealtimePoseError as exc:
        print_line(f"error {exc}")
        return _WRONG_USAGE if isinstance(exc, ConfigError) else _FAILED
    return 0


def set_gradio_environment(folder: Path) -> None:
    """Set the variables that Gradio reads on import: no telemetry, and files in `folder`."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "GRADIO_TEMP_DIR": str(folder / "visitors"),
    }


def _serve(options: argparse.Namespace, folder: Path, print_line: Print) -> None:
    from realtime_pose.config import load_config
    from realtime_pose.interface.dashboard.web.server import address_for, host_names_of
    from realtime_pose.interface.demo.page import build_page
    from realtime_pose.interface.demo.server import build_app, serve
    from realtime_pose.interface.demo.stills import Stills, read_image

    notices: list[str] = []

    def notify(sentence: str) -> None:
        notices.append(sentence)
        print_line(sentence)

    settings = {"persons": PEOPLE, **({"download": False} if options.no_download else {})}
    config = load_config([], {"inference": settings})
    host_names = host_names_of()
    with _listen(options.port, address_for(host_names)) as listener:  # before models are loaded, which takes a while
        stills = Stills(config, notify, _progress(print_line))
        examples = write_examples(folder)
        stills.people_in(read_image(examples[0]))  # loads everything before the first visitor comes
        page = build_page(stills, examples, notices)
        port = listener.getsockname()[1]
        print_line(f"{stills.described}. Open http://127.0.0.1:{port} in a browser; Ctrl-C ends it.")
        serve(build_app(page, folder, port, host_names), listener)
        stills.close()


def _listen(port: int, address: str) -> socket.socket:
    """A socket that listens at the address.

    Raises:
        ConfigError: The port is taken or invalid.
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


def _progress(print_line: Print) -> Callable[[int, int | None], None]:
    """A progress callback that prints every tenth of a download."""
    last_tenth = -1

    def progress(had: int, total: int | None) -> None:
        nonlocal last_tenth
        tenth = 10 * had // total if total else 0
        if tenth != last_tenth:
            last_tenth = tenth
            print_line(f"downloading weights: {had / 1e6:.0f} of {(total or 0) / 1e6:.0f} MB")

    return progress


def write_examples(folder: Path) -> list[Path]:
    """Images of the actor, written into the folder.

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
    if not __package__:  # run as a script: import the package, not the modules beside this file
        sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.exit(main())
