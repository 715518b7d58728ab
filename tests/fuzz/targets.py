"""Everything that reads what others may have made: for each kind, one wrong input made and read."""

import json
import struct
from contextlib import suppress

import numpy as np
from fuzz import sessions
from fuzz.mutate import mutate_bytes, mutate_json
from golden.make_binary_packets import VALID as BINARY
from support.people import make_clip
from support.rigs import make_rig

from realtime_pose.communication.packets.formats import decode_any
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import encode
from realtime_pose.errors import RealtimePoseError


def _once(folder, name, make):
    """The bytes of a right file, made at the first case."""
    path = folder / f"right-{name}"
    if not path.exists():
        made = make(path)
        if made is not None:
            path.write_bytes(made)
    return path.read_bytes()


def _read(folder, name, data, read):
    """Write a file and read it; our own errors are right answers."""
    path = folder / name
    path.write_bytes(data)
    with suppress(RealtimePoseError):
        read(path)


def packet(folder, rng):
    """A datagram: JSON with a value exchanged, or bytes of either encoding."""
    if not _PACKETS:
        stream = PacketStream()
        _PACKETS.extend(encode(packet) for result in make_clip(2) for packet in stream.packets_of(result))
        _BINARY.extend(map(json.loads, BINARY.read_text(encoding="ascii").splitlines()))
    text = _PACKETS[rng.integers(len(_PACKETS))]
    if rng.integers(3) == 0:
        data = mutate_bytes(bytes.fromhex(_BINARY[rng.integers(len(_BINARY))]["hex"]), rng)
    elif rng.integers(2):
        data = mutate_bytes(text, rng)
    else:
        data = json.dumps(mutate_json(json.loads(text), rng, rng.integers(1, 3))).encode()
    with suppress(RealtimePoseError):
        decode_any(data)


_PACKETS, _BINARY = [], []


def profile(folder, rng):
    """A body profile."""
    from realtime_pose.body.profile import LENGTHS, load_profile

    right = {"version": 1, "height_m": 1.75} | dict.fromkeys(LENGTHS, 0.4)
    data = json.dumps(mutate_json(right, rng)).encode()
    _read(folder, "a.json", mutate_bytes(data, rng) if rng.integers(3) == 0 else data, lambda p: load_profile(str(p)))


def settings(folder, rng):
    """A settings file: JSON is YAML."""
    from dataclasses import asdict

    from realtime_pose.config import AppConfig, load_config

    data = json.dumps(mutate_json(asdict(AppConfig()), rng)).encode()
    data = mutate_bytes(data, rng) if rng.integers(3) == 0 else data
    _read(folder, "a.yaml", data, lambda path: load_config([path], {}, {}))


def weights(folder, rng):
    """Weights as safetensors, whose header is JSON."""
    import torch
    from safetensors.torch import save

    from realtime_pose.checkpoints.files import read_notes, read_tensors

    right = _once(folder, "a.safetensors", lambda path: save({"a": torch.zeros(2, 3), "b": torch.ones(4)}))
    size = struct.unpack("<Q", right[:8])[0]
    if rng.integers(2):
        header = json.dumps(mutate_json(json.loads(right[8 : 8 + size]), rng)).encode()
        data = struct.pack("<Q", len(header)) + header + right[8 + size :]
    else:
        data = mutate_bytes(right, rng)
    _read(folder, "a.safetensors", data, read_tensors)
    _read(folder, "a.safetensors", data, read_notes)


def character(folder, rng):
    """A GLB character: its JSON changed, or its bytes."""
    from realtime_pose.model3d.character import load_character

    right = _once(folder, "a.glb", lambda path: make_rig(path) and None)
    size = struct.unpack_from("<I", right, 12)[0]
    if rng.integers(4):
        text = json.dumps(mutate_json(json.loads(right[20 : 20 + size]), rng, rng.integers(1, 3))).encode()
        text += b" " * (-len(text) % 4)
        rest = right[20 + size :]
        data = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text) + len(rest), len(text), 0x4E4F534A) + text + rest
    else:
        data = mutate_bytes(right, rng)
    _read(folder, "a.glb", data, load_character)


KINDS = {
    "packet": packet,
    "session": sessions.case,
    "profile": profile,
    "settings": settings,
    "weights": weights,
    "character": character,
}
"""Kind -> what makes and reads one case, given a folder and a generator."""


def generator(kind, number):
    """The generator of a case: the same in every run."""
    return np.random.default_rng([sorted(KINDS).index(kind), number])
