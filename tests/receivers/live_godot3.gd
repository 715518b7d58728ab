# Drives a rig from live packets with receivers/godot3, and compares each bone with the packet's positions:
# godot3-server --path FOLDER -s FILE RECEIVER_FOLDER RIG PORT. Prints one line a second, and a summary after the last packet.
extends SceneTree

var receiver
var skeleton = Skeleton.new()
var bones = []
var poses = 0
var worst_m = 0.0
var way_m = 0.0
var hand = null
var shown_s = 0.0

func _init():
	var args = Array(OS.get_cmdline_args())
	args = args.slice(args.size() - 3, args.size() - 1)
	var file = File.new()
	file.open(args[1], File.READ)
	var rig = JSON.parse(file.get_as_text()).result
	file.close()
	for bone in rig.bones:
		skeleton.add_bone(bone.name)
	for b in rig.bones.size():
		var p = rig.bones[b].position
		var q = rig.bones[b].rotation
		skeleton.set_bone_parent(b, rig.bones[b].parent)
		skeleton.set_bone_rest(b, Transform(Basis(Quat(q[0], q[1], q[2], q[3])), Vector3(p[0], p[1], p[2])))
	receiver = load(args[0] + "/pose_receiver.gd").new()
	receiver.port = int(args[2])
	receiver.bone_names = rig.names
	for joint in receiver.JOINTS:
		bones.append(skeleton.find_bone(rig.names[joint]))
	get_root().add_child(skeleton)
	receiver.skeleton = skeleton.get_path()
	receiver.connect("moved", self, "moved")
	get_root().add_child(receiver)
	print("listening on 127.0.0.1:", receiver.port)

func _idle(_delta):
	var now_s = OS.get_ticks_msec() / 1000.0
	if poses > 0 and receiver.is_lost(now_s):
		print("a second of silence after %d poses: worst joint %.1f mm from the packet's, left hand moved %.2f m in all"
				% [poses, worst_m * 1000, way_m])
		quit()
	elif poses > 0 and now_s - shown_s > 1:
		shown_s = now_s
		print("%d poses, left hand at (%.3f, %.3f, %.3f)" % [poses, hand.x, hand.y, hand.z])

func moved(pose):
	poses += 1
	for j in bones.size():
		var n = pose.joints_3d[j]
		var place = skeleton.get_bone_global_pose(bones[j]).origin
		worst_m = max(worst_m, place.distance_to(Vector3(n[0], n[1], n[2])))
	var now = skeleton.get_bone_global_pose(bones[7]).origin
	if hand != null:
		way_m += now.distance_to(hand)
	hand = now
