"""`realtime-pose ui`: what it passes to the server, prints and opens."""

import socket

import pytest
from typer.testing import CliRunner

from realtime_pose.cli.app import app
from realtime_pose.cli.commands import ui as ui_module
from realtime_pose.interface.dashboard.web import server


@pytest.fixture
def started(monkeypatch):
    """The arguments of the server, a fake that is ready and stopped at once."""
    given = {}

    def serve(make_studio, *, port, host_names, on_ready):
        given.update(port=port, host_names=host_names, studio=make_studio())
        on_ready()

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(server, "leave", lambda: None)
    monkeypatch.setattr(server, "default_studio", lambda config, folders: (config, folders))
    monkeypatch.setattr(ui_module.webbrowser, "open", lambda address: given.update(opened=address))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv(server.HOST_NAMES, raising=False)
    return given


def run(*arguments):
    return CliRunner().invoke(app, ["ui", *arguments], catch_exceptions=False)


def free():
    return str(server.free_port(18701, "127.0.0.1"))


def test_settings_and_folders_reach_the_studio(started, tmp_path):
    port = free()
    settings = ("--source", "browser", "--persons", "3", "--smoothing", "crisp", "--udp", "127.0.0.1:5005")
    folders = ("--takes", str(tmp_path / "t"), "--allow", str(tmp_path / "m"))
    answer = run("--port", port, "--no-browser", *settings, *folders)
    assert answer.exit_code == 0
    assert f"http://127.0.0.1:{port}" in answer.output
    config, folders = started["studio"]
    assert (config.capture.source, config.inference.persons, config.body.smoothing) == ("browser", 3, "crisp")
    assert config.output.udp == "127.0.0.1:5005"
    assert folders.takes == tmp_path / "t"
    assert tmp_path / "m" in folders.allowed
    assert started["host_names"] == ()
    assert "opened" not in started


def test_the_page_opens_by_itself(started):
    port = free()
    run("--port", port)
    for thread in [t for t in ui_module.threading.enumerate() if t.name == "browser"]:
        thread.join(20)
    assert started["opened"] == f"http://127.0.0.1:{port}"


def test_no_browser_opens_without_a_display(started, monkeypatch):
    monkeypatch.setattr(ui_module.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    run("--port", free())
    assert "opened" not in started


def test_a_port_in_use_is_reported(started):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = run("--port", str(port), "--no-browser")
    assert started["port"] != port
    assert f"port {port} is in use" in answer.output
    assert f"http://127.0.0.1:{started['port']}" in answer.output


def test_names_come_from_the_option_and_the_environment(started, monkeypatch):
    monkeypatch.setenv(server.HOST_NAMES, "b.test")
    run("--port", free(), "--no-browser", "--host-name", "a.test")
    assert started["host_names"] == ("a.test", "b.test")
