"""Conversion script for Blender: `blender -b -P fbx_in_blender.py -- CHARACTER.glb OUT.fbx RATE`.

With an empty CHARACTER.glb it only checks that this Blender can convert. It imports nothing of this package, which
Blender's Python does not have.
"""

import math
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Import the character, and export it with its animation, one keyframe per frame."""
    # whatever is missing here is the last line of Blender's output
    import numpy as np  # isort: skip
    import bpy  # type: ignore[import-not-found]
    import io_scene_gltf2  # type: ignore[import-not-found]  # noqa: F401
    from io_scene_fbx import export_fbx_bin  # type: ignore[import-not-found]

    source, target, rate = sys.argv[sys.argv.index("--") + 1 :]
    if not source:
        return
    if not hasattr(np, "bool"):  # Blender 3.4 in Debian 12: its importer is older than its numpy
        setattr(np, "bool", bool)  # noqa: B010 - type checkers know another numpy
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    scene = bpy.context.scene
    scene.render.fps = max(round(float(rate)), 1)
    scene.render.fps_base = scene.render.fps / float(rate)  # e.g. 29.97 is 30 / 1.001
    bpy.ops.import_scene.gltf(filepath=source)

    shapes = {
        bone.custom_shape for item in bpy.data.objects if item.type == "ARMATURE" for bone in item.pose.bones
    }  # the importer's own, which draw bones
    for item in bpy.data.objects:
        if item.name in bpy.context.view_layer.objects:
            item.select_set(item.type in {"ARMATURE", "MESH", "EMPTY"} and item not in shapes)
    _name_images(bpy.data.images, export_fbx_bin, Path(source).stem)
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


def _name_images(images: Any, exporter: Any, take: str) -> None:  # noqa: ANN401 - Blender's
    """Give each image a file name of its own, TAKE.fbm/IMAGE.png.

    The exporter knows images by their file names, and older ones give all packed images the same. It also writes where
    it would put them beside the temporary file that it writes; the names here are relative.
    """
    names: dict[str, str] = {}
    for image in images:
        start = bytes(image.packed_file.data[:4]) if image.packed_file else b""
        kind = ".png" if start == b"\x89PNG" else ".jpg" if start[:2] == b"\xff\xd8" else ".webp"
        stem = "".join(c if c.isalnum() or c in " -_" else "_" for c in image.name) or "image"
        taken = {name.lower() for name in names.values()}
        options = (f"{take}.fbm/{stem}{number}{kind}" for number in ("", *(f"_{i}" for i in range(2, 9999))))
        names[image.name] = next(option for option in options if option.lower() not in taken)
        image.filepath = f"//{names[image.name]}"
    exporter._gen_vid_path = lambda image, _: (names[image.name], names[image.name])


def _print_progress(scene: Any, *_: object) -> None:  # noqa: ANN401 - Blender's
    done = (scene.frame_current - scene.frame_start) / max(scene.frame_end - scene.frame_start, 1)
    print(f"done {100 * done:.0f} %", flush=True)  # noqa: T201 - read by the parent process


if __name__ == "__main__":
    main()
