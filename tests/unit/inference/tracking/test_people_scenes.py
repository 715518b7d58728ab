"""Track ids through crossings and occlusion, on synthetic scenes with known truth, through the real pipeline."""

import numpy as np
import pytest
from support.crowd import Scene, Walker, crossing, crowd, meeting, overtaking, pillar, play

from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.people import PeopleTracker


def follow(scene, persons=5, **how):
    return play(scene, PeopleTracker(InferenceConfig(persons=persons)), **how)


def last_names(names):
    """Body -> its id at the end."""
    return {body: name for name, body in names.rows[-1][1]}


def names_at(names, frame):
    return {body: name for name, body in names.rows[frame][1]}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "scene",
    [
        lambda seed: crossing(80, seed),
        lambda seed: crossing(160, seed),
        lambda seed: crossing(160, seed, fps=15),
        lambda seed: crossing(160, seed, ratio=1.25),
        lambda seed: crossing(320, seed),
        lambda seed: crossing(100, seed, stands=True),
        lambda seed: pillar(0.4, seed),
        lambda seed: pillar(1.0, seed),
        meeting,
        overtaking,
    ],
    ids=[
        "slow",
        "walk",
        "15-fps",
        "near-and-far",
        "run",
        "passing-by",
        "half-occluded",
        "occluded",
        "handshake",
        "overtaking",
    ],
)
def test_every_person_keeps_one_id(scene, seed):
    names = follow(scene(seed))
    first = names_at(names, 3)
    assert sorted(first) == [0, 1]
    assert last_names(names) == first
    assert names.doubles == 0
    assert names.idf1 > 0.9


def test_ids_seldom_switch_in_a_crowd():
    found = [follow(crowd(people, seed), persons=8) for people in (3, 5) for seed in (1, 2, 3)]
    assert np.mean([names.idf1 for names in found]) > 0.8
    assert sum(names.doubles for names in found) == 0
    assert sum(names.switches for names in found) < 60


def test_all_people_of_a_frame_are_estimated_at_once():
    names = follow(Scene([Walker(lambda t, i=i: 100 + 150 * i, 250.0, i) for i in range(6)], 3.0), persons=6)
    assert len(names.batches) == 90  # one call a frame
    assert names.batches[60:] == [6] * 30
    assert [len(named) for _, named in names.rows[60:]] == [6] * 30


def test_the_detector_runs_seldom():
    names = follow(Scene([Walker(lambda t, i=i: 200 + 300 * i, 250.0, i) for i in range(2)], 6.0, seed=4))
    assert names.looks == 6


def test_the_detector_looks_for_a_missing_person_for_two_seconds_in_every_fifth_frame():
    def leaves(t):
        return 250.0 if t < 2 else 250 - 300 * (t - 2)  # out of the image at about 3 s

    stays = Walker(lambda t: 700.0, 250.0, 1.0)
    names = follow(Scene([Walker(leaves, 250.0, 0.0), stays], 12.0, seed=1))
    usual = 12
    assert usual + 6 <= names.looks <= usual + 14  # every 5th frame of two seconds
    assert all(body == 1 for _, named in names.rows[150:] for _, body in named)


# --- one person -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "scene",
    [lambda seed: crossing(100, seed, stands=True), lambda seed: crossing(160, seed), lambda seed: pillar(0.7, seed)],
    ids=["bystander", "crossing", "pillar"],
)
def test_a_single_person_is_not_confused_with_a_bystander(scene, seed):
    names = follow(scene(seed), persons=1, blind_to=lambda frame: [1] if frame == 0 else [])
    assert max(len(named) for _, named in names.rows) == 1
    assert {name for _, named in names.rows for name, _ in named} == {1}
    assert names.share_on(0) > 0.9
    assert last_names(names) == {0: 1}


def test_only_bystanders_who_are_near_are_estimated():
    far = Scene([Walker(lambda t: 150.0, 250.0, 0.0), Walker(lambda t: 850.0, 250.0, 1.0)], 3.0)
    assert max(follow(far, persons=1).batches) == 1
    near = Scene([Walker(lambda t: 350.0, 250.0, 0.0), Walker(lambda t: 550.0, 250.0, 1.0)], 3.0)
    names = follow(near, persons=1)
    assert max(names.batches) == 2
    assert max(len(named) for _, named in names.rows) == 1


def test_when_the_single_person_is_gone_another_is_followed_with_a_new_id():
    def leaves(t):
        return 300.0 if t < 1 else 300 - 500 * (t - 1)

    scene = Scene([Walker(leaves, 280.0, 1.0), Walker(lambda t: 700.0, 250.0, 0.0)], 7.0, seed=2)
    names = follow(scene, persons=1)
    assert names_at(names, 3) == {0: 1}
    nobody = [not named for _, named in names.rows]
    assert 45 <= sum(nobody[45:150]) <= 90  # two seconds or so
    (name,) = (name for name, _ in names.rows[-1][1])
    assert last_names(names) == {1: name}
    assert name != 1
