"""PerTrack: each person's state by id, and complete forgetting."""

from realtime_pose.utils.per_track import PerTrack


def test_a_state_is_made_once_per_person():
    made = []
    states = PerTrack()
    for track_id in (1, 2, 1, 2, 1):
        states.get_or_make(track_id, lambda: made.append(len(made)) or [len(made)])
    assert made == [0, 1]
    assert [*states] == [[1], [2]]
    assert [*states.items()] == [(1, [1]), (2, [2])]


def test_a_forgotten_person_is_a_stranger():
    states = PerTrack()
    assert states.put(7, "known") == "known"
    assert states.forget(7) == "known"
    assert states.get(7) is None
    assert states.forget(7) is None
    assert len(states) == 0


def test_forgetting_while_iterating():
    states = PerTrack()
    for track_id in range(4):
        states.put(track_id, track_id)
    for track_id, state in states.items():
        assert states.forget(track_id) == state
    assert len(states) == 0
