# A receiver of realtime_pose for Godot 4 in one file: copy it, attach it to a Node, set `skeleton` to a Skeleton3D.
# Packets hold local rotations; the rig may have any rest rotations, heading and size. Axes are Godot's own.
extends Node

signal moved(pose) # emitted after this pose was applied

@export var port := 5005
@export var skeleton: NodePath
@export var person := -1 # follow this person only; -1: the first person to appear
@export var rest_when_lost := false # return to the rest pose after a second without poses
@export var bone_names := {} # {joint: bone} for bones with names other than "leftHand" or "LeftHand"

const JOINTS = ["hips", "spine", "chest", "neck", "head", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm",
	"rightLowerArm", "rightHand", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg", "rightFoot"]
const PARENTS = [-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15]
const LIMBS = [[5, 6, 7, Vector3.RIGHT], [8, 9, 10, Vector3.LEFT], [11, 12, 13, Vector3.DOWN], [14, 15, 16, Vector3.DOWN]]
const OPTIONAL = ["chest", "neck"] # a rig may lack these; the bone above then drives the bones below
const HIPS_OVER_LEG = 0.90 / 0.83 # hip height of a standing person over thigh + shank
const TIMEOUT_S = 1.0
const MOST = 9007199254740991.0 # 2^53 - 1

var _udp = PacketPeerUDP.new()
var _rig = null


func _ready():
	if skeleton:
		follow_with(get_node(skeleton))
	if _udp.bind(port, "127.0.0.1") != OK:
		push_error("port %d is in use: close the other receiver, or choose another port" % port)


func _process(_delta):
	var now_s = Time.get_ticks_msec() / 1000.0
	var newest = null
	while _udp.get_available_packet_count() > 0:
		var pose = decode(_udp.get_packet())
		if pose != null and take(pose, now_s):
			newest = pose
	if newest != null and _rig != null:
		apply(newest)
		moved.emit(newest)
	elif rest_when_lost and is_lost(now_s) and _rig != null:
		go_to_rest()


# ---- packets ---------------------------------------------------------------------------------------------------------

# The pose packet as a Dictionary; null if it is invalid, or of another version or type.
static func decode(datagram):
	var text = datagram.get_string_from_utf8()
	if datagram.size() > 1472 or not text.begins_with("{") or text.to_utf8_buffer() != datagram:
		return null
	var json = JSON.new()
	if json.parse("[" + text + ",1]") != OK or json.data.size() != 2 or typeof(json.data[0]) != TYPE_DICTIONARY:
		return null # in a list, as some versions of the parser ignore text after the end
	var p = json.data[0]
	if not (p.has_all(["joints_3d", "rotations", "root"]) and typeof(p.get("type")) == TYPE_STRING and p.type == "pose"
			and _is_int(p.get("version"), 1) and p.version == 1 and _is_int(p.get("stream"), 0)
			and _is_int(p.get("seq"), 0) and _is_int(p.get("person"), -1) and _is_number(p.get("timestamp"), 0)
			and typeof(p.get("meta")) == TYPE_DICTIONARY and _is_table(p.get("keypoints"), 17, 2)
			and _is_row(p.get("scores"), 17, 0, 1) and (p.joints_3d == null or _is_table(p.joints_3d, 17, 3))
			and (p.rotations == null or _is_table(p.rotations, 17, 4)) and (p.root == null or _is_row(p.root, 3))):
		return null
	for q in p.rotations if p.rotations != null else []:
		if abs(sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]) - 1) >= 0.01:
			return null
	return p

static func _is_number(value, least = -MOST, most = MOST):
	return typeof(value) in [TYPE_FLOAT, TYPE_INT] and value >= least and value <= most

static func _is_int(value, least):
	return _is_number(value, least) and value == floor(value)

static func _is_row(value, count, least = -MOST, most = MOST):
	if typeof(value) != TYPE_ARRAY or value.size() != count:
		return false
	for x in value:
		if not _is_number(x, least, most):
			return false
	return true

static func _is_table(value, rows, columns):
	if typeof(value) != TYPE_ARRAY or value.size() != rows:
		return false
	for row in value:
		if not _is_row(row, columns):
			return false
	return true


# ---- selection of packets --------------------------------------------------------------------------------------------

var _last = {} # [stream, person] -> seq
var _followed = null
var _heard_s = -INF

# Whether to use this pose: not late, and of the person followed. A new stream is followed at once.
func take(pose, now_s):
	if pose.joints_3d == null or pose.rotations == null or pose.root == null:
		return false # detected, but without a pose
	if person != -1 and pose.person != person:
		return false
	var key = "%d %d" % [pose.stream, pose.person]
	var new_stream = true
	for known in _last:
		new_stream = new_stream and not known.begins_with("%d " % pose.stream)
	if pose.seq <= _last.get(key, -1):
		return false
	if _last.size() > 64:
		_last.clear() # limits the memory
	_last[key] = pose.seq
	if key != _followed and not new_stream and not is_lost(now_s):
		return false
	_followed = key
	_heard_s = now_s
	return true

