"""Runs inside of Blender: `blender -b -P blender_images.py -- FILE.fbx` prints "IMAGES" and JSON
{material: [image's file name, [r, g, b] of its first pixel, 0 to 255]}.
"""

import json
import sys
from pathlib import Path

import bpy

file = sys.argv[sys.argv.index("--") + 1]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.fbx(filepath=file)
found = {}
for material in bpy.data.materials:
    for node in material.node_tree.nodes:
        if node.type == "TEX_IMAGE":
            colour = [round(255 * value) for value in node.image.pixels[:3]]
            found[material.name] = [Path(node.image.filepath).name, colour]
print("IMAGES", json.dumps(found))
