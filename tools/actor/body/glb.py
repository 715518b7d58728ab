"""GLB of the first actor: HUMANOID's joints as unrotated nodes, a skinned mesh with vertex colours.

Source: Khronos, "glTF 2.0 Specification", sections 3.7.3 (skins), 4 (GLB).
"""

import json
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Float64
from tools.actor.body.measures import FIRST
from tools.actor.body.mesh import Mesh
from tools.actor.body.weights import MAX_JOINTS, joint_weights

_FLOAT, _UBYTE, _USHORT = 5126, 5121, 5123
_VERTICES, _INDICES = 34962, 34963  # buffer view targets


def glb_bytes(body: Mesh) -> bytes:
    """The file's bytes; the same body always gives the same bytes."""
    binary, views, accessors = bytearray(), [], []

    def add(values: npt.NDArray[Any], kind: str, component: int, target: int | None, **more: object) -> int:
        """Append an array; returns the index of its accessor."""
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(binary), "byteLength": values.nbytes}
        if target:
            view["target"] = target
        views.append(view)
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": component, "count": len(values), "type": kind, **more}
        )
        binary.extend(values.tobytes())
        binary.extend(b"\0" * (-len(binary) % 4))
        return len(accessors) - 1

    points = body.points_m.astype("<f4")
    joints, weights = _largest_four(joint_weights(body.points_m))
    box = {"min": points.min(axis=0).tolist(), "max": points.max(axis=0).tolist()}
    attributes = {
        "POSITION": add(points, "VEC3", _FLOAT, _VERTICES, **box),
        "NORMAL": add(_unit32(body.normals), "VEC3", _FLOAT, _VERTICES),
        "COLOR_0": add(_linear_rgba(body.rgb), "VEC4", _UBYTE, _VERTICES, normalized=True),
        "JOINTS_0": add(joints, "VEC4", _UBYTE, _VERTICES),
        "WEIGHTS_0": add(weights, "VEC4", _FLOAT, _VERTICES),
    }
    indices = add(body.faces.astype("<u2").reshape(-1), "SCALAR", _USHORT, _INDICES)
    binds = add(_inverse_binds(), "MAT4", _FLOAT, None)
    count = len(HUMANOID.joints)
    document = {
        "asset": {"version": "2.0", "generator": "realtime-pose actor", "copyright": "realtime-pose, Apache-2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, count]}],
        "nodes": [*_nodes(), {"name": "body", "mesh": 0, "skin": 0}],
        "meshes": [
            {"name": "body", "primitives": [{"attributes": attributes, "indices": indices, "material": 0}]},
        ],
        "skins": [{"name": "humanoid", "inverseBindMatrices": binds, "joints": list(range(count)), "skeleton": 0}],
        "materials": [{"name": "body", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.85}}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary)
    header = struct.pack("<4sII", b"glTF", 2, total)
    chunks = (struct.pack("<I4s", len(text), b"JSON"), text, struct.pack("<I4s", len(binary), b"BIN\0"), bytes(binary))
    return header + b"".join(chunks)


def _nodes() -> list[dict[str, Any]]:
    """One node per joint in HUMANOID's order; translations are offsets from the parent, without rotations."""
    offsets = HUMANOID.rest_direction * FIRST.bone_m[:, None]
    offsets[0] = FIRST.rest_joints_m[0]
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(HUMANOID.joints):
        children = [child for child, parent in enumerate(HUMANOID.parents) if parent == joint]
        node: dict[str, Any] = {"name": name, "translation": [float(v) for v in offsets[joint].astype(np.float32)]}
        nodes.append(node | {"children": children} if children else node)
    return nodes


def _inverse_binds() -> npt.NDArray[np.float32]:
    """(J, 16) column-major: translations by the negative rest positions."""
    out = np.tile(np.eye(4), (len(HUMANOID.joints), 1, 1))
    out[:, 3, :3] = -FIRST.rest_joints_m
    return out.reshape(-1, 16).astype("<f4")


def _largest_four(weights: Float64) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Joints and weights (V, 4), largest first; joints without weight are 0."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :MAX_JOINTS]
    kept = np.take_along_axis(weights, joints, axis=1).astype("<f4")
    return np.where(kept > 0, joints, 0).astype(np.uint8), kept / kept.sum(axis=1, keepdims=True)


def _unit32(vectors: Float64) -> npt.NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f4")


def _linear_rgba(srgb: Float64) -> npt.NDArray[np.uint8]:
    """Linear RGBA, as glTF requires. Source: IEC 61966-2-1."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    rgba = np.concatenate((linear, np.ones((len(srgb), 1))), axis=1)
    return np.round(np.clip(rgba, 0.0, 1.0) * 255).astype(np.uint8)
