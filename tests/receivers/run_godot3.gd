# Runs the cases through receivers/godot3: godot3-server --path FOLDER -s FILE RECEIVER_FOLDER CASES ANSWERS
# (and through receivers/godot4, translated to Godot 3 by receiver_runs.py)
extends SceneTree

var Receiver
var Skeleton4
var done = false

func _init():
	Skeleton4 = load(get_script().resource_path.get_base_dir() + "/godot4_skeleton.gd")
	var args = Array(OS.get_cmdline_args())
	args = args.slice(args.size() - 3, args.size() - 1)
	Receiver = load(args[0] + "/pose_receiver.gd")
	var file = File.new()
	file.open(args[1], File.READ)
	var cases = JSON.parse(file.get_as_text()).result
	file.close()
	var answers = {"decoded": [], "placed": [], "followed": []}
	for datagram in cases.datagrams:
		var pose = Receiver.decode(bytes(datagram))
		if pose != null:
			pose.erase("meta") # may have values that JSON.print cannot write
		answers.decoded.append(pose)
	for rig in cases.rigs:
		answers.placed.append(place(rig))
	for stream in cases.followed:
		answers.followed.append(follow(stream))
	file.open(args[2], File.WRITE)
	file.store_string(JSON.print(answers))
	file.close()
	done = true
	quit()

func _idle(_delta): # the engine keeps running if a script fails
	quit(0 if done else 1)

func bytes(hex):
	var out = PoolByteArray()
	for i in range(0, hex.length(), 2):
		out.append(("0x" + hex.substr(i, 2)).hex_to_int())
	return out

func place(rig):
	var skeleton = Skeleton4.new()
	for bone in rig.bones:
		skeleton.add_bone(bone.name)
	for b in rig.bones.size():
		var p = rig.bones[b].position
		var q = rig.bones[b].rotation
		skeleton.set_bone_parent(b, rig.bones[b].parent)
		skeleton.set_bone_rest(b, Transform(Basis(Quat(q[0], q[1], q[2], q[3])), Vector3(p[0], p[1], p[2])))
	get_root().add_child(skeleton)
	var receiver = Receiver.new()
	receiver.bone_names = rig.names
	if receiver.follow_with(skeleton):
		return null
	var answers = []
	for datagram in rig.poses:
		receiver.apply(Receiver.decode(bytes(datagram)))
		var placed = []
		for b in rig.bones.size():
			var t = skeleton.get_bone_global_pose(b)
			var q = t.basis.get_rotation_quat()
			placed.append([t.origin.x, t.origin.y, t.origin.z, q.x, q.y, q.z, q.w])
		answers.append(placed)
	receiver.go_to_rest()
	for b in rig.bones.size():
		if skeleton.get_bone_pose(b) != Transform.IDENTITY:
			return null
	receiver.free()
	skeleton.free()
	return answers

func follow(stream):
	var receiver = Receiver.new()
	if stream.person != null:
		receiver.person = int(stream.person)
	var answers = []
	for event in stream.events:
		var pose = Receiver.decode(bytes(event.datagram))
		var taken = pose != null and receiver.take(pose, event.now_s)
		answers.append([taken, receiver.is_lost(event.now_s)])
	receiver.free()
	return answers