func is_lost(now_s):
	return now_s - _heard_s > TIMEOUT_S


# ---- the rig ---------------------------------------------------------------------------------------------------------
# A joint's rotation q is local and the identity in T-pose, so its world rotation is Q = Q(parent) q. A bone with world
# rotation R in T-pose then has the world rotation Q R. Its parent bone, with P in T-pose, follows the joint above it, so
# the local rotation is inverse(Q(above) P) Q R. If the rig does not rest in T-pose, A rotates its limbs there first.

# Measures the rig at rest. Returns the joints without a bone; if there are any, the rig is not driven.
func follow_with(target):
	var rest = [] # of each bone in the skeleton's space
	for b in target.get_bone_count():
		rest.append(target.get_bone_global_rest(b))
	var bones = []
	var place = []
	var missing = []
	for joint in JOINTS:
		var b = target.find_bone(bone_names.get(joint, joint))
		if b < 0:
			b = target.find_bone(joint[0].to_upper() + joint.substr(1)) # as SkeletonProfileHumanoid names them
		bones.append(b)
		place.append(rest[b].origin if b >= 0 else Vector3.ZERO)
		if b < 0 and not joint in OPTIONAL:
			missing.append(joint)
	if missing:
		push_error("the skeleton has no bone for %s: name them in bone_names" % ", ".join(missing))
		return missing
	var left = place[11] - place[14]
	var facing = Quaternion(Vector3.UP, atan2(-left.z, left.x)) # heading of the rig: VRM 0 faces -z
	var lay = []
	for _joint in JOINTS:
		lay.append(Quaternion.IDENTITY)
	for limb in LIMBS:
		lay[limb[0]] = _arc(place[limb[1]] - place[limb[0]], facing * limb[3])
		lay[limb[1]] = _arc(place[limb[2]] - place[limb[1]], facing * limb[3])
		if limb[3].y == 0:
			lay[limb[2]] = lay[limb[1]] # a hand turns with its arm; a foot stays level
	_rig = {"skeleton": target, "rest": rest, "bones": bones, "facing": facing, "lay": lay, "leg": _leg_length(place)}
	return missing

func apply(pose):
	var target = _rig.skeleton
	var turned = []
	var carried = {} # bone -> its rotation from the T-pose, in the skeleton's space
	for j in JOINTS.size():
		var n = pose.rotations[j]
		var q = _rig.facing * Quaternion(n[0], n[1], n[2], n[3]).normalized() * _rig.facing.inverse()
		turned.append(q if PARENTS[j] < 0 else turned[PARENTS[j]] * q)
		if _rig.bones[j] >= 0:
			carried[_rig.bones[j]] = turned[j] * _rig.lay[j]
	for b in carried:
		var parent = target.get_bone_parent(b)
		var above = parent
		while above >= 0 and not carried.has(above):
			above = target.get_bone_parent(above)
		var under = Quaternion.IDENTITY if parent < 0 else _rig.rest[parent].basis.get_rotation_quaternion()
		if above >= 0:
			under = carried[above] * under
		var local = under.inverse() * carried[b] * _rig.rest[b].basis.get_rotation_quaternion()
		target.set_bone_pose_rotation(b, local)
		if b == _rig.bones[0]:
			target.set_bone_pose_position(b, _hips(pose, parent))

# A standing person puts the hips at their rest position; movement is scaled by the length of the legs.
func _hips(pose, parent):
	var joints = []
	for n in pose.joints_3d:
		joints.append(Vector3(n[0], n[1], n[2]))
	var ratio = _rig.leg / max(_leg_length(joints), 0.01)
	var moved = Vector3(pose.root[0], pose.root[1], pose.root[2]) * ratio - Vector3(0, _rig.leg * HIPS_OVER_LEG, 0)
	var hips = _rig.rest[_rig.bones[0]].origin + _rig.facing * moved
	return hips if parent < 0 else _rig.rest[parent].affine_inverse() * hips

func go_to_rest():
	_rig.skeleton.reset_bone_poses()

static func _leg_length(place):
	return (place[11].distance_to(place[12]) + place[12].distance_to(place[13])
			+ place[14].distance_to(place[15]) + place[15].distance_to(place[16])) / 2

static func _arc(a, b):
	a = a.normalized()
	b = b.normalized()
	var axis = a.cross(b)
	return Quaternion(axis.x, axis.y, axis.z, 1 + a.dot(b)).normalized()
