"""Synthetic actors: measures, scripts and rooms in; video clips with exact 3D ground truth and a skinned model out.

`python -m tools.actor` makes them and needs the `actor` extra; `realtime_pose.model3d.actor_truth` reads the ground
truth.
"""
