"""Keypoint sets beyond COCO-17 drive the same body; one without a human body gives keypoints and no pose."""

import numpy as np
import pytest
from support.people import make_person

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import PartPacket, PosePacket
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, PersonKeypoints
from realtime_pose.pipeline import assemble_pipeline
from realtime_pose.skeletons import (
    AIC14,
    AP10K17,
    COCO17,
    COCO17_FEET_HANDS,
    COCO25,
    COCO_WHOLEBODY133,
    MPII16,
    KeypointLayout,
)
from realtime_pose.utils.arrays import as_float32

HUMAN = [COCO17, COCO17_FEET_HANDS, COCO25, COCO_WHOLEBODY133, MPII16, AIC14]


def seen_in(layout: KeypointLayout) -> PersonKeypoints:
    """A person's points in `layout`, from a body that has 27 of them; the other points are at the nose."""
    person = make_person(3).keypoints
    row = {name: i for i, name in enumerate(person.layout.names)}
    for side in ("left", "right"):
        row |= {f"{side}_big_toe": row[f"{side}_toe"], f"{side}_small_toe": row[f"{side}_toe"]}
    rows = [row.get(name, 0) for name in layout.names]
    return PersonKeypoints(layout, person.xy_px[rows].copy(), person.score[rows].copy(), 1, 0)


class Sees:
    """An estimator that finds people itself: always the same one."""

    name, runtime, precision, device, finds_people = "fake", "none", "fp32", "cpu", True

    def __init__(self, layout):
        self.layout = layout

    def estimate(self, frame, boxes):
        return [seen_in(self.layout)]

    def close(self):
        pass


def step(layout):
    pipeline = assemble_pipeline(AppConfig(), Sees(layout))
    return pipeline.step(Frame(np.zeros((480, 640, 3), np.uint8), 0, 0, 0))


@pytest.mark.parametrize("layout", HUMAN, ids=lambda layout: layout.name)
def test_every_human_layout_gives_the_same_limbs(layout):
    (person,) = step(layout).people
    (usual,) = step(layout.lifts_as).people
    assert person.keypoints.layout is layout
    assert person.joints.layout is layout.lifts_as
    limbs = [name for name in COCO17.names if name in layout.index and "_e" not in name and name != "nose"]
    rows, wanted = person.joints.layout.rows(limbs), layout.lifts_as.rows(limbs)
    if layout.index.keys() >= set(COCO17.names):  # without a face the body is placed otherwise, without hands a little
        assert np.allclose(person.joints.xyz_m[rows], usual.joints.xyz_m[wanted], atol=0.08)
    assert (person.joints.score[rows] > 0).all()
    assert np.isfinite(person.pose.rotations.local_xyzw).all()


def test_an_animal_has_keypoints_and_no_pose():
    (animal,) = step(AP10K17).people
    assert animal.keypoints.layout is AP10K17
    assert animal.joints is None
    assert animal.pose is None
    packets = PacketStream(stream=1).packets_of(step(AP10K17))
    (pose,) = [packet for packet in packets if isinstance(packet, PosePacket)]
    assert pose.rotations is None
    assert pose.joints_3d is None


def test_the_tip_of_a_foot_lies_between_its_toes():
    xy = np.zeros((25, 2), np.float32)
    xy[COCO25.rows(["left_big_toe", "left_small_toe"])] = [[10, 20], [30, 40]]
    score = np.full(25, 0.9, np.float32)
    score[COCO25.index["left_small_toe"]] = 0.5
    feet = PersonKeypoints(COCO25, as_float32(xy), as_float32(score), 4, 7).in_layout(COCO17_FEET_HANDS)
    toe = COCO17_FEET_HANDS.index["left_toe"]
    assert np.allclose(feet.xy_px[toe], [20, 30])
    assert feet.score[toe] == pytest.approx(0.5)
    assert feet.score[COCO17_FEET_HANDS.index["left_thumb"]] == 0  # COCO-25 has no hands
    assert feet.score[COCO17_FEET_HANDS.index["left_heel"]] == pytest.approx(0.9)
    assert (feet.track_id, feet.time_ns) == (4, 7)


def test_the_own_layout_returns_the_same_keypoints():
    seen = seen_in(COCO17)
    assert seen.in_layout(COCO17) is seen


@pytest.mark.parametrize(
    ("layout", "parts"), [(COCO25, {"feet"}), (COCO_WHOLEBODY133, {"feet", "hands"}), (MPII16, set())]
)
def test_feet_and_hands_travel_where_the_layout_has_them(layout, parts):
    result: FrameResult = step(layout)
    packets = PacketStream(stream=1).packets_of(result)
    found = {packet.part: packet for packet in packets if isinstance(packet, PartPacket)}
    assert parts <= set(found)
    for part in parts:
        assert (found[part].scores > 0).all()
        assert found[part].joints_3d is not None
    if not parts:
        assert not found
