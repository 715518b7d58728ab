"""Live packets of the actor's clip drive a rig in a running Godot."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from receiver_cases import make_rig

from realtime_pose.body.profile import BodyProfile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.skipif(shutil.which("godot3-server") is None, reason="godot3-server is not installed")
def test_a_rig_in_godot_moves_as_the_actor_does(tmp_path):
    rig = make_rig("live", np.asarray(HUMANOID.rest_bone_m), seed=1)
    (tmp_path / "rig.json").write_text(json.dumps(rig.as_json([])))
    # Both the rig and the person have an average body's bones, so their joints can be compared.
    average = BodyDimensions.of_height(REST_HEIGHT_M)
    profile = BodyProfile(REST_HEIGHT_M, {name: getattr(average, name) for name in LENGTHS})
    profile.save(tmp_path / "average.json")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    receiver = ["-s", HERE / "live_godot3.gd", ROOT / "receivers" / "godot3", tmp_path / "rig.json", str(port)]
    godot = subprocess.Popen(
        ["godot3-server", "--path", tmp_path, *receiver],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        started = ""
        while "listening" not in started:
            line = godot.stdout.readline()
            assert line, started
            started += line
        run = ["run", "--source", "actor", "--no-download", "--udp", f"127.0.0.1:{port}", "--max-frames", "120"]
        run += ["--profile", str(tmp_path / "average.json")]
        sender = subprocess.run(
            [sys.executable, "-m", "realtime_pose", *run],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert sender.returncode == 0, sender.stdout + sender.stderr
        said, _ = godot.communicate(timeout=20)
    finally:
        godot.kill()
    print(started + said)
    found = re.search(r"after (\d+) poses: worst joint ([\d.]+) mm .* moved ([\d.]+) m", said)
    assert found, said
    poses, worst_mm, way_m = int(found[1]), float(found[2]), float(found[3])
    assert poses >= 100
    assert worst_mm < 10
    assert way_m > 0.3
