"""The command line in this process."""

import sys

import pytest

from realtime_pose.cli import app


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run a command in this process and in a temporary folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # wide enough that no sentence is broken

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["realtime-pose", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            app.main()
        said = capsys.readouterr()
        return caught.value.code or 0, said.out, said.err

    return run
