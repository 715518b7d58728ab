"""The command line: `realtime-pose COMMAND`, the same as `python -m realtime_pose COMMAND`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose import __version__
from realtime_pose.cli.models import models_app
from realtime_pose.cli.terminal import download_progress, err, out
from realtime_pose.errors import CaptureError, ConfigError, RealtimePoseError

app = typer.Typer(
    name="realtime-pose",
    help="One webcam in, joint rotations that drive a 3D character out, live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")

_FAILED, _WRONG_USAGE, _INTERRUPTED = 1, 2, 130

Config = Annotated[
    list[Path] | None, typer.Option("--config", help="Settings file (YAML); may be given several times.")
]
Estimator = Annotated[
    str | None, typer.Option(help="auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h or mmpose.")
]
Checkpoint = Annotated[str | None, typer.Option(help="File of the weights, or a name from checkpoints/manifest.json.")]
ModelConfig = Annotated[str | None, typer.Option(help="mmpose model config (.py). It is code: use only your own.")]
Dataset = Annotated[
    str | None, typer.Option(help="Head of a checkpoint with several: coco, aic, mpii, ap10k, apt36k or wholebody.")
]
ModelRuntime = Annotated[str | None, typer.Option("--runtime", help="auto, torch, onnxruntime, openvino or tensorrt.")]
Precision = Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16, int8 or int4.")]
FlipTest = Annotated[bool, typer.Option("--flip-test", help="Look twice, once mirrored: steadier, twice the work.")]
Detector = Annotated[str | None, typer.Option(help="Who finds people: auto, blazepose, rtdetr, yolox or whole-frame.")]
DetectEvery = Annotated[int | None, typer.Option(min=1, help="Frames between two looks for people.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda (or cuda:1), mps, or gpu (Intel's, by OpenVINO).")]
NoDownload = Annotated[bool, typer.Option("--no-download", help="Never fetch weights.")]
Persons = Annotated[int | None, typer.Option(min=1, help="People followed at most.")]
Single = Annotated[bool, typer.Option("--single", help="One performer, whoever else is in the picture: --persons 1.")]
Height = Annotated[float | None, typer.Option(min=0.5, max=2.5, help="Body height in metres: sets the scale.")]
Fov = Annotated[float | None, typer.Option(min=10, max=170, help="Camera's field of view in degrees, longer side.")]
Smoothing = Annotated[str | None, typer.Option(help="none, crisp, balanced or smooth.")]
Udp = Annotated[str | None, typer.Option(help="host:port that PosePackets go to, e.g. 127.0.0.1:5005.")]
Mirror = Annotated[bool, typer.Option("--mirror", help="Send the pose as a mirror shows it.")]
Rotate = Annotated[int | None, typer.Option(help="Turn the picture clockwise by 0, 90, 180 or 270 degrees.")]
MaxFrames = Annotated[int | None, typer.Option(min=1, help="End after so many frames.")]
Report = Annotated[
    Path | None, typer.Option(help='Write the figures here (JSON); several inputs give {"files": [...]}.')
]


@app.callback(invoke_without_command=True)  # so that --version needs no command
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command()
def run(
    source: Annotated[str | None, typer.Option(help="Camera index or name, file, folder, URL, or actor.")] = None,
    udp: Udp = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder for overlay, motion, keypoints and session; an earlier take in it is replaced."),
    ] = None,
    report: Report = None,
    show: Annotated[bool, typer.Option("--show", help="Open a preview window; q or Esc ends.")] = False,
    max_frames: MaxFrames = None,
    config: Config = None,
    estimator: Estimator = None,
    checkpoint: Checkpoint = None,
    model_config: ModelConfig = None,
    dataset: Dataset = None,
    runtime: ModelRuntime = None,
    precision: Precision = None,
    device: Device = None,
    flip_test: FlipTest = False,
    no_download: NoDownload = False,
    detector: Detector = None,
    detect_every: DetectEvery = None,
    persons: Persons = None,
    single: Single = False,
    height: Height = None,
    fov: Fov = None,
    smoothing: Smoothing = None,
    mirror: Mirror = False,
    size: Annotated[str | None, typer.Option(help="Wanted camera resolution, e.g. 1280x720.")] = None,
    fps: Annotated[float | None, typer.Option(min=1, help="Wanted camera rate in Hz.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, v4l2, dshow, msmf, avfoundation or gstreamer.")] = None,
    mjpg: Annotated[bool | None, typer.Option(help="Ask the camera for compressed pictures.")] = None,
    rotate: Rotate = None,
) -> None:
    """Run live: a camera (or a file at its own speed) in, packets and files out, until Ctrl-C."""
    width, height_px = _parse_size(size)
    settings = _settings(
        config,
        capture={
            "source": source, "width": width, "height": height_px, "fps": fps, "backend": backend, "mjpg": mjpg,
            "rotate_deg": rotate,
        },
        inference={
            "estimator": estimator, "checkpoint": checkpoint, "model_config": model_config, "dataset": dataset,
            "runtime": runtime, "precision": precision, "device": device, "flip_test": flip_test or None,
            "download": False if no_download else None, "detector": detector, "detect_every": detect_every,
            "persons": _persons(persons, single=single),
        },
        body={"height_m": height, "fov_deg": fov, "smoothing": smoothing},
        output={"udp": udp, "mirror": mirror or None, "record": record and str(record)},
    )  # fmt: skip
    figures, trouble = _play(settings, paced=True, max_frames=max_frames, show=show)
    if report is not None:
        _write_report(report, figures)
    _print_run(figures, settings.output.record, report)
    if trouble is not None:
        raise trouble


@app.command()
def process(
    inputs: Annotated[list[str], typer.Argument(help="Videos, images, folders of images, or actor.")],
    to: Annotated[
        Path, typer.Option("--out", help="Folder for the results; with several inputs, one folder each below it.")
    ],
    udp: Udp = None,
    report: Report = None,
    max_frames: MaxFrames = None,
    config: Config = None,
    estimator: Estimator = None,
    checkpoint: Checkpoint = None,
    model_config: ModelConfig = None,
    dataset: Dataset = None,
    runtime: ModelRuntime = None,
    precision: Precision = None,
    device: Device = None,
    flip_test: FlipTest = False,
    no_download: NoDownload = False,
    detector: Detector = None,
    detect_every: DetectEvery = None,
    persons: Persons = None,
    single: Single = False,
    height: Height = None,
    fov: Fov = None,
    smoothing: Smoothing = None,
    mirror: Mirror = False,
    rotate: Rotate = None,
) -> None:
    """Process every frame of files as fast as it goes, and write overlay, motion, keypoints and session."""
    reports, failed = [], 0
    for item, folder in zip(inputs, _folders(inputs, to), strict=True):
        settings = _settings(
            config,
            capture={"source": item, "rotate_deg": rotate},
            inference={
                "estimator": estimator, "checkpoint": checkpoint, "model_config": model_config, "dataset": dataset,
                "runtime": runtime, "precision": precision, "device": device, "flip_test": flip_test or None,
                "download": False if no_download else None, "detector": detector, "detect_every": detect_every,
                "persons": _persons(persons, single=single),
            },
            body={"height_m": height, "fov_deg": fov, "smoothing": smoothing},
            output={"udp": udp, "mirror": mirror or None, "record": str(folder)},
        )  # fmt: skip
        try:
            figures, trouble = _play(settings, paced=False, max_frames=max_frames)
        except RealtimePoseError as exc:  # one bad file is no reason to leave the others
            if len(inputs) == 1 or isinstance(exc, ConfigError):
                raise
            figures, trouble = {"source": item, "frames": 0, "warnings": [str(exc)]}, exc
        reports.append(figures)
        if figures["frames"]:
            _print_run(figures, str(folder), None)
        if isinstance(trouble, RealtimePoseError):
            failed += 1
            err.print(f"[red]error[/] {escape(str(trouble))}")
        elif trouble is not None:
            break
    if report is not None:
        _write_report(report, reports[0] if len(inputs) == 1 else {"files": reports})
    if isinstance(trouble, typer.Exit):
        raise trouble
    if failed:
        raise CaptureError(f"{failed} of {len(inputs)} inputs failed; what was wrong with each is said above")


@app.command()
def listen(
    bind: Annotated[str, typer.Argument(help="host:port to listen on.")] = "127.0.0.1:5005",
    count: Annotated[int | None, typer.Option(min=1, help="End after so many packets.")] = None,
) -> None:
    """Print what arrives on a UDP port: who sends, how often, how late, and each second's last pose."""
    from realtime_pose.interface.listening import listen_to

    if listen_to(bind, count, out):
        raise typer.Exit(_INTERRUPTED)


