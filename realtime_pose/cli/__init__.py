"""The command line: typed arguments in; packets, files, tables and an exit code out.

`realtime-pose COMMAND` is the same as `python -m realtime_pose COMMAND`.
"""

from realtime_pose.cli.app import main

__all__ = ["main"]
