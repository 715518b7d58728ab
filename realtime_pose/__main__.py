"""`python -m realtime_pose` is `realtime-pose`."""

from realtime_pose.cli import main

if __name__ == "__main__":
    main()
