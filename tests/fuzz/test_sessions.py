"""Sessions with right checksums and wrong contents end in a plain sentence, in every reader."""

import gc
import warnings

import numpy as np
import pytest
from fuzz import sessions

CASES = 40


@pytest.mark.parametrize("seed", range(4))
def test_wrong_sessions_give_our_own_errors_only(tmp_path, seed):
    rng = np.random.default_rng(seed)
    for number in range(CASES // 4):
        try:
            sessions.case(tmp_path, rng)
        except Exception as exc:
            exc.add_note(f"case {number} of seed {seed}: {tmp_path}/takes/take")
            raise


def test_a_right_session_passes_every_reader(tmp_path):
    take = tmp_path / "takes" / "take"
    take.mkdir(parents=True)
    path = sessions.make_session(take / sessions.SESSION)
    (tmp_path / "out").mkdir()
    sessions.read_everywhere(path, tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) > len(sessions.TEXT_FORMATS)


def test_a_session_that_is_refused_leaves_no_file_open(tmp_path):
    rng = np.random.default_rng(9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(5):
            sessions.case(tmp_path, rng)
        gc.collect()
