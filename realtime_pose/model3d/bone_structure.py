"""Bones by structure: limbs as two pairs of equal chains on a trunk, where names do not tell them.

Bone lengths are compared, not positions, so the file may be in any pose. The lower pair of long equal chains are the
legs, the upper pair the arms, and what goes on beyond the arms ends in the head.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from realtime_pose.model3d.bone_names import SIDED, side_of
from realtime_pose.model3d.nodes import NodeTree
from realtime_pose.utils.arrays import Float64

_EQUAL = 0.1  # how much the two sides may differ, as a share of their length
_FEET_SHOW = 0.1  # toes tell the front if they are this far from the ankle, as a share of the leg
_ABOVE_HIPS = 0.6  # the node that carries legs and trunk is this near to the legs, as a share of legs to head
_ARM_PER_LEG = (0.3, 3.0)  # other pairs are no arms
_MOST_CHAINS, _MOST_PAIRS = 300, 100  # the longest; limbs are among them
_MOST_BONES = 12  # of a chain that are compared
_ARMS, _LEGS = SIDED[:3], SIDED[3:]


class _Pair(NamedTuple):
    """Two chains whose first `bones` bones have equal lengths, `length` in all; `above` is their common ancestor."""

    above: int
    tops: tuple[int, int]
    bones: int
    length: float


class _Chains:
    """The candidates as chains of bones."""

    def __init__(self, tree: NodeTree, candidates: Collection[int]) -> None:
        self.tree, self.position = tree, tree.world.position
        wanted = set(candidates)
        nodes = [node for node in tree.order if node in wanted]
        self.children: dict[int, list[int]] = {node: [] for node in nodes}
        self._length, self._next = dict.fromkeys(nodes, 0.0), dict.fromkeys(nodes, -1)
        for node in reversed(nodes):  # children before their parents
            parent = tree.parents[node]
            if parent not in wanted:
                continue
            bone = self.bone(parent, node)
            if bone == 0 and not self.children[node]:
                continue  # a part of the mesh, not a bone
            self.children[parent].insert(0, node)
            if bone + self._length[node] >= self._length[parent]:
                self._length[parent], self._next[parent] = bone + self._length[node], node

    def bone(self, a: int, b: int) -> float:
        """Distance of two nodes."""
        return float(np.linalg.norm(self.position[a] - self.position[b]))

    def main(self, node: int) -> list[int]:
        """The nodes from `node` to its farthest descendant."""
        chain = [node]
        while (node := self._next[node]) >= 0:
            chain.append(node)
        return chain

    def lengths(self, chain: Sequence[int]) -> Float64:
        """The lengths of a chain's bones."""
        return np.linalg.norm(np.diff(self.position[list(chain)], axis=0), axis=1)

    def pairs(self) -> list[_Pair]:
        """The longest pairs of chains side by side that begin with bones of the same lengths, a limb's or more."""
        longest = sorted(self.children, key=lambda node: -self._length[node])[:_MOST_CHAINS]
        bones = np.full((len(longest), _MOST_BONES), np.nan)
        for row, node in zip(bones, longest, strict=True):
            lengths = self.lengths(self.main(node)[: _MOST_BONES + 1])
            row[: len(lengths)] = lengths
        difference = np.abs(bones[:, None] - bones)
        both = np.isfinite(difference)
        count, length = both.sum(axis=-1), np.where(both, bones[:, None], 0.0).sum(axis=-1)
        equal = (
            (count >= len(_LEGS) - 1) & (np.where(both, difference, 0.0).max(axis=-1) <= _EQUAL * length) & (length > 0)
        )
        rows = np.argwhere(np.triu(equal, 1))
        found: list[_Pair] = []
        for i, k in rows[np.argsort(-length[tuple(rows.T)], kind="stable")].tolist():
            a, b = longest[i], longest[k]
            above = next((node for node in self.tree.ancestors(a) if node in self.tree.ancestors(b)), -1)
            if above < 0 or a in self.tree.ancestors(b) or b in self.tree.ancestors(a):
                continue
            ways = [self.lengths(self.tree.path(above, node) or [node]).sum() for node in (a, b)]
            if abs(ways[0] - ways[1]) <= _EQUAL * length[i, k]:
                found.append(_Pair(above, (a, b), int(count[i, k]), float(length[i, k])))
            if len(found) == _MOST_PAIRS:
                break
        return found


def bones_by_structure(
    tree: NodeTree, candidates: Collection[int], names: Sequence[str], weighted: Collection[int]
) -> dict[str, int]:
    """The required bones and the neck; empty if the candidates are not built like a body.

    Left and right are told by the sides in the nodes' names, else by the toes, else by glTF's front, +Z.

    Args:
        tree: The file's nodes.
        candidates: The nodes that may be bones.
        names: Every node's name.
        weighted: The nodes that move a part of the mesh; empty if that is not known.
    """
    chains = _Chains(tree, candidates)
    pairs = chains.pairs()
    best: tuple[float, dict[str, int]] = 0.0, {}
    for legs in pairs:
        for arms in pairs:
            length = legs.length + arms.length
            low, high = (share * legs.length for share in _ARM_PER_LEG)
            if length <= best[0] or not low <= arms.length <= high or not _on_one_trunk(tree, legs, arms):
                continue
            column = _column(chains, legs, arms)
            if column:
                if weighted and len(column) > 1 and not chains.children[column[-1]] and column[-1] not in weighted:
                    column = column[:-1]  # the crown
                best = length, _named(chains, legs, arms, column, names)
    return best[1]


