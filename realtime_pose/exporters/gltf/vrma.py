"""motion.vrma: a take's motion for any VRM avatar.

A VRM Animation is a glTF without a mesh: HUMANOID's joints as nodes at rest in VRM's T-pose with identity rotations, an
animation of the hips' translation and of every joint's rotation, and an extension that maps bones to nodes. Players
scale the motion to the avatar's proportions by the height of the hips at rest.

Source: vrm-c/vrm-specification, VRMC_vrm_animation-1.0 (structure, only the hips translate, nothing is scaled) and
VRMC_vrm-1.0, humanoid (names, which bones are required) and tpose.
"""

from pathlib import Path
from typing import Any

from realtime_pose.exporters.gltf.animation import Keyframes, Model, Track, write_animated
from realtime_pose.exporters.gltf.glb import NAME, PerPersonRecorder
from realtime_pose.exporters.pose_spool import PoseSpool
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.model3d.retarget import ANKLE_PER_LEG
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Float64, as_float32

EXTENSION = "VRMC_vrm_animation"
_LEG = [HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]]


def open_vrma(path: Path, take: TakeInfo) -> PerPersonRecorder:
    """motion.vrma of a take."""
    return PerPersonRecorder(path, write_vrma, fps=take.fps)


def write_vrma(path: Path, spool: PoseSpool, track_id: int) -> None:
    """Write a person's motion.

    Raises:
        RecordingError: The disk is full or gone.
    """
    nodes = range(len(HUMANOID.joints))
    track = Track(NAME, nodes, [0], spool.count(track_id), spool.ends_s(track_id))
    chunks = (Keyframes(keys.time_s, keys.root_m[:, None], keys.local_xyzw) for keys in spool.keys(track_id))
    write_animated(path, Model(_document(spool.bone_m(track_id))), track, chunks)


def _document(bone_m: Float64) -> dict[str, Any]:
    """The person's joints in the T-pose, soles at y = 0."""
    offsets = HUMANOID.rest_direction * bone_m[:, None]
    offsets[0] = (0.0, float(bone_m[_LEG].sum()) * (1 + ANKLE_PER_LEG), 0.0)
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(HUMANOID.joints):
        node: dict[str, Any] = {"name": name, "translation": as_float32(offsets[joint] + 0.0).tolist()}
        children = [child for child, parent in enumerate(HUMANOID.parents) if parent == joint]
        nodes.append(node | {"children": children} if children else node)
    bones = {name: {"node": joint} for joint, name in enumerate(HUMANOID.joints)}
    return {
        "asset": {"version": "2.0"},
        "extensionsUsed": [EXTENSION],
        "extensions": {EXTENSION: {"specVersion": "1.0", "humanoid": {"humanBones": bones}}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": nodes,
    }
