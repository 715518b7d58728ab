"""One webcam in, joint rotations that drive a 3D character out, live."""

__version__ = "0.1.0"
