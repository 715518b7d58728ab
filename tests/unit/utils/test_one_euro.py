import csv
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters, OneEuroRotationFilter

GOLDEN = Path(__file__).parents[2] / "golden" / "one_euro.csv"
PARAMETERS = OneEuroParameters(min_cutoff_hz=1.0, beta=0.1, derivative_cutoff_hz=1.0)


def test_values_equal_the_golden_file():
    lines = [line for line in GOLDEN.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == 200
    one_euro = OneEuroFilter(PARAMETERS)
    for row in rows:
        got = one_euro.apply(np.array([float(row["noisy"])]), round(float(row["time_s"]) * 1e9))
        assert got[0] == pytest.approx(float(row["filtered"]), abs=1e-7)


def test_reset_equals_a_fresh_filter():
    used, fresh = OneEuroFilter(PARAMETERS), OneEuroFilter(PARAMETERS)
    for i in range(30):
        used.apply(np.array([5.0]), i * 33_000_000)
    used.reset()
    for i, value in enumerate((0.0, 0.1, 0.3)):
        assert used.apply(np.array([value]), i * 33_000_000) == fresh.apply(np.array([value]), i * 33_000_000)


@pytest.mark.parametrize("step_ns", [0, -1_000_000_000])
def test_time_that_does_not_advance_resets_the_filter(step_ns):
    one_euro = OneEuroFilter(PARAMETERS)
    one_euro.apply(np.array([1.0]), 2_000_000_000)
    assert one_euro.apply(np.array([9.0]), 2_000_000_000 + step_ns)[0] == 9.0


def test_the_value_depends_on_time_not_on_the_number_of_calls():
    """A ramp sampled at 15 and at 60 Hz is filtered to nearly the same place."""
    ends = []
    for rate in (15, 60):
        one_euro = OneEuroFilter(OneEuroParameters(min_cutoff_hz=2.0))
        ends.append([one_euro.apply(np.array([i / rate]), round(i / rate * 1e9)) for i in range(2 * rate + 1)][-1][0])
    assert ends[0] == pytest.approx(ends[1], abs=0.04)
    assert ends[0] < 2.0  # it lags, as a low-pass must


def test_rotations_are_smoothed_and_stay_unit_in_one_hemisphere():
    rng = np.random.default_rng(3)
    rotations = OneEuroRotationFilter(OneEuroParameters(min_cutoff_hz=0.8))
    before, away = None, []
    for i in range(200):
        noisy = rot.from_rotvec(0.15 * rng.normal(size=(4, 3)))
        noisy *= rng.choice([-1.0, 1.0], size=(4, 1))  # q and -q are one rotation
        got = rotations.apply(noisy, i * 33_000_000)
        assert np.allclose(np.linalg.norm(got, axis=-1), 1.0)
        if before is not None:
            assert np.all(np.sum(got * before, axis=-1) > 0)
        before = got
        away.append(rot.angle_between_rad(got, np.tile(rot.IDENTITY_XYZW, (4, 1))).max())
    assert np.mean(away[50:]) < 0.4 * 0.24  # 0.24 rad: the mean size of the noise


def test_a_constant_rotation_passes_unchanged():
    rotations = OneEuroRotationFilter(PARAMETERS)
    turn = rot.from_rotvec([[0.3, -1.2, 2.0]])
    for i in range(5):
        got = rotations.apply(turn, i * 33_000_000)
    assert np.allclose(got, turn)


def test_only_restarted_rows_lose_their_past():
    some, fresh = OneEuroFilter(PARAMETERS, joint=True), OneEuroFilter(PARAMETERS, joint=True)
    places = np.zeros((3, 3))
    for i in range(10):
        some.apply(places, i * 33_000_000)
    moved = some.apply(places + 1.0, 10 * 33_000_000, np.array([False, True, False]))
    assert np.array_equal(moved[1], [1.0, 1.0, 1.0])
    assert (moved[[0, 2]] < 0.5).all()
    fresh.apply(places[1:2] + 1.0, 10 * 33_000_000)
    for i in range(11, 14):
        both = some.apply(places + 0.1 * i, i * 33_000_000)
        assert np.allclose(both[1], fresh.apply(places[1:2] + 0.1 * i, i * 33_000_000)[0])


def test_a_calm_filter_takes_its_speed_from_the_measurements():
    """After a step it lags on, where one against the filtered value catches up by itself."""
    parameters = OneEuroParameters(min_cutoff_hz=0.01, beta=10.0)
    calm, eager = OneEuroFilter(parameters, calm=True), OneEuroFilter(parameters)
    for index in range(40):
        value = np.array([0.0 if index < 5 else 0.01])
        found = calm.apply(value, index * 33_000_000)[0], eager.apply(value, index * 33_000_000)[0]
    assert 0 < found[0] < found[1] < 0.01


def test_speeds_are_measured_in_the_given_unit():
    parameters = OneEuroParameters(min_cutoff_hz=0.01, beta=10.0)
    small, large = OneEuroFilter(parameters), OneEuroFilter(parameters)
    for index, value in enumerate(np.sin(np.arange(20.0))):
        px = np.array([value])
        assert large.apply(300 * px, index * 33_000_000, unit=300) == pytest.approx(
            300 * small.apply(px, index * 33_000_000)
        )
