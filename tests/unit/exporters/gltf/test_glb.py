"""motion.glb and motion.vrma: an independent reader finds the person's joints, at the take's own times."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from pygltflib import GLTF2
from support.actor_frames import actor_truth
from support.full_disk import FullDisk
from support.gltf_player import Player
from support.people import make_camera, make_clip, make_person, make_pose, make_result
from support.rigs import make_rig

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.errors import CharacterError, RecordingError
from realtime_pose.exporters import pose_spool
from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.model3d.character import default_character_path
from realtime_pose.skeletons import HUMANOID


def write(folder, results, kind="glb", take=None):
    (sink,) = open_exporters([kind], folder, take or TakeInfo())
    for result in results:
        sink.send(result)
    sink.close()
    return folder / f"motion.{kind}"


def joints_of(player, key):
    places = player.places(key)
    return np.array([places[joint] for joint in HUMANOID.joints])


def truth(results, track_id=0):
    poses = [p.pose for r in results for p in r.people if p.keypoints.track_id == track_id]
    return np.array([forward_kinematics(pose) for pose in poses])


def seen(*seeds_and_ids, at_ms):
    """One frame with people in random poses: (seed, track_id) each."""
    time_ns = at_ms * 1_000_000
    people = [make_person(seed, track_id=track_id, time_ns=time_ns) for seed, track_id in seeds_and_ids]
    return make_result(people, time_ns=time_ns)


@pytest.mark.parametrize("kind", ["glb", "vrma"])
def test_the_joints_are_where_the_persons_are(tmp_path, kind):
    clip = make_clip(40, seed=2)
    player = Player(write(tmp_path, clip, kind))
    got = np.array([joints_of(player, key) for key in range(40)])
    assert np.linalg.norm(got - truth(clip), axis=-1).max() < 1e-4


@pytest.mark.parametrize("kind", ["glb", "vrma"])
def test_times_are_as_recorded(tmp_path, kind):
    times_ms = [1000, 1033, 1071, 1500, 1501, 3400]
    player = Player(write(tmp_path, [seen((i, 0), at_ms=t) for i, t in enumerate(times_ms)], kind))
    np.testing.assert_allclose(player.times, (np.array(times_ms) - 1000) / 1e3, atol=1e-6)
    accessor = player.gltf.accessors[player.gltf.animations[0].samplers[0].input]
    assert (accessor.min, accessor.max) == ([player.times[0]], [player.times[-1]])


def with_cameras(clip, *, moving):
    """The clip as a camera saw it; a moving one sinks, turns and rolls while it is estimated."""
    steps = range(len(clip)) if moving else [0] * len(clip)
    return [
        replace(result, camera=make_camera(pitch_deg=8 + i / 5, roll_deg=-i / 8, width=1280, height=720))
        for result, i in zip(clip, steps, strict=True)
    ]


def pixels(player, key, names):
    """Pixels of nodes in a 1280 x 720 image of the file's camera, by glTF's perspective projection."""
    (lens,) = [camera.perspective for camera in player.gltf.cameras]
    worlds = player.worlds(key)
    x, y, z, _ = np.linalg.inv(worlds["camera"]) @ np.array([[*worlds[name][:3, 3], 1.0] for name in names]).T
    upright = 1.0 / np.tan(lens.yfov / 2)
    return np.stack(((1 - upright / lens.aspectRatio * x / z) * 640, (1 + upright * y / z) * 360), axis=-1)


@pytest.mark.parametrize("moving", [False, True])
def test_the_files_camera_sees_the_joints_at_the_pixels_of_the_takes_camera(tmp_path, moving):
    clip = with_cameras(make_clip(20, seed=2), moving=moving)
    player = Player(write(tmp_path, clip))
    got = np.array([pixels(player, key, HUMANOID.joints) for key in range(20)])
    wanted = np.array([r.camera.project(joints) for r, joints in zip(clip, truth(clip), strict=True)])
    assert np.abs(got - wanted).max() < 0.1
    node = [node.name for node in player.gltf.nodes].index("camera")
    assert [path for index, path in player.channels if index == node] == ["translation", "rotation"] * moving
    (tmp_path / "vrma").mkdir()
    assert not Player(write(tmp_path / "vrma", clip, "vrma")).gltf.cameras  # for avatars: no scene of its own


def test_a_users_character_of_another_size_that_faces_away_is_seen_over_the_person(tmp_path):
    rig = make_rig(tmp_path / "mine.glb", bone_m=HUMANOID.rest_bone_m * 0.6, facing=(0.0, 1.0, 0.0, 0.0), turn_seed=3)
    clip = with_cameras(make_clip(10, seed=2), moving=True)
    player = Player(write(tmp_path, clip, take=TakeInfo(character=rig)))
    for key, result in enumerate(clip):
        middle = pixels(player, key, ["leftUpperLeg", "rightUpperLeg"]).mean(axis=0)
        assert middle == pytest.approx(result.camera.project(result.people[0].pose.root_m), abs=3)


def test_a_take_without_a_camera_gives_a_file_without_one(tmp_path):
    assert not Player(write(tmp_path, make_clip(3))).gltf.cameras


def test_only_the_hips_travel_and_nothing_is_scaled(tmp_path):
    for kind in ("glb", "vrma"):
        player = Player(write(tmp_path, make_clip(3), kind))
        hips = [node.name for node in player.gltf.nodes].index("hips")
        assert [key for key in player.channels if key[1] != "rotation"] == [(hips, "translation")]
        assert len(player.channels) == 1 + len(HUMANOID.joints)


def test_quaternions_are_unit_and_never_flip(tmp_path):
    """Even if the input's quaternions flip, and across chunks."""
    clip = make_clip(30, seed=4)
    flipped = []
    for i, result in enumerate(clip):
        pose = result.people[0].pose
        signs = np.where(np.random.default_rng(i).random((17, 1)) < 0.5, -1, 1).astype(np.float32)
        turned = type(pose.rotations)(HUMANOID, pose.rotations.local_xyzw * signs)
        pose = type(pose)(turned, pose.root_m, pose.bone_m, pose.score, 0, pose.time_ns)
        flipped.append(make_result([make_person(0, pose=pose)], time_ns=result.frame.time_ns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_spool, "_CHUNK", 7)
        player = Player(write(tmp_path, flipped))
    for (_, path), values in player.channels.items():
        if path == "rotation":
            assert np.abs(np.linalg.norm(values, axis=1) - 1).max() < 1e-6
            assert (values[1:] * values[:-1]).sum(axis=1).min() > 0.9
    got = np.array([joints_of(player, key) for key in range(30)])
    assert np.linalg.norm(got - truth(clip), axis=-1).max() < 1e-4


def test_a_person_who_is_away_holds_their_pose(tmp_path):
    frames = [seen(at_ms=0), seen(at_ms=100), seen((1, 0), at_ms=200), seen((2, 0), at_ms=300), seen(at_ms=400),
              seen(at_ms=500), seen((3, 0), at_ms=600), seen(at_ms=700)]  # fmt: skip
    player = Player(write(tmp_path, frames))
    np.testing.assert_allclose(player.times, [0, 0.2, 0.3, 0.5, 0.6, 0.7], atol=1e-6)
    seeds = [1, 1, 2, 2, 3, 3]
    # no bone lengths stayed for two frames, so the latest are used
    want = np.array([_with_bones(make_pose(seed), make_pose(3).bone_m) for seed in seeds])
    got = np.array([joints_of(player, key) for key in range(6)])
    assert np.linalg.norm(got - want, axis=-1).max() < 1e-4


def _with_bones(pose, bone_m):
    return forward_kinematics(type(pose)(pose.rotations, pose.root_m, bone_m, pose.score, 0, 0))


def test_each_person_has_a_file_and_no_people_give_none(tmp_path):
    frames = [seen((1, 7), (2, 3), at_ms=0), seen((3, 3), (4, 12), at_ms=100)]
    write(tmp_path, frames)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["motion.glb", "motion_12.glb", "motion_3.glb"]
    got = joints_of(Player(tmp_path / "motion_3.glb"), 0)
    assert np.linalg.norm(got - _with_bones(make_pose(2), make_pose(3).bone_m), axis=-1).max() < 1e-4
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", [seen(at_ms=0)])
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_skin_goes_with_the_joints(tmp_path):
    """A person of other proportions: every vertex stays with its joints, and the bounding box is right."""
    path = write(tmp_path, make_clip(2, seed=8))
    new, old = GLTF2().load(path), GLTF2().load(default_character_path())
    arrays = []
    for gltf in (new, old):
        attributes = gltf.meshes[0].primitives[0].attributes
        entry = gltf.accessors[attributes.POSITION]
        view = gltf.bufferViews[entry.bufferView]
        points = np.frombuffer(gltf.binary_blob(), "<f4", entry.count * 3, view.byteOffset).reshape(-1, 3)
        assert np.allclose(points.min(0), entry.min)
        assert np.allclose(points.max(0), entry.max)
        arrays.append(points)
    player = Player(path)
    binds = player.array(new.skins[0].inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
    rest = player.worlds(None)
    for node, bind in zip(new.skins[0].joints, binds, strict=True):
        np.testing.assert_allclose(rest[new.nodes[node].name] @ bind, np.eye(4), atol=1e-5)  # rest = bind pose
    crown = arrays[0][np.argmax(arrays[1][:, 1])] - rest["head"][:3, 3]
    assert 0.1 < crown[1] < 0.25
    assert rest["leftFoot"][1, 3] == pytest.approx(
        -arrays[0][:, 1].min() + rest["leftFoot"][1, 3], abs=0.02
    )  # soles at 0


def test_the_users_file_keeps_everything_else(tmp_path):
    def more(document):
        document["extras"] = {"mine": [1, 2]}
        document["asset"]["copyright"] = "me"
        document["animations"] = [{"samplers": [], "channels": []}]
        document["materials"] = [{"name": "skin", "extensions": {"ACME_glow": {}}}]

    rig = make_rig(tmp_path / "mine.glb", change=more, turn_seed=1)
    before = rig.read_bytes()
    path = write(tmp_path, make_clip(3), take=TakeInfo(character=rig))
    assert rig.read_bytes() == before
    ours, theirs = _document(path), _document(rig)
    for key in ("extras", "materials", "nodes", "meshes", "skins", "scenes"):
        assert ours[key] == theirs[key]
    assert ours["asset"]["copyright"] == "me"
    assert len(ours["animations"]) == 1
    assert ours["accessors"][: len(theirs["accessors"])] == theirs["accessors"]
    end = theirs["buffers"][0]["byteLength"]
    assert GLTF2().load(path).binary_blob()[:end] == GLTF2().load(rig).binary_blob()[:end]


def _document(path):
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])


