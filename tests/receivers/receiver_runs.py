"""Runs each receiver on a file of cases in its own language and engine, where that is installed."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import receiver_cases as cases

from realtime_pose.exporters.gltf.fbx import environment_of

HERE = Path(__file__).parent
RECEIVERS = HERE.parents[1] / "receivers"
_TIMEOUT_S = 60

COMMANDS: dict[str, list[Any]] = {
    "python": [sys.executable, "-W", "error", HERE / "run_python.py"],
    "javascript": ["node", HERE / "run_node.mjs"],
    "three.js": ["node", HERE / "run_three.mjs"],
    "godot3": ["godot3-server", "--path", "{folder}", "-s", HERE / "run_godot3.gd"],
    # Godot 4 is in no package registry, so its receiver runs translated to Godot 3.
    "godot4": ["godot3-server", "--path", "{folder}", "-s", HERE / "run_godot3.gd"],
    "blender": ["blender", "-b", "--factory-startup", "--python-exit-code", "1", "-P", HERE / "run_blender.py", "--"],
    "unity": ["mono", "{folder}/RunUnity.exe"],  # with a fake of the Unity API
}

GODOT_4_TO_3 = {
    r"@export var (\w+) := (.*)": r"export var \1 = \2",
    r"@export var (\w+): NodePath": r"export(NodePath) var \1",
    r"\bQuaternion\b": "Quat",
    r"get_rotation_quaternion": "get_rotation_quat",
    r"to_utf8_buffer": "to_utf8",
    r"_udp\.bind\(": "_udp.listen(",
    r"Time\.get_ticks_msec": "OS.get_ticks_msec",
    r"moved\.emit\(": 'emit_signal("moved", ',
    r"\tvar json = JSON\.new\(\)\n": "",
    r"\tif json\.parse\((.*?)\) != OK": r"\tvar json = JSON.parse(\1)\n\tif json.error != OK",
    r"json\.data": "json.result",
    r"\[TYPE_FLOAT, TYPE_INT\]": "[TYPE_REAL]",
    r'", "\.join\(missing\)': 'PoolStringArray(missing).join(", ")',
    r"facing \* limb\[3\]": "facing.xform(limb[3])",
    r"facing \* moved": "facing.xform(moved)",
    r"affine_inverse\(\) \* hips": "affine_inverse().xform(hips)",
}


def run_receiver(name: str, folder: Path) -> dict[str, Any]:
    """The receiver's answers to the cases; skips the test if its language is not installed."""
    receiver = RECEIVERS / ("javascript" if name == "three.js" else name)
    command = [str(word).format(folder=folder) for word in COMMANDS[name]]
    for program in [command[0], *(["mcs"] if name == "unity" else [])]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if name == "three.js" and not (receiver / "node_modules" / "three").is_dir():
        pytest.skip("three is not there: npm install --prefix receivers/javascript")
    if name == "godot4":
        script = in_the_words_of_godot3((receiver / "pose_receiver.gd").read_text())
        (folder / "pose_receiver.gd").write_text(script)
        receiver = folder
    if name == "unity":
        sources = [*receiver.glob("*.cs"), *(HERE / "unity").glob("*.cs")]
        _run(["mcs", "-langversion:7", "-warnaserror", f"-out:{folder}/RunUnity.exe", *map(str, sources)])
    (folder / "cases.json").write_text(json.dumps(cases.cases()))
    _run([*command, str(receiver), str(folder / "cases.json"), str(folder / "answers.json")])
    return json.loads((folder / "answers.json").read_bytes().decode(errors="replace"))


def in_the_words_of_godot3(script: str) -> str:
    """The Godot 4 receiver translated to Godot 3: names are replaced, the logic is unchanged."""
    for pattern, words in GODOT_4_TO_3.items():
        script, count = re.subn(pattern, words, script)
        assert count, pattern
    return script


def _run(command: list[str]) -> None:
    env = environment_of(shutil.which("blender")) if command[0] == "blender" else None
    done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
