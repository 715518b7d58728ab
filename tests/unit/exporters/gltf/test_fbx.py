"""motion.fbx: Blender opens it with the joints in place; without Blender the error names what to do."""

import base64
import io
import json
import logging
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from support.people import make_clip
from support.rigs import NAMES, make_rig

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.gltf import fbx, fbx_in_blender
from realtime_pose.exporters.gltf.fbx import environment_of
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID

SCRIPT = Path(__file__).parents[3] / "support" / "blender_joints.py"
CLIP = make_clip(13, seed=6)
JOINTS_M = np.array([forward_kinematics(result.people[0].pose) for result in CLIP])
FRAMES = [0, 5, 12]


def write(folder, kind, take):
    (sink,) = open_exporters([kind], folder, take)
    for result in CLIP:
        sink.send(result)
    sink.close()
    return folder / f"motion.{kind}"


@pytest.mark.blender
@pytest.mark.skipif(shutil.which("blender") is None, reason="Blender is not installed")
def test_blender_opens_them_with_the_joints_where_they_were(tmp_path):
    bone_m = CLIP[0].people[0].pose.bone_m.astype(float)
    rig = make_rig(tmp_path / "rig.glb", bone_m=bone_m, names=NAMES["unity"], turn_seed=1, arms_down_deg=45)
    files, names = [], []
    for folder, character in ((tmp_path / "own", None), (tmp_path / "users", rig)):
        folder.mkdir()
        for kind in ("glb", "fbx"):
            files.append(write(folder, kind, TakeInfo(30.0, character=character)))
            names.append(NAMES["unity" if character else "vrm"])
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
    for file, bones_of, found in zip(files, names, read, strict=True):
        got = np.array([found["bones"][bones_of[joint]] for joint in HUMANOID.joints]).swapaxes(0, 1)
        assert np.linalg.norm(got - JOINTS_M[FRAMES], axis=-1).max() < 0.005, file
        assert found["groups"] == len(HUMANOID.joints), file  # the skin is included
        assert found["last"] == pytest.approx(12, abs=0.01), file


COLOURS = {"body": (200, 40, 40), "eyes": (40, 200, 40), "hair": (40, 40, 200)}


def textured(document):
    """Three materials with images of one name; one material is unlit, as those of VRM are."""
    data = []
    for colour in COLOURS.values():
        Image.new("RGB", (4, 4), colour).save(png := io.BytesIO(), "png")
        data.append("data:image/png;base64," + base64.b64encode(png.getvalue()).decode())
    document["images"] = [{"name": "texture", "uri": uri, "mimeType": "image/png"} for uri in data]
    document["textures"] = [{"source": i} for i in range(3)]
    document["materials"] = [
        {"name": name, "pbrMetallicRoughness": {"baseColorTexture": {"index": i}}} for i, name in enumerate(COLOURS)
    ]
    document["materials"][1]["extensions"] = {"KHR_materials_unlit": {}}
    document["extensionsUsed"] = ["KHR_materials_unlit"]
    (part,) = document["meshes"][0]["primitives"]
    document["meshes"][0]["primitives"] = [{**part, "material": i} for i in range(3)]


@pytest.mark.blender
@pytest.mark.skipif(shutil.which("blender") is None, reason="Blender is not installed")
def test_every_material_keeps_its_own_image_and_no_path_is_told(tmp_path):
    file = write(tmp_path, "fbx", TakeInfo(30.0, character=make_rig(tmp_path / "rig.glb", change=textured)))
    script = SCRIPT.with_name("blender_images.py")
    command = ["blender", "-b", "--factory-startup", "-noaudio", "--python-exit-code", "1", "-P", script, "--", file]
    environment = environment_of(shutil.which("blender"))
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr + done.stdout
    read = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("IMAGES "))[7:])
    assert {name: tuple(colour) for name, (_, colour) in read.items()} == COLOURS
    assert len({name for name, _ in read.values()}) == 3
    assert os.fsencode(tmp_path) not in file.read_bytes()
    assert b".part" not in file.read_bytes()


# --- without Blender --------------------------------------------------------------------------------------------------


def blender_that(folder, monkeypatch, does):
    """A program named blender, and no other on the path."""
    program = folder / "bin" / "blender"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


def take(folder):
    folder = folder / "take"
    folder.mkdir()
    return folder


def test_without_blender_the_message_names_what_to_install_or_use(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RecordingError, match=r"motion.fbx is written by Blender.*install Blender 3.3.*or export glb"):
        open_exporters(["fbx"], tmp_path, TakeInfo())


def test_the_last_line_of_blenders_error_is_reported(tmp_path, monkeypatch):
    blender_that(tmp_path, monkeypatch, 'echo "Traceback ..." >&2; echo "RuntimeError: no such thing" >&2; exit 1')
    folder = take(tmp_path)
    with pytest.raises(RecordingError, match=r"could not write FBX \(RuntimeError: no such thing\); export glb"):
        write(folder, "fbx", TakeInfo())
    assert list(folder.iterdir()) == []


