"""Bone names of many programs: VRM, Unity, Mixamo, Unreal, Rigify, Biped, Daz, MakeHuman, SMPL, MMD and more.

Programs spell the same bones differently ("LeftArm", "upperarm_l", "DEF-upper_arm.L", "左腕"). A name is split into a
side and a word, without case, separators, prefixes and numbers, and the word is looked up. The same table and rules are
in receivers/javascript/bone_names.mjs.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

_SIDES = {"left": "left", "l": "left", "左": "left", "right": "right", "r": "right", "右": "right"}
_MIDDLE = ("c", "center", "centre", "mid", "m", "x")
_NOISE = ("jnt", "joint", "jt", "bone", "bn", "bnd", "bind", "skin", "sk", "env", "stretch", "bend")
_WORDS: dict[str, str] = {
    # bone -> its names, the most reliable first; of names joined by | the one nearest to the hips is the bone.
    # Rigify's spine starts at the hips and ends in the head; MMD's bones with a D deform the mesh.
    "hips": "hips pelvis hip lowertorso lowerbody 下半身 spine",
    "neck": "neck neck01 neck1 neck0 necklower necktwist spine004 首",
    "head": "head spine006 頭",
    "UpperArm": "upperarm uparm uarm 腕 arm shldr shoulder",
    "LowerArm": "lowerarm forearm loarm elbow ひじ 肘",
    "Hand": "hand|wrist 手首",
    "UpperLeg": "足d upperleg upleg thigh femur 足 hip leg",
    "LowerLeg": "ひざd lowerleg shin calf loleg knee ひざ 膝 leg",
    "Foot": "足首d foot|ankle 足首",
}
SIDED = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
"""The bones of a limb, without their side."""

REQUIRED = ("hips", "head", *(f"{side}{bone}" for bone in SIDED for side in ("left", "right")))
"""The bones that a character must have; spine, chest and neck are found in the tree."""

# Prefixes of bone names: namespaces, file names, the rig's own. Rigify's DEF- bones deform the mesh and its ORG- bones
# are their originals; its other bones (MCH-, controls) are never used.
_PREFIXES = re.compile(
    r"^((mixamorig\d*|bip0*\d+|j bip|cc base|armature|character\d*|rig|skeleton|valve ?biped( bip\d+)?) )+"
)
_DEFORMING, _ORIGINAL = "def", "org"
_SHARED = 0.6  # a first or last word that this share of the names has says nothing


def find_bones(names: Sequence[str], preferred: Sequence[int]) -> dict[str, int]:
    """Bone (by its VRM name) -> index of its name; missing bones are left out.

    Args:
        names: Every node's name.
        preferred: Indices to choose from; of two names for the same bone the earlier one is used.
    """
    words = _without_shared({index: _words(names[index]) for index in preferred})
    groups: dict[str, dict[int, tuple[str, ...]]] = {_DEFORMING: {}, "": {}, _ORIGINAL: {}}
    for index, parts in words.items():
        marked = parts[:1] in ((_DEFORMING,), (_ORIGINAL,))
        groups[parts[0] if marked else ""][index] = parts[1:] if marked else parts
    found = [_bones_of(group) for group in groups.values()]
    return max(found, key=lambda bones: sum(bone in bones for bone in REQUIRED))


def side_of(name: str) -> str:
    """The side that a name tells: "left", "right" or ""."""
    return _side_and_word(_words(name))[0]


def _bones_of(words: Mapping[int, tuple[str, ...]]) -> dict[str, int]:
    exact: dict[tuple[str, str], int] = {}
    numbered: dict[tuple[str, str], int] = {}
    rank = {index: place for place, index in enumerate(words)}
    for index, parts in words.items():
        side, word = _side_and_word(parts)
        exact.setdefault((side, word), index)
        numbered.setdefault((side, word.rstrip("0123456789")), index)
    bones: dict[str, int] = {}
    for bone, known in _WORDS.items():
        for side in ("left", "right") if bone in SIDED else ("",):
            for group in known.split():
                found = [exact.get((side, word), numbered.get((side, word))) for word in group.split("|")]
                free = [index for index in found if index is not None and index not in bones.values()]
                if free:
                    bones[f"{side}{bone}"] = min(free, key=rank.__getitem__)
                    break
    return bones


def _words(name: str) -> tuple[str, ...]:
    """A name's words in lower case: "mixamorig:LeftForeArm" -> left, fore, arm."""
    name = re.split(r"[:|]", unicodedata.normalize("NFKC", name))[-1]
    name = re.sub(r"^([左右])|^([LR])(?=[A-Z])", r"\1\2 ", name)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    spaced = re.sub(r"[\W_]+", " ", name.lower()).strip() + " "
    spaced = _PREFIXES.sub("", re.sub(r"^(left|right)(?=[a-z])", r"\1 ", spaced))
    parts = spaced.split()
    return tuple(part for part in parts if part not in _NOISE) or tuple(parts)


def _without_shared(words: dict[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """The words without those that nearly all names begin or end with."""
    for end, rest in ((0, slice(1, None)), (-1, slice(None, -1))):
        while shared := _shared_word([parts[end] for parts in words.values() if len(parts) > 1], len(words)):
            words = {
                index: parts[rest] if parts[end] == shared and len(parts) > 1 else parts
                for index, parts in words.items()
            }
    return words


def _shared_word(words: Sequence[str], names: int) -> str:
    word, count = Counter(words).most_common(1)[0] if words else ("", 0)
    says_something = word in (*_SIDES, _DEFORMING, _ORIGINAL) or count < max(_SHARED * names, 2)
    return "" if says_something else word


def _side_and_word(parts: tuple[str, ...]) -> tuple[str, str]:
    """Side and word, e.g. ("left", "upperarm"), from a name's words; numbers are left at the word's end."""
    parts = tuple(part for part in parts if part not in _MIDDLE) or parts
    sides = [place for place, part in enumerate(parts) if part in _SIDES]
    if len(parts) > 1 and len(sides) == 1:
        place = sides[0]
        return _SIDES[parts[place]], "".join(parts[:place] + parts[place + 1 :])
    return "", "".join(parts)
