"""2D-to-3D lifting: `PersonKeypoints` and `CameraIntrinsics` in, `Joints3D` out."""