@app.command()
def selftest(
    report: Report = None,
    config: Config = None,
    estimator: Estimator = None,
    smoothing: Smoothing = None,
    max_frames: MaxFrames = None,
) -> None:
    """Play the actor through the whole chain to a receiver, and compare what arrives with the exact truth.

    Nothing is fetched: ViTPose is tested only where its weights already are.
    """
    from realtime_pose.evaluation.selftest import run_selftest
    from realtime_pose.interface.console import progress_bar, selftest_table
    from realtime_pose.pipeline import check_names

    inference = {"estimator": estimator, "download": False}  # a test fetches nothing by itself
    settings = _settings(config, inference=inference, body={"smoothing": smoothing})
    check_names(settings)
    with progress_bar("actor", out) as advance:
        figures = run_selftest(settings, max_frames, advance)
    out.print(selftest_table(figures))
    if report is not None:
        _write_report(report, figures.as_dict())


@app.command()
def doctor() -> None:
    """Say what is installed, which camera, device and estimator work here, and what to do about the rest."""
    from realtime_pose.evaluation.doctor import examine

    table = Table("", "what", "found", "what to do")
    for finding in examine():
        table.add_row("[green]ok[/]" if finding.ok else "[yellow]--[/]", finding.what, finding.found, finding.remedy)
    out.print(table)


