"""Person detectors: a frame in, boxes of people out."""
