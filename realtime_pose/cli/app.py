"""The command line's entry point: the table of commands, and one sentence with an exit code for every error."""

import errno
import io
import sys
from typing import Annotated

import typer
from rich.markup import escape

from realtime_pose import __version__
from realtime_pose.cli.commands.bench import bench
from realtime_pose.cli.commands.bones import bones
from realtime_pose.cli.commands.calibrate import calibrate
from realtime_pose.cli.commands.doctor import doctor
from realtime_pose.cli.commands.eval import eval_app
from realtime_pose.cli.commands.export import export
from realtime_pose.cli.commands.listen import listen
from realtime_pose.cli.commands.models import models_app
from realtime_pose.cli.commands.plot import plot
from realtime_pose.cli.commands.process import process
from realtime_pose.cli.commands.replay import replay
from realtime_pose.cli.commands.run import run
from realtime_pose.cli.commands.selftest import selftest
from realtime_pose.cli.commands.train import train_app
from realtime_pose.cli.commands.ui import ui
from realtime_pose.cli.run_and_show import FAILED, WRONG_USAGE
from realtime_pose.cli.signals import TerminationSignals
from realtime_pose.cli.terminal import err, out
from realtime_pose.errors import ConfigError, RealtimePoseError

app = typer.Typer(
    name="realtime-pose",
    help="One webcam in, joint rotations that drive a 3D character out, live.",
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)  # Windows may lack it
_IN_ORDER_OF_USE = (run, process, ui, calibrate, replay, export, bones, plot, listen, doctor, selftest, bench)
_EXAMPLES = {
    run: "realtime-pose run --source 0 --height 1.75 --udp 127.0.0.1 --show\n\n"
    "realtime-pose run --source clip.mp4 --vmc 127.0.0.1 --record take",
    process: "realtime-pose process a.mp4 b.mp4 --out results\n\n"
    "realtime-pose process clips --out results --format bvh,glb",
    calibrate: "realtime-pose calibrate --height 1.82 --profile me",
    replay: "realtime-pose replay take --vmc 127.0.0.1",
    export: "realtime-pose export take --format glb,csv --out files",
}
for command in _IN_ORDER_OF_USE:
    examples = _EXAMPLES.get(command)
    app.command(epilog=f"Examples:\n\n{examples}" if examples else None)(command)
app.add_typer(models_app, name="models")
app.add_typer(eval_app, name="eval")
app.add_typer(train_app, name="train")


@app.callback(invoke_without_command=True)  # so that --version needs no command
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        out.print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command that was typed; a known error becomes one sentence and an exit code."""
    for stream in (sys.stdout, sys.stderr):  # a file's name may not be text, and a terminal may not know a character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        with TerminationSignals() as signals:
            try:
                app(arguments)
            except SystemExit as exc:
                sys.exit(signals.exit_code(exc.code) if isinstance(exc.code, int) else exc.code)
    except Exception as exc:
        if "--debug" in sys.argv:
            raise
        what = str(exc)
        if isinstance(exc, OSError) and exc.errno in _FULL:  # of a printed table: files have errors of their own
            what = f"cannot write the output: {exc.strerror}; free some space, or send it elsewhere"
        elif not isinstance(exc, RealtimePoseError):
            what = f"{type(exc).__name__}: {exc}; this is a bug in the program, --debug shows where"
        err.print(f"[red]error[/] {escape(what)}")
        sys.exit(WRONG_USAGE if isinstance(exc, ConfigError) else FAILED)
