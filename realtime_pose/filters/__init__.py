"""Filters from pose to pose: occlusion, smoothing, look-ahead, floor and foot locking."""
