"""Frame sources: a camera, video, folder of images or URL goes in, and numbered, timestamped Frames come out."""
