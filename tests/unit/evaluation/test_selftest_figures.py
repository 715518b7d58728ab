"""Figures of the self-test: zero errors for the truth itself, and known errors for known faults."""

from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import actor_truth

from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.evaluation.selftest_figures import evaluate_packets
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils import rotations as rot

FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]
BODY = COCO17_FEET_HANDS.rows(COCO17.names)


@pytest.fixture(scope="module")
def truth():
    return actor_truth()


def packets_of(truth, joints_m=None, local_xyzw=None, rows=None):
    joints = truth.joints_m if joints_m is None else joints_m
    local = truth.local_xyzw if local_xyzw is None else local_xyzw
    return [
        PosePacket(
            1, int(i), 1, i / truth.fps, truth.keypoints_px[i][BODY].astype(np.float64), np.full(17, 0.9),
            np.array(joints[i], dtype=np.float64), np.array(local[i], dtype=np.float64),
            np.array(joints[i, 0], dtype=np.float64),
        )
        for i in (range(len(joints)) if rows is None else rows)
    ]  # fmt: skip


def test_the_truth_itself_has_no_errors(truth):
    found = evaluate_packets(packets_of(truth), truth, {})
    for name in (
        "keypoint_error_px", "mpjpe_mm", "pa_mpjpe_mm", "joint_angle_error_deg", "hand_angle_error_deg",
        "foot_angle_error_deg", "head_angle_error_deg", "root_path_error_cm", "foot_height_error_cm",
    ):  # fmt: skip
        assert found[name] == pytest.approx(0, abs=0.02), name
    assert found["bone_drift_percent"] < 0.01
    assert found["foot_slide_cm_s"] < 1
    assert found["walk_slide_cm_s"] < 1
    assert found["foot_sink_cm"] < 1
    assert found["jitter_ratio"] == pytest.approx(1)
    assert found["lag_ms"] == pytest.approx(0, abs=1)
    assert found["largest_jump_deg"] < 30
    assert np.isnan(found["contact_precision_percent"])  # no contacts were reported


@pytest.mark.parametrize("yaw_deg", [0.0, 50.0, -130.0])
def test_the_world_is_aligned_with_the_cameras_heading(truth, yaw_deg):
    """The same motion filmed from another side with a tilted camera."""
    yaw = rot.to_matrix(rot.from_axis_angle((0.0, 1.0, 0.0), np.radians(yaw_deg)))
    tilt = rot.to_matrix(rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(20.0)))
    camera = truth.camera_from_world.copy()
    camera[:3, :3] = tilt @ camera[:3, :3] @ yaw
    elsewhere = replace(truth, camera_from_world=camera)
    joints = rot.rotate(rot.from_matrix(yaw), truth.joints_m.astype(np.float64))
    local = truth.local_xyzw.astype(np.float64).copy()
    local[:, 0] = rot.multiply(rot.from_matrix(yaw), local[:, 0])
    found = evaluate_packets(packets_of(truth, joints, local), elsewhere, {})
    assert found["mpjpe_mm"] == pytest.approx(0, abs=0.05)
    assert found["joint_angle_error_deg"] == pytest.approx(0, abs=0.05)
    assert found["root_path_error_cm"] == pytest.approx(0, abs=0.01)


def test_a_floor_that_is_too_high_gives_foot_sink(truth):
    found = evaluate_packets(packets_of(truth, truth.joints_m - np.float32([0, 0.05, 0])), truth, {})
    assert found["foot_sink_cm"] == pytest.approx(5, abs=1)
    assert 3.5 < found["foot_sink_cm_p95"] <= found["foot_sink_cm"]
    assert found["foot_height_error_cm"] == pytest.approx(5, abs=0.01)
    assert found["mpjpe_mm"] == pytest.approx(0, abs=0.01)  # independent of the position
    assert found["root_path_error_cm"] == pytest.approx(0, abs=0.01)


def test_slide_during_walking_is_counted_separately(truth):
    joints = truth.joints_m.copy()
    walks = np.array([activity.startswith("walk") for activity in truth.activity])
    joints[:, :, 0] += np.cumsum(walks)[:, None].astype(np.float32) * 0.01  # 1 cm a frame, only while walking
    found = evaluate_packets(packets_of(truth, joints), truth, {})
    assert found["walk_slide_cm_s"] == pytest.approx(30, abs=2)
    assert found["foot_slide_cm_s"] < 15
    standing = replace(truth, activity=("stand",) * len(truth.activity))
    assert np.isnan(evaluate_packets(packets_of(truth), standing, {})["walk_slide_cm_s"])


def test_contacts_are_counted_per_foot(truth):
    reported = {i: (bool(left), bool(right)) for i, (left, right) in enumerate(truth.foot_contact)}
    found = evaluate_packets(packets_of(truth), truth, reported)
    assert (found["contact_precision_percent"], found["contact_recall_percent"]) == (100, 100)
    always = evaluate_packets(packets_of(truth), truth, dict.fromkeys(reported, (True, True)))
    assert always["contact_recall_percent"] == 100
    assert always["contact_precision_percent"] == pytest.approx(truth.foot_contact.mean() * 100)
    left = evaluate_packets(packets_of(truth), truth, {i: (both[0], False) for i, both in reported.items()})
    assert left["contact_precision_percent"] == 100
    assert left["contact_recall_percent"] == pytest.approx(
        truth.foot_contact[:, 0].sum() / truth.foot_contact.sum() * 100
    )


def test_a_jump_that_stays_on_the_ground_has_no_height(truth):
    jump = np.zeros(len(truth.joints_m), np.float32)
    jump[100:115] = 0.3
    higher = replace(truth, joints_m=truth.joints_m + jump[:, None, None] * np.float32([0, 1, 0]))
    assert np.isnan(evaluate_packets(packets_of(truth), truth, {})["jump_height_percent"])  # the actor never jumps
    stays = evaluate_packets(packets_of(truth), higher, {})
    jumps = evaluate_packets(packets_of(higher), higher, {})
    half = evaluate_packets(
        packets_of(truth, truth.joints_m + 0.5 * jump[:, None, None] * np.float32([0, 1, 0])), higher, {}
    )
    assert jumps["jump_height_percent"] == pytest.approx(100)
    assert stays["jump_height_percent"] < 20
    assert 40 < half["jump_height_percent"] < 65


def test_delayed_packets_lag(truth):
    late = np.concatenate((truth.joints_m[:1].repeat(3, axis=0), truth.joints_m[:-3]))
    assert evaluate_packets(packets_of(truth, late), truth, {})["lag_ms"] == pytest.approx(100, abs=5)


def test_lost_packets_do_not_shift_the_others(truth):
    rows = [i for i in range(200) if i % 5]
    found = evaluate_packets(packets_of(truth, rows=rows), truth, {})
    assert found["mpjpe_mm"] == pytest.approx(0, abs=0.01)
    assert found["keypoint_error_px"] == pytest.approx(0, abs=0.01)
