"""The actors' motion: scripts of steps and keys in; local rotations, hips and foot contacts out."""
