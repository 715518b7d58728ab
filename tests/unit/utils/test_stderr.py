"""Suppressed stderr of native code, only inside the block."""

import os
import sys
import threading

import pytest

from realtime_pose.utils.stderr import quiet_stderr

PATIENCE_S = 20.0


def open_files():
    return len(os.listdir("/dev/fd")) if os.path.isdir("/dev/fd") else 0


def test_native_output_is_suppressed_only_inside_the_block(capfd):
    os.write(2, b"before ")
    with quiet_stderr():
        os.write(2, b"noise ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_output_buffered_before_the_block_is_not_lost(capfd, monkeypatch):
    with open(2, "w", closefd=False) as stderr:  # as a started program has it; pytest's own goes elsewhere
        monkeypatch.setattr(sys, "stderr", stderr)
        stderr.write("waiting in the buffer")
        with quiet_stderr():
            print("noise", file=sys.stderr, flush=True)
        monkeypatch.undo()
    assert capfd.readouterr().err == "waiting in the buffer"


def test_stderr_comes_back_after_an_error_too(capfd):
    with pytest.raises(ZeroDivisionError), quiet_stderr():
        _ = os.write(2, b"noise") / 0
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_stdout_is_left_alone(capfd):
    with quiet_stderr():
        os.write(1, b"answer")
    assert capfd.readouterr().out == "answer"


def test_blocks_may_nest(capfd):
    with quiet_stderr():
        with quiet_stderr():
            pass
        os.write(2, b"noise")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_no_file_stays_open():
    with quiet_stderr():
        pass
    before = open_files()
    for _ in range(20):
        with quiet_stderr():
            pass
    assert open_files() == before


def test_blocks_of_two_threads_may_overlap(capfd):
    entered, left = threading.Event(), threading.Event()

    def first():
        with quiet_stderr():
            entered.set()
            assert left.wait(PATIENCE_S)

    kept = os.dup(2)
    try:
        thread = threading.Thread(target=first)
        thread.start()
        assert entered.wait(PATIENCE_S)
        second = quiet_stderr()
        second.__enter__()
        left.set()
        thread.join(PATIENCE_S)
        second.__exit__(None, None, None)
        os.write(2, b"heard")
        assert capfd.readouterr().err == "heard"
    finally:
        os.dup2(kept, 2)
        os.close(kept)
