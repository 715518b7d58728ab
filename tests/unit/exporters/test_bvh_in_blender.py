"""Blender opens motion.bvh with the joints in place, for even and uneven source times."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.people import make_clip, make_result

from realtime_pose.exporters.bvh import BvhRecorder
from realtime_pose.exporters.gltf.fbx import environment_of
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

SCRIPT = Path(__file__).parents[2] / "support" / "blender_joints.py"
FRAMES = [1, 7, 13, 29]


def record(path, results):
    recorder = BvhRecorder(path, 30.0)
    for result in results:
        recorder.send(result)
    recorder.close()
    return path


def uneven(clip):
    """Frames at 30 Hz and, between them, frames at other times."""
    dense = make_clip(4 * len(clip) - 3, fps=120.0)
    rng = np.random.default_rng(4)
    kept = [r for i, r in enumerate(dense) if i % 4 == 0 or rng.random() < 0.4]
    return [make_result(r.people, index=i, time_ns=r.frame.time_ns) for i, r in enumerate(kept)]


def settling(clip):
    """The same person, with bones still being estimated in the first frames."""
    for i, result in enumerate(clip):
        person = result.people[0]
        learnt = 1.0 - 0.05 * max(0.0, 1.0 - i / 12)
        pose = replace(person.pose, bone_m=as_float32(person.pose.bone_m * learnt))
        yield make_result([replace(person, pose=pose)], index=i, time_ns=result.frame.time_ns)


@pytest.mark.blender
@pytest.mark.skipif(shutil.which("blender") is None, reason="Blender is not installed")
def test_blender_finds_the_joints_where_they_were(tmp_path):
    clip = make_clip(30)
    files = [
        record(tmp_path / "even.bvh", clip),
        record(tmp_path / "uneven.bvh", uneven(clip)),
        record(tmp_path / "settling.bvh", settling(clip)),
    ]
    command = ["blender", "-b", "--factory-startup", "-noaudio", "--python-exit-code", "1", "-P", SCRIPT, "--"]
    command += ["30", ",".join(map(str, FRAMES)), *files]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment_of(shutil.which("blender")),
    )
    assert done.returncode == 0, done.stderr + done.stdout
    read = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("JOINTS "))[7:])
    wanted = np.array([forward_kinematics(clip[i].people[0].pose) for i in FRAMES])
    for file, found in zip(files, read, strict=True):
        got = np.array([found["bones"][joint] for joint in HUMANOID.joints]).swapaxes(0, 1)
        assert np.linalg.norm(got - wanted, axis=-1).max() < 0.005, file.name
        assert found["last"] == pytest.approx(29, abs=0.01), file.name
