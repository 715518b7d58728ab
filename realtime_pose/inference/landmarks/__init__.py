"""Landmark models with a tracker of their own: a frame in, one person's keypoints out."""