def test_a_character_that_cannot_be_used_is_refused_before_the_first_frame(tmp_path):
    rig = make_rig(tmp_path / "mine.glb", change=lambda document: document.pop("skins"))
    with pytest.raises(CharacterError, match="has no skin"):
        open_exporters(["glb"], tmp_path, TakeInfo(character=rig))


@pytest.mark.parametrize("room", [0, 100, 500_000])
def test_a_full_disk_leaves_the_older_file_and_no_other(tmp_path, monkeypatch, room):
    path = write(tmp_path, make_clip(3))
    before = path.read_bytes()
    recorder = GlbRecorder(path)
    for result in make_clip(30):
        recorder.send(result)
    opened = type(path).open
    monkeypatch.setattr(
        type(path),
        "open",
        lambda p, mode="r", *a: FullDisk(opened(p, mode, *a), room) if mode == "wb" else opened(p, mode, *a),
    )
    with pytest.raises(RecordingError, match="No space left on device; free some space"):
        recorder.close()
    recorder.close()
    assert [p.name for p in tmp_path.iterdir()] == ["motion.glb"]
    assert path.read_bytes() == before


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(RecordingError, match="cannot write into"):
        GlbRecorder(tmp_path / "none" / "motion.glb")


def test_feet_that_stand_stay_on_a_users_character_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(pose_spool, "_CHUNK", 16)
    actor = actor_truth()
    bone_m = HUMANOID.rest_bone_m * np.random.default_rng(2).uniform(0.5, 0.9, 17)
    recorder = GlbRecorder(tmp_path / "out.glb", make_rig(tmp_path / "rig.glb", bone_m=bone_m))
    rows = range(60, 140)
    for i in rows:
        rotations = JointRotations(HUMANOID, actor.local_xyzw[i])
        ones, time_ns = np.ones(17, np.float32), round(i / actor.fps * 1e9)
        pose = SkeletonPose(rotations, actor.root_m[i], actor.bone_m, ones, 1, time_ns, actor.foot_contact[i])
        recorder.send(make_result([make_person(1, pose=pose)], index=i, time_ns=time_ns))
    recorder.close()
    player = Player(tmp_path / "out.glb")
    places = [player.places(key) for key in range(len(player.times))]
    for side, name in enumerate(("leftFoot", "rightFoot")):
        ankle = np.array([place[name] for place in places])
        speed_m_s = np.linalg.norm(np.diff(ankle[:, [0, 2]], axis=0), axis=1) * actor.fps
        stands = actor.foot_contact[rows, side]
        assert stands.any()
        assert speed_m_s[stands[1:] & stands[:-1]].max() < 0.002
