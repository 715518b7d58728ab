"""The command line: `realtime-pose COMMAND`, the same as `python -m realtime_pose COMMAND`."""

from realtime_pose.cli.app import main

__all__ = ["main"]
