"""Runs inside of Blender: `blender -b -P blender_joints.py -- RATE FRAMES FILE...` opens each .glb or .fbx, and prints
"JOINTS" and JSON [{bone: [[x, y, z] at each of the FRAMES]}], canonical axes, metres.
"""

import json
import sys

import bpy
import numpy as np

if not hasattr(np, "bool"):  # Debian's Blender 3.4 beside a newer numpy
    np.bool = bool
rate, frames, *files = sys.argv[sys.argv.index("--") + 1 :]
found = []
for file in files:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = int(rate)
    if file.endswith(".fbx"):
        bpy.ops.import_scene.fbx(filepath=file, anim_offset=0.0)
    else:
        bpy.ops.import_scene.gltf(filepath=file)
    (rig,) = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    (skin,) = [item for item in bpy.data.objects if any(m.type == "ARMATURE" for m in item.modifiers)]
    bones = {bone.name: [] for bone in rig.pose.bones}
    for frame in map(int, frames.split(",")):
        bpy.context.scene.frame_set(frame)
        for bone in rig.pose.bones:
            x, y, z = (rig.matrix_world @ bone.matrix).translation
            bones[bone.name].append([x, z, -y])
    found.append(
        {"bones": bones, "groups": len(skin.vertex_groups), "last": max(a.frame_range[1] for a in bpy.data.actions)}
    )
print("JOINTS", json.dumps(found))
