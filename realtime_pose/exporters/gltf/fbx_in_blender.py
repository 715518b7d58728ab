"""Conversion script for Blender: `blender -b -P fbx_in_blender.py -- CHARACTER.glb OUT.fbx RATE`.

It imports nothing of this package, which Blender's Python does not have.
"""

import math
import sys
from typing import Any


def main() -> None:
    """Import the character, and export it with its animation, one keyframe per frame."""
    import bpy  # type: ignore[import-not-found]
    import numpy as np

    if not hasattr(np, "bool"):  # Blender 3.4 in Debian 12: its importer is older than its numpy
        setattr(np, "bool", bool)  # noqa: B010 - type checkers know another numpy
    source, target, rate = sys.argv[sys.argv.index("--") + 1 :]
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    scene = bpy.context.scene
    scene.render.fps = max(round(float(rate)), 1)
    scene.render.fps_base = scene.render.fps / float(rate)  # e.g. 29.97 is 30 / 1.001
    bpy.ops.import_scene.gltf(filepath=source)

    rigs = [item for item in bpy.data.objects if item.type == "ARMATURE"]
    skins = [
        m.id_data for item in bpy.data.objects for m in item.modifiers if m.type == "ARMATURE" and m.object in rigs
    ]
    for item in bpy.data.objects:
        item.select_set(item in rigs or item in skins)
    ends = [action.frame_range for action in bpy.data.actions]
    scene.frame_start = math.floor(min(start for start, _ in ends))
    scene.frame_end = math.ceil(max(end for _, end in ends) - 1e-3)  # rounding must not add a frame
    bpy.app.handlers.frame_change_post.append(_print_progress)
    bpy.ops.export_scene.fbx(
        filepath=target,
        use_selection=True,
        apply_scale_options="FBX_SCALE_ALL",  # engines then see a scale of 1
        add_leaf_bones=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        path_mode="COPY",
        embed_textures=True,
    )


def _print_progress(scene: Any, *_: object) -> None:  # noqa: ANN401 - Blender's
    done = (scene.frame_current - scene.frame_start) / max(scene.frame_end - scene.frame_start, 1)
    print(f"done {100 * done:.0f} %", flush=True)  # noqa: T201 - read by the parent process


if __name__ == "__main__":
    main()
