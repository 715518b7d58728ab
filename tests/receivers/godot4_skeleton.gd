# The part of Godot 4's Skeleton3D that the receiver uses, on top of Godot 3's Skeleton. In Godot 4 a bone pose is absolute
# in the parent's space, in Godot 3 it is relative to the rest pose.
extends Skeleton

func get_bone_global_rest(b):
	var parent = get_bone_parent(b)
	return get_bone_rest(b) if parent < 0 else get_bone_global_rest(parent) * get_bone_rest(b)

func set_bone_pose_rotation(b, q):
	set_pose(b, Transform(Basis(q), (get_bone_rest(b) * get_bone_pose(b)).origin))

func set_bone_pose_position(b, origin):
	set_pose(b, Transform((get_bone_rest(b) * get_bone_pose(b)).basis, origin))

func set_pose(b, local):
	set_bone_pose(b, get_bone_rest(b).affine_inverse() * local)

func reset_bone_poses():
	for b in get_bone_count():
		set_bone_pose(b, Transform.IDENTITY)
