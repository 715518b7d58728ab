"""Synthetic lifting cases: a scene goes in, and a clip of simulated keypoints with its 3D truth comes out."""
