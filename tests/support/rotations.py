"""Rotations for tests: seeded samples with edge cases, and a comparison that ignores the sign of q."""

import numpy as np
from scipy.spatial.transform import Rotation

BATCHES = [(), (1,), (3, 24)]
_EDGE_CASES_RAD = [0.0, 1e-12, 1e-8, 1e-4, np.pi / 2, np.pi - 1e-8, np.pi]


def make_rotvecs(batch: tuple[int, ...] = (), seed: int = 0) -> np.ndarray:
    """Axis times angle (*batch, 3): random, and in a batch also near the identity and at a half turn."""
    rng = np.random.default_rng(seed)
    vectors = Rotation.random(int(np.prod(batch)), rng=rng).as_rotvec()
    axes = [[1, 0, 0], [0, -1, 0], [0, 0, 1], [0.6, 0, -0.8], *rng.normal(size=(2, 3))]
    edge_cases = [a * np.array(axis) / np.linalg.norm(axis) for axis in axes for a in _EDGE_CASES_RAD]
    if len(vectors) > len(edge_cases):
        vectors[: len(edge_cases)] = edge_cases
    return vectors.reshape(*batch, 3)


def make_rotations(batch: tuple[int, ...] = (), seed: int = 0) -> np.ndarray:
    """Quaternions (*batch, 4), xyzw, unit, half of them with a negative w; see `make_rotvecs`."""
    vectors = make_rotvecs(batch, seed)
    q = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_quat()
    q[1::2] *= -1
    return q.reshape(*batch, 4)


def of_scipy(q_xyzw: np.ndarray) -> Rotation:
    """The same rotations, flattened, in SciPy's independent implementation."""
    return Rotation.from_quat(np.asarray(q_xyzw, dtype=np.float64).reshape(-1, 4))


def assert_same_rotation(a_xyzw: np.ndarray, b_xyzw: np.ndarray, max_angle_rad: float = 1e-7) -> None:
    """Assert unit quaternions of one shape with a small angle between them; q and -q are one rotation."""
    a, b = np.asarray(a_xyzw, dtype=np.float64), np.asarray(b_xyzw, dtype=np.float64)
    assert a.shape == b.shape
    for q in (a, b):
        assert np.abs(np.linalg.norm(q, axis=-1) - 1).max() < 1e-6, "not unit"
    # |a - b| is the chord of half the angle; unlike the arc cosine of the product it keeps its digits at small angles
    chord = np.minimum(np.linalg.norm(a - b, axis=-1), np.linalg.norm(a + b, axis=-1))
    worst = float(np.max(4 * np.arcsin(np.minimum(chord / 2, 1.0))))
    assert worst <= max_angle_rad, f"{worst} rad apart"
