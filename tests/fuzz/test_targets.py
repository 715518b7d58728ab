"""Wrong inputs of every kind end in our own errors: few cases here, many with `make fuzz`."""

import pytest
from fuzz.targets import KINDS, generator

CASES = {"packet": 300, "profile": 60, "settings": 25, "weights": 40, "character": 40}


@pytest.mark.parametrize("kind", CASES)
def test_wrong_inputs_give_our_own_errors_only(tmp_path, kind):
    for number in range(CASES[kind]):
        try:
            KINDS[kind](tmp_path, generator(kind, number))
        except Exception as exc:
            exc.add_note(f"again: python tests/fuzz/long_run.py --kind {kind} --first {number} --cases 1")
            raise
