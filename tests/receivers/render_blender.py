"""Renders the image in receivers/blender/README.md from live packets (a PNG); send packets meanwhile:

blender -b --factory-startup -P render_blender.py -- RECEIVER_FOLDER MODEL.glb PORT POSES PICTURE.png
"""

import math
import sys
import time

import bpy
import numpy as np

folder, model, port, poses, picture = sys.argv[-5:]
sys.path.insert(0, folder)
import realtime_pose_receiver as add_on  # noqa: E402

np.bool = bool  # Blender 3.4's glTF importer uses a name that numpy 1.24 has removed
for thing in list(bpy.data.objects):
    bpy.data.objects.remove(thing)
bpy.ops.import_scene.gltf(filepath=model)
armature = next(thing for thing in bpy.data.objects if thing.type == "ARMATURE")
receiver = add_on.Receiver(add_on.Rig(armature), int(port))
print(f"{armature.name} listens on 127.0.0.1:{port}", flush=True)
taken, shown_s = 0, time.monotonic()
while taken < int(poses):
    pose = receiver.step()
    taken += pose is not None
    if pose is not None and time.monotonic() - shown_s > 1:
        bpy.context.view_layer.update()
        x, y, z = armature.pose.bones["rightHand"].head
        print(f"{taken} poses, seq {pose['seq']}, rightHand at ({x:.3f}, {y:.3f}, {z:.3f})", flush=True)
        shown_s = time.monotonic()
    time.sleep(0.002)
receiver.socket.close()

bpy.ops.mesh.primitive_plane_add(size=8)
bpy.ops.object.light_add(type="SUN", rotation=(0.8, 0.1, 0.5))
bpy.context.object.data.energy = 3
bpy.ops.object.camera_add(location=(0.9, -3.6, 1.3), rotation=(math.radians(84), 0, math.radians(14)))
scene = bpy.context.scene
scene.camera = bpy.context.object
scene.camera.data.lens = 36
scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.35, 0.4, 0.5, 1)
scene.render.engine = "CYCLES"
scene.cycles.samples, scene.cycles.use_denoising = 64, False  # Debian builds Blender without the denoiser
scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = 540, 480, 100
scene.render.filepath = picture
bpy.ops.render.render(write_still=True)
