"""Clip writer: frames to an H.264 file."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from realtime_pose.utils.arrays import UInt8


def write_clip(path: Path, images: Iterable[UInt8], fps: int, width: int, height: int) -> None:
    """Write RGB images (height, width, 3) as H.264, yuv420p, constant frame rate, with the index at the front."""
    import av

    # One thread, so that the same images always give the same file.
    options = {"crf": "17", "preset": "slow", "threads": "1"}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps)
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
