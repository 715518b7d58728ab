"""A long run with faults: `make soak`. Memory, descriptors and threads are counted after every round, and may not grow.

Each round is a whole run over the packaged clip, with files and live outputs, and one fault in turn.
"""

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from fuzz import sessions

from realtime_pose.app.export import open_export
from realtime_pose.app.run import open_run
from realtime_pose.app.take import SESSION
from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError
from realtime_pose.session.reader import read_session

WARM_UP = 8  # rounds before the growth is counted: each fault once, libraries loaded
GROWTH_MB, GROWTH_COUNT = 100, 4


def nothing(folder):
    """No fault."""


def full_disk(folder):
    """No file of this process grows beyond 200 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))


def folder_deleted(folder):
    """The take is deleted while it is written."""
    shutil.rmtree(folder, ignore_errors=True)


def folder_closed(folder):
    """The take's files are replaced by folders, so that they cannot be opened again."""
    for path in list(folder.iterdir()):
        with suppress(OSError):
            path.unlink()
            path.mkdir()


FAULTS = (nothing, full_disk, folder_deleted, folder_closed)


def one_round(root, fault, rng):
    """A run with the fault after its first frames, an export of what is left, a wrong session; what the run said."""
    folder = root / "take"
    shutil.rmtree(folder, ignore_errors=True)
    config = AppConfig().with_values(
        {
            "capture": {"source": "actor"},
            "inference": {"download": False},
            "output": {"record": str(folder), "formats": "bvh,glb,easy-vitpose,csv,trc", "udp": "127.0.0.1:9"},
        },
        "soak",
    )
    said = ""
    try:
        with open_run(config, lambda sentence: None, paced=False, max_frames=90, force=True) as run:
            while run.runtime.snapshot().frames < 20 and not run.runtime.wait(0.02):
                pass
            fault(folder)
            run.runtime.wait()
        run.report()
        run.runtime.raise_if_failed()
        if (folder / SESSION).is_file():
            with open_export(read_session(folder / SESSION), config, root / "out", chosen=False, force=True) as export:
                for _ in export.results:
                    pass
    except RealtimePoseError as exc:
        said = str(exc).replace(str(root), "")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    sessions.case(root / "wrong", rng)
    return said


def state():
    """Memory in MB now, open descriptors, threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20, len(os.listdir("/proc/self/fd")), threading.active_count()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    given = parser.parse_args()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file at its limit is an error to handle, not the end
    end_s, rounds, warm, told = time.monotonic() + given.seconds, 0, None, {}
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "wrong").mkdir()
        while time.monotonic() < end_s or warm is None:
            fault = FAULTS[rounds % len(FAULTS)]
            said = one_round(Path(name), fault, rng)
            told.setdefault(fault.__name__, said)
            rounds += 1
            now = state()
            if rounds == WARM_UP:
                warm = now
            counts = f"{now[0]:5} MB  {now[1]:3} descriptors  {now[2]:3} threads"
            print(f"round {rounds:5}  {fault.__name__:15} {counts}", flush=True)
    for fault, sentence in told.items():
        print(f"{fault}: {sentence or 'no error'}")
    grown = [after - before for before, after in zip(warm, now, strict=True)]
    print(f"{rounds} rounds; since round {WARM_UP}: {grown[0]:+} MB, {grown[1]:+} descriptors, {grown[2]:+} threads")
    return int(grown[0] > GROWTH_MB or max(grown[1:]) > GROWTH_COUNT)


if __name__ == "__main__":
    sys.exit(main())