def common_hips(tree: NodeTree, bones: Mapping[str, int]) -> int | None:
    """The nearest common ancestor of thighs and head, which carries legs and trunk, if it is near the thighs."""
    legs, head = [bones["leftUpperLeg"], bones["rightUpperLeg"]], bones["head"]
    common = set.intersection(*(set(tree.ancestors(node)) for node in (*legs, head)))
    found = next((node for node in tree.ancestors(head) if node in common), None)
    if found is None:
        return None
    position = tree.world.position
    middle = position[legs].mean(axis=0)
    near = _ABOVE_HIPS * float(np.linalg.norm(position[head] - middle))
    return found if np.linalg.norm(position[found] - middle) <= near else None


def carries(tree: NodeTree, bones: Mapping[str, int]) -> bool:
    """Whether the hips carry the head, and the thighs too where these hang on the same tree."""
    hips = bones.get("hips")
    legs = [bones["leftUpperLeg"], bones["rightUpperLeg"]]
    return all(hips in tree.ancestors(node) for node in (bones["head"], *legs))


def joined(tree: NodeTree, named: Mapping[str, int], built: Mapping[str, int]) -> dict[str, int]:
    """The bones by name, with those by structure where names are missing.

    A limb's bones are taken from both where they follow each other, else all from the structure.
    """
    out = {bone: node for bone, node in built.items() if not bone.startswith(("left", "right"))} | dict(named)
    for side in ("left", "right"):
        for limb in (_ARMS, _LEGS):
            bones = [f"{side}{bone}" for bone in limb]
            if any(bone not in built for bone in bones) or all(bone in named for bone in bones):
                continue
            mixed = [named.get(bone, built[bone]) for bone in bones]
            follow = all(a in tree.ancestors(b) for a, b in pairwise(mixed))
            out |= zip(bones, mixed if follow else [built[bone] for bone in bones], strict=True)
    return out


def _on_one_trunk(tree: NodeTree, legs: _Pair, arms: _Pair) -> bool:
    """Whether the arms are above the legs: at the same node or farther along the trunk, and neither on the other."""
    trunk = [arms.above, *tree.ancestors(arms.above)]
    if legs is arms or legs.above not in trunk or not {*legs.tops, *arms.tops}.isdisjoint(trunk):
        return False
    ways = [{top, *tree.ancestors(top)} for top in (*legs.tops, *arms.tops)]
    return not any(top in way for i, way in enumerate(ways) for k, top in enumerate((*legs.tops, *arms.tops)) if i != k)


def _column(chains: _Chains, legs: _Pair, arms: _Pair) -> list[int]:
    """The nodes from the neck to the head, beyond the arms; empty if nothing goes on there."""
    limbs = {node for top in (*legs.tops, *arms.tops) for node in (top, *chains.tree.ancestors(top))}
    position = chains.position
    up = position[arms.above] - position[list(legs.tops)].mean(axis=0)
    branches = [child for child in chains.children.get(arms.above, []) if child not in limbs]
    if not branches:
        return []

    def height(top: int) -> float:
        return max(float((position[node] - position[arms.above]) @ up) for node in chains.main(top))

    top = max(branches, key=height)
    column = [top]
    while len(below := chains.children[column[-1]]) == 1:
        column.append(below[0])
    return column if height(top) > 0 else []


def _named(chains: _Chains, legs: _Pair, arms: _Pair, column: list[int], names: Sequence[str]) -> dict[str, int]:
    head = column[-1]
    bones = {"hips": legs.above, "head": head} | ({"neck": column[0]} if len(column) > 1 else {})
    up = chains.position[head] - chains.position[list(legs.tops)].mean(axis=0)
    front = _front(chains, legs, up)
    for pair, limb in ((arms, _ARMS), (legs, _LEGS)):
        tops = pair.tops if _is_left(chains, pair.tops, np.cross(up, front), names) else pair.tops[::-1]
        for side, top in zip(("left", "right"), tops, strict=True):
            bones |= zip((f"{side}{bone}" for bone in limb), _three(chains, top, pair.bones), strict=True)
    return bones


def _three(chains: _Chains, top: int, bones: int) -> tuple[int, int, int]:
    """A limb's two long bones and its end: of its first `bones` bones the longest for their joints."""
    chain = chains.main(top)[: bones + 1]
    place = np.concatenate(([0.0], np.cumsum(chains.lengths(chain))))
    best, found = -1.0, (0, 1, 2)
    for a, b, c in combinations(range(len(chain)), 3):
        score = (place[b] - place[a]) * (place[c] - place[b]) / ((b - a) * (c - b)) ** 2
        if score > best:
            best, found = score, (a, b, c)
    return chain[found[0]], chain[found[1]], chain[found[2]]


def _front(chains: _Chains, legs: _Pair, up: Float64) -> Float64:
    """Where the toes point; +Z if there are none."""
    total, leg = np.zeros(3), 0.0
    for top in legs.tops:
        thigh, shin, foot = _three(chains, top, legs.bones)
        leg += chains.bone(thigh, shin) + chains.bone(shin, foot)
        total += chains.position[chains.main(top)[-1]] - chains.position[foot]
    total -= up * float(total @ up) / max(float(up @ up), 1e-12)
    return total if np.linalg.norm(total) > _FEET_SHOW * leg / 2 else np.array([0.0, 0.0, 1.0])


def _is_left(chains: _Chains, tops: tuple[int, int], left: Float64, names: Sequence[str]) -> bool:
    """Whether the first of two limbs is the left one."""
    votes = [sum({"left": 1, "right": -1}.get(side_of(names[node]), 0) for node in chains.main(top)) for top in tops]
    if votes[0] != votes[1]:
        return votes[0] > votes[1]
    return float((chains.position[tops[0]] - chains.position[tops[1]]) @ left) > 0
