"""markers.trc and angles.mot, read by another library, and by OpenSim itself if installed."""

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.axes import OPENSIM
from realtime_pose.body.joint_angles import ANGLES, BodyAngles
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID

trc = pytest.importorskip("trc", reason="the independent reader trc-data-reader is not installed")


def record(folder, results, fps=30.0):
    for sink in open_exporters(["trc", "mot"], folder, TakeInfo(fps)):
        for result in results:
            sink.send(result)
        sink.close()
    return folder


def read_trc(path):
    data = trc.TRCData()
    data.load(str(path))
    times = [data[n][0] for n in data["Frame#"]]
    return data, np.array(times), np.array([data[n][1] for n in data["Frame#"]])


def read_mot(path):
    lines = path.read_text().splitlines()
    end = lines.index("endheader")
    head = dict(line.split("=") for line in lines[1:end])
    rows = np.array([[float(v) for v in line.split("\t")] for line in lines[end + 2 :]])
    return head, lines[end + 1].split("\t"), rows


def with_a_gap(clip, gap):
    return [make_result(index=r.frame.index, time_ns=r.frame.time_ns) if i in gap else r for i, r in enumerate(clip)]


def test_markers_are_where_the_joints_were(tmp_path):
    clip = make_clip(30)
    data, times, places = read_trc(record(tmp_path, clip) / "markers.trc")
    assert (data["NumFrames"], data["NumMarkers"], data["Units"], data["DataRate"]) == (30, 17, "m", 30.0)
    assert data["Markers"] == list(HUMANOID.joints)
    assert times == pytest.approx(np.arange(30) / 30, abs=1e-6)
    wanted = [OPENSIM.positions(forward_kinematics(r.people[0].pose)) for r in clip]
    assert np.abs(places - wanted).max() < 1e-4


def test_frames_without_the_person_are_left_out(tmp_path):
    data, times, places = read_trc(record(tmp_path, with_a_gap(make_clip(20), range(8, 12))) / "markers.trc")
    seen = [i for i in range(20) if not 8 <= i < 12]
    assert data["NumFrames"] == len(seen)
    assert data["Frame#"] == [i + 1 for i in seen]
    assert times == pytest.approx(np.array(seen) / 30, abs=1e-6)
    assert np.isfinite(places).all()


def test_a_file_goes_from_the_persons_first_frame_to_their_last_at_the_takes_times(tmp_path):
    record(tmp_path, with_a_gap(make_clip(30), {*range(10), *range(20, 30)}))
    data, times, _ = read_trc(tmp_path / "markers.trc")
    assert (data["NumFrames"], times[0], times[-1]) == (10, pytest.approx(10 / 30, abs=1e-6), pytest.approx(19 / 30))
    head, _, rows = read_mot(tmp_path / "angles.mot")
    assert int(head["nRows"]) == len(rows) == 10
    assert rows[:, 0] == pytest.approx(times, abs=1e-6)


def test_irregular_times_become_even_ones(tmp_path):
    rng = np.random.default_rng(2)
    clip = make_clip(60)
    ns = np.cumsum(rng.integers(10_000_000, 60_000_000, 60))
    shifted = [make_result(r.people, index=i, time_ns=int(ns[i])) for i, r in enumerate(clip)]
    _, times, _ = read_trc(record(tmp_path, shifted, fps=25.0) / "markers.trc")
    assert np.allclose(np.diff(times), 1 / 25, atol=2e-6)
    assert len(times) == int((ns[-1] - ns[0]) * 25 / 1e9) + 1


