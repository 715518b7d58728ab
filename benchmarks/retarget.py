"""Feet of characters that move as the actors do: how far those that stand slide, how deep soles sink, what knees do.

Run: python benchmarks/retarget.py CHARACTER.glb ...   (two seconds for each)
"""

import sys
from typing import NamedTuple

import numpy as np

from realtime_pose.kinematics import global_rotations
from realtime_pose.model3d.actor_truth import TRUTHS, ActorTruth, load_truth
from realtime_pose.model3d.character import Character, load_character
from realtime_pose.model3d.foot_lock import FootLock, levelled
from realtime_pose.model3d.rest_pose import canonical_from_scene
from realtime_pose.model3d.retarget import CharacterMotion, Retargeter
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

SIDES = ("left", "right")
LEG = ("UpperLeg", "LowerLeg", "Foot")


class Figures(NamedTuple):
    """Fastest standing ankle in cm/s, lowest sole in cm, fastest knee in degrees/s."""

    slide: float
    sole: float
    knee: float


def positions(character: Character, motion: CharacterMotion) -> Float64:
    """The nodes (T, N, 3), canonical."""
    tree, count = character.tree, len(motion.hips)
    local, place = np.tile(tree.rotation, (count, 1, 1)), np.tile(tree.translation, (count, 1, 1))
    local[:, list(character.driven)] = motion.rotations_xyzw
    place[:, character.bones["hips"]] = motion.hips
    for node in tree.order:
        above = tree.parents[node]
        if above >= 0:
            step = place[:, node] * tree.world.scale[above]
            place[:, node] = place[:, above] + rot.rotate(local[:, above], step)
            local[:, node] = rot.multiply(local[:, above], local[:, node])
    return rot.rotate(canonical_from_scene(tree, character.bones), place)


def knee_deg_s(hip: Float64, knee: Float64, ankle: Float64, fps: float) -> float:
    cosine = (rot.unit(knee - hip) * rot.unit(ankle - knee)).sum(axis=1)
    return float(np.abs(np.diff(np.degrees(np.arccos(np.clip(cosine, -1, 1))))).max() * fps)


def figures(character: Character, truth: ActorTruth, *, locked: bool) -> Figures:
    retargeter, time_s = Retargeter(character, truth.bone_m), np.arange(len(truth.root_m)) / truth.fps
    lock: FootLock | None = None
    if locked:
        lock = retargeter.feet([(time_s, truth.local_xyzw, truth.root_m, truth.foot_contact)])
    place = positions(character, retargeter.motion(truth.local_xyzw, truth.root_m, lock))
    turned = global_rotations(HUMANOID, truth.local_xyzw)
    stands = truth.foot_contact[1:] & truth.foot_contact[:-1]
    found = []
    for i, side in enumerate(SIDES):
        hip, knee, ankle = (place[:, character.bones[side + bone]] for bone in LEG)
        foot = turned[:, HUMANOID.index[f"{side}Foot"]]
        foot = foot if lock is None else levelled(foot, lock.level[:, i])
        sole = ankle[:, 1] + rot.rotate(foot[:, None], retargeter.soles[i])[..., 1].min(axis=1)
        speed = np.linalg.norm(np.diff(ankle[:, ::2], axis=0), axis=1)[stands[:, i]] * truth.fps
        found.append((100 * speed.max(), 100 * sole.min(), knee_deg_s(hip, knee, ankle, truth.fps)))
    slide, low, bend = zip(*found, strict=True)
    return Figures(max(slide), min(low), max(bend))


def main() -> None:
    for path in sys.argv[1:]:
        for actor in TRUTHS:
            truth = load_truth(actor)
            legs = [[truth.joints_m[:, HUMANOID.index[side + bone]] for bone in LEG] for side in SIDES]
            own = max(knee_deg_s(*(joint.astype(np.float64) for joint in leg), truth.fps) for leg in legs)
            before, after = (figures(load_character(path), truth, locked=locked) for locked in (False, True))
            print(
                f"{path} {actor}: slide {before.slide:.2f} -> {after.slide:.2f} cm/s, lowest sole "
                f"{before.sole:.1f} -> {after.sole:.1f} cm, knees {after.knee:.0f} degrees/s (the actor's {own:.0f})"
            )


if __name__ == "__main__":
    main()
