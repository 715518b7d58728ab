"""Sessions with right checksums and wrong contents, and everything that reads a session."""

import json
import struct
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
from fuzz.mutate import mutate_bytes, mutate_json
from support.people import make_camera, make_clip, make_person, make_result
from support.sessions import record_session

from realtime_pose.app.plot import plot_session
from realtime_pose.app.replay import recomputed_settings, recorded_settings
from realtime_pose.app.take import SESSION
from realtime_pose.errors import RealtimePoseError
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.interface.dashboard.engine.takes.playback import PlaybackPipeline, SessionSource
from realtime_pose.interface.dashboard.engine.takes.take_list import TakeList
from realtime_pose.session import format
from realtime_pose.session.images import find_images
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import mark_finished
from realtime_pose.two_passes import poses_of_clip

SETTINGS = {
    "wall_offset_ns": 1_700_000_000_000_000_000,
    "program": "realtime-pose 0",
    "model": {"name": "vitpose-s", "sha256": "0" * 64},
    "runtime": "torch float32",
    "source": "video.mp4",
    "fps": 30.0,
    "config": {
        "capture": {"source": "video.mp4", "rotate_deg": 0},
        "body": {"height_m": 1.8, "lifter": "geometric", "profile": "", "look_ahead": False},
        "inference": {"persons": 2, "score_threshold": 0.3},
        "output": {"record": "takes", "character": "", "formats": "bvh"},
    },
}
TEXT_FORMATS = ("bvh", "easy-vitpose", "coco", "csv", "trc", "mot", "glb", "vrma")
_MAX_FRAMES = 30


def make_session(path):
    """A right session: two people, one of whom leaves, and a camera that moves."""
    first, second = make_clip(8, seed=1), make_clip(8, seed=3, track_id=7)
    results = [
        make_result(
            [*a.people, *(b.people if row < 5 else ())],
            index=row,
            time_ns=a.frame.time_ns,
            camera=make_camera(pitch_deg=row // 4),
        )
        for row, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    results.append(make_result([make_person(2, with_pose=False, time_ns=10**9)], index=9, time_ns=10**9))
    record_session(path, results, SETTINGS)
    mark_finished(path, len(results))
    return path


def payloads(data):
    """The records of a session."""
    at, found = len(format.MAGIC) + 2, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at)[0]
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def wrong_session(right, rng):
    """The session's bytes with one or two records changed, and right checksums."""
    records = payloads(right)
    for _ in range(rng.integers(1, 3)):
        # the few JSON records have more to say than the many frames
        json_rows = [row for row, payload in enumerate(records) if payload[:1] in (b"H", b"L", b"S", b"C")]
        row = int(rng.choice(json_rows) if json_rows and rng.integers(3) else rng.integers(len(records)))
        kind, body = records[row][:1], records[row][1:]
        match rng.integers(10):
            case 0:
                records.insert(int(rng.integers(len(records) + 1)), records[row])
            case 1:
                del records[row]
            case 2:
                records[row] = bytes([rng.integers(256)]) + body
            case 3:
                records[row] = mutate_bytes(records[row], rng)
            case _ if kind in (b"H", b"L", b"S", b"C"):
                with suppress(ValueError, RecursionError):
                    records[row] = kind + json.dumps(mutate_json(json.loads(body), rng, rng.integers(1, 3))).encode()
            case _ if kind == b"F":
                records[row] = kind + _wrong_frame(body, rng)
        if not records:
            break
    return right[: len(format.MAGIC) + 2] + b"".join(map(format.record, records))


def _wrong_frame(body, rng):
    """A frame with a number changed: in its head, or any float of a person."""
    body = bytearray(body)
    at = int(rng.integers(34)) if rng.integers(2) else int(rng.integers(len(body)))
    if at >= 34:
        at -= (at - 34) % 4
        values = (np.nan, np.inf, -1e30, 1e30, 0, 1e6, -1)
        new = struct.pack("<f", values[rng.integers(len(values))])
    else:
        at -= at % 8
        values = (-(2**63), 2**63 - 1, -1, 0, 10 * 86_400 * 10**9, 2**40)
        new = struct.pack("<q", values[rng.integers(len(values))])
    body[at : at + len(new)] = new
    return bytes(body)


def read_everywhere(path, folder, formats=TEXT_FORMATS):
    """Use a session as commands and dashboard do: any exception but a RealtimePoseError is a fault of the program.

    Args:
        path: The session, named SESSION, in a take's folder.
        folder: An empty folder for exports.
        formats: Formats to export.
    """
    takes = TakeList(path.parent.parent).takes()  # never raises, whatever lies in the folder
    assert [take.folder for take in takes] == [path.parent], takes
    try:
        session = read_session(path)
    except RealtimePoseError:
        return
    for step in (_seek, _play, _settings, _recompute, _plot, lambda _: find_images(session)):
        with suppress(RealtimePoseError):
            step(session)
    with suppress(RealtimePoseError):
        _export(session, folder, formats)


def _seek(session):
    index = SessionIndex(session)
    try:
        for row in range(min(len(index.times_ns), _MAX_FRAMES)):
            index.result(row)
    finally:
        index.close()


def _play(session):
    source = SessionSource(session.path)
    try:
        pipeline = PlaybackPipeline(source)
        for row in range(min(source.rows, _MAX_FRAMES)):
            source.seek(row)
            frame = source.read()
            if frame.width * frame.height < 10**6:
                pipeline.step(frame)
    finally:
        source.close()


def _settings(session):
    config = recorded_settings(session)
    json.dumps(recomputed_settings(session, config))


def _recompute(session):
    for _ in islice(poses_of_clip(session.frames, recorded_settings(session)), _MAX_FRAMES):
        pass


def _plot(session):
    from realtime_pose.figures.page import page_html

    page_html(plot_session(session))


def _export(session, folder, formats):
    take = TakeInfo(float(session.settings.get("fps") or 0.0), session.settings)
    for name in formats:
        with suppress(RealtimePoseError):
            (sink,) = open_exporters([name], folder, take)
            try:
                for result in session.frames():
                    sink.send(result)
            finally:
                sink.close()


def case(folder: Path, rng):
    """One wrong session, read everywhere."""
    take = folder / "takes" / "take"
    take.mkdir(parents=True, exist_ok=True)
    right = folder / "right.rtpose"
    if not right.exists():
        make_session(right)
    (take / SESSION).write_bytes(wrong_session(right.read_bytes(), rng))
    out = folder / "out"
    out.mkdir(exist_ok=True)
    read_everywhere(take / SESSION, out, [TEXT_FORMATS[rng.integers(len(TEXT_FORMATS))]])
    for path in out.iterdir():
        path.unlink()