def test_a_blender_that_cannot_convert_is_refused_before_the_take(tmp_path, monkeypatch):
    says = "Traceback (most recent call last):", "ModuleNotFoundError: No module named 'numpy'", "", "Blender quit"
    blender_that(tmp_path, monkeypatch, "; ".join(f'echo "{line}"' for line in says) + "; exit 1")
    with pytest.raises(RecordingError, match=r"\(ModuleNotFoundError: No module named 'numpy'\); export glb"):
        open_exporters(["fbx"], tmp_path, TakeInfo())


def test_without_a_line_that_names_an_error_the_last_one_is_reported(tmp_path, monkeypatch):
    blender_that(tmp_path, monkeypatch, 'echo "libGL.so.1: cannot open shared object file"; echo; exit 127')
    with pytest.raises(RecordingError, match=r"\(libGL.so.1: cannot open shared object file\)"):
        open_exporters(["fbx"], tmp_path, TakeInfo())


def test_every_image_gets_a_file_name_of_its_own():
    """Blender's exporter stores images by file name, and older ones name all packed images alike."""
    png, jpg = b"\x89PNG\r\n", b"\xff\xd8\xff\xe1"
    given = [("skin", png), ("Skin", png), ("skin", jpg), ("a/b:c", png), ("", jpg)]
    images = [
        SimpleNamespace(name=f"{name}.{i:03}" if i == 2 else name, packed_file=SimpleNamespace(data=data), filepath="")
        for i, (name, data) in enumerate(given)
    ]
    exporter = SimpleNamespace()
    fbx_in_blender._name_images(images, exporter, "motion")
    names = [image.filepath for image in images]
    assert names == [
        f"//motion.fbm/{name}" for name in ("skin.png", "Skin_2.png", "skin_002.jpg", "a_b_c.png", "image.jpg")
    ]
    assert exporter._gen_vid_path(images[3], None) == ("motion.fbm/a_b_c.png", "motion.fbm/a_b_c.png")


def test_a_blender_that_writes_nothing_is_an_error(tmp_path, monkeypatch):
    blender_that(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(RecordingError, match=r"could not write FBX \(exit code 0\)"):
        write(take(tmp_path), "fbx", TakeInfo())


def test_a_blender_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(fbx, "_START_S", 0.2)
    monkeypatch.setattr(fbx, "_FRAME_S", 0.0)
    blender_that(tmp_path, monkeypatch, "exec cat /dev/zero > /dev/null")
    with pytest.raises(RecordingError, match="did not finish within 0 s; export a shorter take, or glb"):
        write(take(tmp_path), "fbx", TakeInfo())


def test_a_long_conversion_reports_progress(tmp_path, monkeypatch):
    """The fake Blender prints "done 40 %" and waits until that has been logged."""
    heard = tmp_path / "heard"
    monkeypatch.setattr(fbx, "_PROGRESS_S", 0.05)
    does = f'echo done 40 %; while [ ! -e {heard} ]; do :; done; echo "RuntimeError: enough"; exit 1'
    blender_that(tmp_path, monkeypatch, does)

    class Listener(logging.Handler):
        def emit(self, record):
            if record.getMessage() == "Blender writes FBX: 40 %":
                heard.touch()

    listener = Listener()
    fbx.log.addHandler(listener)
    with pytest.raises(RecordingError, match="enough"):
        write(take(tmp_path), "fbx", TakeInfo())
    fbx.log.removeHandler(listener)


def test_a_blender_that_cannot_be_started_is_reported(tmp_path, monkeypatch):
    blender_that(tmp_path, monkeypatch, "")
    (tmp_path / "bin" / "blender").write_bytes(b"\x7fELF no program")
    with pytest.raises(RecordingError, match="does not start: Exec format error; reinstall it, or export glb"):
        write(take(tmp_path), "fbx", TakeInfo())


def test_blender_gets_the_takes_rate(tmp_path, monkeypatch):
    blender_that(tmp_path, monkeypatch, f'echo "$@" > {tmp_path}/said; shift $(($# - 2)); echo x > "$1"')
    folder = take(tmp_path)
    assert write(folder, "fbx", TakeInfo(29.97)).read_text() == "x\n"
    said = (tmp_path / "said").read_text().split()
    assert said[-1] == "29.970000"
    assert "--factory-startup" in said
    assert [path.name for path in folder.iterdir()] == ["motion.fbx"]


def test_blender_finds_the_python_beside_it_first(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "venv"))
    (tmp_path / "blender").touch()
    path = environment_of(str(tmp_path / "blender"))["PATH"].split(os.pathsep)
    assert path == [str(tmp_path), str(tmp_path / "venv")]
