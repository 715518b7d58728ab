"""Runs inside of Blender: `blender -b -P blender_joints.py -- RATE FRAMES FILE...` opens each .glb, .fbx or .bvh, and
prints "JOINTS" and JSON [{bone: [[x, y, z] at each of the FRAMES]}], canonical axes, metres.
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
    elif file.endswith(".bvh"):
        import io_anim_bvh.import_bvh

        # likewise: its reader asks for a mode that Python 3.11 has no more
        io_anim_bvh.import_bvh.open = lambda path, _mode: open(path)  # noqa: SIM115 - its reader closes it
        bpy.ops.import_anim.bvh(filepath=file, global_scale=0.01)  # centimetres
    else:
        bpy.ops.import_scene.gltf(filepath=file)
    (rig,) = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    skins = [item for item in bpy.data.objects if any(m.type == "ARMATURE" for m in item.modifiers)]
    first = 1 if file.endswith(".bvh") else 0  # the scene's frame that shows the file's first one
    bones = {bone.name: [] for bone in rig.pose.bones}
    for frame in map(int, frames.split(",")):
        bpy.context.scene.frame_set(first + frame)
        for bone in rig.pose.bones:
            x, y, z = (rig.matrix_world @ bone.matrix).translation
            bones[bone.name].append([x, z, -y])
    last = max(action.frame_range[1] for action in bpy.data.actions) - first
    found.append({"bones": bones, "groups": sum(len(skin.vertex_groups) for skin in skins), "last": last})
print("JOINTS", json.dumps(found))
