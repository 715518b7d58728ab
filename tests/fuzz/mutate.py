"""Wrong inputs made from right ones: JSON values exchanged for odd ones, bytes changed, cut and repeated."""

import copy
import math

NASTY = (
    None, True, -1, 0, 1, 2**31, -(2**63), 2**64, 10**400, 0.5, -1e-300, 1e308, math.nan, math.inf, "", "0", "x" * 5000,
    "\ud800", "a [/b]", "..", "/dev/zero", "\\\\host.invalid\\share\\a.mp4", "//host.invalid/a.mp4", "rtsp://127.0.0.1:1/",
    "\r\n", "%03d", [], [[]], {}, {"": None}, [0] * 5000, [1, 2, 3], "-inf", "\u202e",
)  # fmt: skip
"""What stands in place of a value."""


def nested(levels):
    """A list in a list in a list ..."""
    value = []
    for _ in range(levels):
        value = [value]
    return value


def mutate_json(value, rng, times=1):
    """A copy of a JSON value in which `times` values are exchanged, removed, repeated or moved."""
    value = copy.deepcopy(value)
    for _ in range(times):
        places = _places(value)
        if not places:
            return NASTY[rng.integers(len(NASTY))]
        parent, key = places[rng.integers(len(places))]
        match rng.integers(8):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, list):
                parent.insert(int(rng.integers(len(parent) + 1)), copy.deepcopy(parent[key]))
            case 2:
                other, there = places[rng.integers(len(places))]
                parent[key] = copy.deepcopy(other[there])
            case 3 if isinstance(parent[key], (int, float)):
                parent[key] = parent[key] * float(rng.choice([-1, 2, 1e3, 1e-3, 1e30])) + int(rng.integers(-2, 3))
            case 4 if rng.integers(10) == 0:
                parent[key] = nested(int(rng.choice([40, 300])))
            case _:
                parent[key] = NASTY[rng.integers(len(NASTY))]
    return value


def _places(value):
    """(parent, key) of every value inside, without walking far into long lists."""
    found, waiting = [], [value]
    while waiting and len(found) < 2000:
        parent = waiting.pop()
        if isinstance(parent, dict):
            inner = list(parent.items())
        elif isinstance(parent, list):
            inner = list(enumerate(parent))[:60]
        else:
            continue
        found += [(parent, key) for key, _ in inner]
        waiting += [child for _, child in inner]
    return found


def mutate_bytes(data, rng, times=4):
    """The bytes, up to `times` times changed, cut, repeated or filled."""
    data = bytearray(data)
    for _ in range(rng.integers(1, times + 1)):
        if not data:
            break
        at = int(rng.integers(len(data)) if rng.integers(3) else rng.integers(min(len(data), 256)))
        match rng.integers(6):
            case 0:
                data[at] ^= 1 << rng.integers(8)
            case 1:
                data[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
            case 2:
                width = int(rng.choice([2, 4, 8]))
                data[at : at + width] = rng.choice([b"\x00", b"\xff", b"\x7f"]) * width
            case 3:
                del data[at:]
            case 4:
                del data[at : at + int(rng.integers(1, 64))]
            case 5:
                data[at:at] = data[at : at + int(rng.integers(1, 64))]
    return bytes(data)
