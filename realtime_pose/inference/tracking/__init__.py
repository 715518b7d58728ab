"""Identity tracking: boxes and keypoints per frame in, boxes with track ids out."""
