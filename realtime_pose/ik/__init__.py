"""Inverse kinematics: `Joints3D` in, a `SkeletonPose` of local joint rotations inside human limits out."""
