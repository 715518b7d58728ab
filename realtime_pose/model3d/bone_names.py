"""Bone names of VRM, Unity, Mixamo, Ready Player Me, Unreal, Rigify, Biped and similar rigs.

Programs spell the same bones differently ("LeftArm", "upperarm_l", "DEF-upper_arm.L"). A name is split into a side and
a word, without case, separators and prefixes, and the word is looked up.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_MIDDLE = ("c", "center", "centre", "mid")
_WORDS: dict[str, tuple[str, ...]] = {
    # bone -> its names, the most reliable first; Rigify's spine starts at the hips and ends in the head
    "hips": ("hips", "pelvis", "hip", "spine"),
    "neck": ("neck", "neck01", "neck1", "neck0", "spine004"),
    "head": ("head", "spine006"),
    "UpperArm": ("upperarm", "arm", "uparm"),
    "LowerArm": ("lowerarm", "forearm", "loarm", "elbow"),
    "Hand": ("hand", "wrist"),
    "UpperLeg": ("upperleg", "upleg", "thigh"),
    "LowerLeg": ("lowerleg", "shin", "calf", "loleg", "knee", "leg"),
    "Foot": ("foot", "ankle"),
}
SIDED = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
"""The bones of a limb, without their side."""

REQUIRED = ("hips", "head", *(f"{side}{bone}" for bone in SIDED for side in ("left", "right")))
"""The bones that a character must have; spine, chest and neck are found in the tree."""

# Prefixes of bone names: namespaces, file names, the rig's own. Rigify's DEF- bones deform the mesh and its ORG- bones
# are their originals; its other bones (MCH-, controls) are never used.
_PREFIXES = re.compile(r"^(mixamorig\d*|bip0*\d+|j bip|cc base|armature|character\d*|rig|skeleton|valvebiped bip\d+) ")
_DEFORMING, _ORIGINAL = "def", "org"
_SHARED = 0.8  # a first word that this share of the names has is a prefix


def find_bones(names: Sequence[str], preferred: Sequence[int]) -> dict[str, int]:
    """Bone (by its VRM name) -> index of its name; missing bones are left out.

    Args:
        names: Every node's name.
        preferred: Indices to choose from; of two names for the same bone the earlier one is used.
    """
    words = _without_shared_prefix({index: _words(names[index]) for index in preferred})
    groups: dict[str, dict[int, tuple[str, ...]]] = {_DEFORMING: {}, "": {}, _ORIGINAL: {}}
    for index, parts in words.items():
        marked = parts[:1] in ((_DEFORMING,), (_ORIGINAL,))
        groups[parts[0] if marked else ""][index] = parts[1:] if marked else parts
    found = [_bones_of(group) for group in groups.values()]
    return max(found, key=lambda bones: sum(bone in bones for bone in REQUIRED))


def _bones_of(words: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    by_side_and_word: dict[tuple[str, str], int] = {}
    for index, parts in words.items():
        by_side_and_word.setdefault(_side_and_word(parts), index)
    bones: dict[str, int] = {}
    for bone, known in _WORDS.items():
        for side in ("left", "right") if bone in SIDED else ("",):
            found = [by_side_and_word[side, word] for word in known if (side, word) in by_side_and_word]
            if found and found[0] not in bones.values():
                bones[f"{side}{bone}"] = found[0]
    return bones


def _words(name: str) -> tuple[str, ...]:
    """A name's words in lower case: "mixamorig:LeftForeArm" -> left, fore, arm."""
    name = re.split(r"[:|]", name)[-1]
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    spaced = re.sub(r"[^0-9a-z]+", " ", name.lower()).strip() + " "
    spaced = _PREFIXES.sub("", re.sub(r"^(left|right)(?=[a-z])", r"\1 ", spaced))
    return tuple(spaced.split())


def _without_shared_prefix(words: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    firsts = Counter(parts[0] for parts in words.values() if len(parts) > 1)
    first, count = firsts.most_common(1)[0] if firsts else ("", 0)
    if first in (*_SIDES, _DEFORMING, _ORIGINAL) or count < max(_SHARED * len(words), 2):
        return words
    return {index: parts[1:] if parts[0] == first and len(parts) > 1 else parts for index, parts in words.items()}


def _side_and_word(parts: tuple[str, ...]) -> tuple[str, str]:
    """Side and word, e.g. ("left", "upperarm"), from a name's words; the side comes first or last."""
    if parts and parts[0] in _MIDDLE:
        parts = parts[1:]
    for end in (0, -1):
        if len(parts) > 1 and parts[end] in _SIDES:
            return _SIDES[parts[end]], "".join(parts[1:] if end == 0 else parts[:-1])
    return "", "".join(parts)