def _settings(files: list[Path] | None, **sections: Mapping[str, object]) -> Any:  # noqa: ANN401 - AppConfig, imported late
    from realtime_pose.config import load_config

    given = {name: {k: v for k, v in values.items() if v is not None} for name, values in sections.items()}
    return load_config(files or [], given)


def _folders(inputs: list[str], to: Path) -> list[Path]:
    """A folder for each input: the given one for a single input, else one below it by the input's name."""
    if len(inputs) == 1:
        return [to]
    folders: list[Path] = []
    for item in inputs:
        name, count = Path(item).resolve().stem, 1
        while (folder := to / (name if count == 1 else f"{name}-{count}")) in folders:
            count += 1
        folders.append(folder)
    return folders


def _persons(persons: int | None, *, single: bool) -> int | None:
    if single and persons not in (None, 1):
        raise ConfigError(f"--single follows one performer and --persons {persons} more; give one of the two")
    return 1 if single else persons


def _parse_size(size: str | None) -> tuple[int | None, int | None]:
    if size is None:
        return None, None
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size {size!r} is no resolution; write it like 1280x720")
    return int(width), int(height)


def _play(
    settings: Any,  # noqa: ANN401 - AppConfig, imported late
    *,
    paced: bool,
    max_frames: int | None,
    show: bool = False,
) -> tuple[dict[str, Any], RealtimePoseError | typer.Exit | None]:
    """Run to the end (or Ctrl-C) with progress on the terminal: the report, and what to raise once it is written."""
    from realtime_pose.interface.console import follow
    from realtime_pose.interface.preview import PreviewWindow
    from realtime_pose.interface.run import open_run

    preview = PreviewWindow() if show else None  # first: where there is no display nothing else is touched
    with open_run(settings, _say, download_progress(), paced=paced, max_frames=max_frames) as session:
        interrupted = follow(session, max_frames, preview, console=out, say=_say)
    figures = session.report()
    try:
        session.runtime.raise_if_failed()
    except RealtimePoseError as exc:
        figures["warnings"].append(str(exc))
        return figures, exc
    return figures, typer.Exit(_INTERRUPTED) if interrupted else None


def _say(sentence: str) -> None:
    out.print(f"[yellow]note[/] {escape(sentence)}")  # on the progress bar's own console, which moves aside for it


def _write_report(path: Path, figures: Mapping[str, Any]) -> None:
    from realtime_pose.report import write_report

    write_report(path, figures)


def _print_run(figures: Mapping[str, Any], folder: str, report: Path | None) -> None:
    from realtime_pose.interface.console import run_table

    out.print(run_table(figures, folder, report))


def main() -> None:
    """Run a command; errors of ours become one sentence and an exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments)
    except Exception as exc:
        if "--debug" in sys.argv:
            raise
        ours = isinstance(exc, RealtimePoseError)
        what = str(exc) if ours else f"{type(exc).__name__}: {exc}; this is a fault of the program, --debug shows where"
        err.print(f"[red]error[/] {escape(what)}")
        sys.exit(_WRONG_USAGE if isinstance(exc, ConfigError) else _FAILED)
