"""The command line: typed arguments in; packets, files, tables and an exit code out.

`realtime-pose COMMAND` is the same as `python -m realtime_pose COMMAND`.
"""

import sys


def main() -> None:
    """Run the command that was typed; Ctrl-C while the program is still being loaded ends it without a traceback."""
    try:
        from realtime_pose.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


__all__ = ["main"]
