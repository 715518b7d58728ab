"""FolderLock: one writer at a time, and nothing left behind."""

import errno
import subprocess
import sys

import pytest

from realtime_pose.utils import folder_lock
from realtime_pose.utils.folder_lock import LOCK_FILE, FolderLock

HOLDS = """
import sys
from pathlib import Path
from realtime_pose.utils.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_lock_is_refused_until_the_first_is_released(tmp_path):
    first = FolderLock(tmp_path)
    with pytest.raises(BlockingIOError):
        FolderLock(tmp_path)
    first.release()
    first.release()
    assert not (tmp_path / LOCK_FILE).exists()
    FolderLock(tmp_path).release()


def test_another_process_is_refused_and_a_killed_one_leaves_the_folder_free(tmp_path):
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(BlockingIOError):
            FolderLock(tmp_path)
        process.kill()
        process.wait()
    FolderLock(tmp_path).release()
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_accepted(tmp_path, monkeypatch):
    def no_locks(file):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock, "_lock", no_locks)
    FolderLock(tmp_path).release()
    assert not list(tmp_path.iterdir())