def test_angles_have_the_models_names_and_the_values_of_the_poses(tmp_path):
    clip = make_clip(12)
    head, columns, rows = read_mot(record(tmp_path, clip) / "angles.mot")
    assert head["version"] == "1"
    assert head["inDegrees"] == "yes"
    assert int(head["nColumns"]) == len(columns) == rows.shape[1] == 28
    assert columns[:7] == [
        "time", "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    ]  # fmt: skip
    assert {"hip_flexion_r", "knee_angle_l", "ankle_angle_r", "lumbar_bending", "arm_rot_l"} <= set(columns)
    body = BodyAngles()
    for row, result in zip(rows, clip, strict=True):
        found, pose = dict(zip(columns, row, strict=True)), result.people[0].pose
        wanted = dict(zip(ANGLES, body.of(pose.rotations.local_xyzw.astype(float)), strict=True))
        assert found["knee_angle_r"] == pytest.approx(wanted["knee_angle_r"], abs=1e-3)
        assert found["arm_flex_l"] == pytest.approx(wanted["arm_flex_l"], abs=1e-3)
        root = OPENSIM.positions(pose.root_m)
        assert [found[f"pelvis_t{axis}"] for axis in "xyz"] == pytest.approx(root, abs=1e-4)


def test_each_person_has_files_of_their_own(tmp_path):
    both = [make_person(1, track_id=0), make_person(2, track_id=5)]
    record(tmp_path, [make_result(both, index=i, time_ns=i * 33_333_333) for i in range(3)])
    assert {p.name for p in tmp_path.iterdir()} == {"markers.trc", "markers_5.trc", "angles.mot", "angles_5.mot"}


def test_opensim_itself_reads_both(tmp_path):
    opensim = pytest.importorskip("opensim", reason="OpenSim is not installed")
    record(tmp_path, with_a_gap(make_clip(20), range(8, 12)))
    table = opensim.TimeSeriesTableVec3(str(tmp_path / "markers.trc"))
    assert (table.getNumRows(), table.getNumColumns()) == (16, 17)
    motion = opensim.Storage(str(tmp_path / "angles.mot"))
    assert (motion.getSize(), motion.isInDegrees()) == (20, True)


SCALING = """<?xml version="1.0"?>
<OpenSimDocument Version="40000"><ScaleTool name="s"><mass>75</mass>
<GenericModelMaker><model_file>model.osim</model_file></GenericModelMaker>
<ModelScaler><apply>true</apply><scaling_order>measurements</scaling_order>
<MeasurementSet><objects><Measurement name="shin"><apply>true</apply>
<MarkerPairSet><objects><MarkerPair><markers>leftLowerLeg leftFoot</markers></MarkerPair></objects></MarkerPairSet>
<BodyScaleSet><objects><BodyScale name="shin"><axes>X Y Z</axes></BodyScale></objects></BodyScaleSet>
</Measurement></objects></MeasurementSet>
<marker_file>markers.trc</marker_file><time_range>0 0.6</time_range><output_model_file>scaled.osim</output_model_file>
</ModelScaler>
<MarkerPlacer><apply>true</apply>
<IKTaskSet><objects>
<IKMarkerTask name="leftFoot"><apply>true</apply><weight>1</weight></IKMarkerTask>
</objects></IKTaskSet>
<marker_file>markers.trc</marker_file><time_range>0 0.6</time_range><output_model_file>placed.osim</output_model_file>
</MarkerPlacer></ScaleTool></OpenSimDocument>
"""


def test_opensims_scale_tool_measures_a_person_who_was_away(tmp_path, monkeypatch):
    opensim = pytest.importorskip("opensim", reason="OpenSim is not installed")
    clip = make_clip(20)
    record(tmp_path, with_a_gap(clip, range(8, 12)))
    model, body = opensim.Model(), opensim.Body("shin", 1.0, opensim.Vec3(0), opensim.Inertia(1))
    model.addBody(body)
    model.addJoint(opensim.FreeJoint("joint", model.getGround(), body))
    for name, y_m in (("leftLowerLeg", 0.0), ("leftFoot", -1.0)):
        model.addMarker(opensim.Marker(name, body, opensim.Vec3(0, y_m, 0)))
    model.finalizeConnections()
    monkeypatch.chdir(tmp_path)
    model.printToXML("model.osim")
    (tmp_path / "setup.xml").write_text(SCALING)
    assert opensim.ScaleTool("setup.xml").run()
    scaled = opensim.Model("scaled.osim")
    foot = scaled.getMarkerSet().get("leftFoot").get_location()
    shin_m = float(clip[0].people[0].pose.bone_m[HUMANOID.index["leftFoot"]])
    assert foot.get(1) == pytest.approx(-shin_m, abs=1e-4)
