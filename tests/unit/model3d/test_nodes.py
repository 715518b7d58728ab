"""Node tree: matrices, changes of parent, and world rotations."""

import numpy as np
from support.rigs import make_rig

from realtime_pose.model3d.character import load_character


def test_a_matrix_is_the_same_as_its_parts(tmp_path):
    def as_matrix(document):
        for node in document["nodes"]:
            if "rotation" in node:
                local = np.eye(4)
                x, y, z, w = node.pop("rotation")
                local[:3, :3] = np.array(
                    [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]
                ) * np.array(node.pop("scale"))  # fmt: skip
                local[:3, 3] = node.pop("translation")
                node["matrix"] = local.T.ravel().tolist()

    rig = {"turn_seed": 1, "scene": (0.01, (0.5, 0.5, 0.5, 0.5))}
    one = load_character(make_rig(tmp_path / "one.glb", **rig))
    other = load_character(make_rig(tmp_path / "other.glb", change=as_matrix, **rig))
    np.testing.assert_allclose(other.tree.world.position, one.tree.world.position, atol=1e-9)
    moved = [other.document()["nodes"][node] for node in other.driven]
    assert all("matrix" not in node and "rotation" in node for node in moved)  # an animated node has no matrix


def test_a_node_with_another_parent_stays_where_it_was(tmp_path):
    tree = load_character(make_rig(tmp_path / "rig.glb", turn_seed=3)).tree
    node = len(tree.parents) - 1
    parent = next(i for i in tree.order if i not in (node, tree.parents[node]) and node not in tree.ancestors(i))
    moved = tree.reparented(node, parent)
    assert moved.parents[node] == parent
    for name in ("position", "rotation_xyzw", "scale"):
        before, after = getattr(tree.world, name), getattr(moved.world, name)
        np.testing.assert_allclose(after[node], before[node], atol=1e-9)


def test_a_path_goes_from_the_top_down_to_the_node(tmp_path):
    character = load_character(make_rig(tmp_path / "rig.glb"))
    path = character.tree.path(character.bones["hips"], character.bones["head"])
    assert path == [character.bones["hips"], *character.trunk.torso, *character.trunk.neck, character.bones["head"]]
    assert character.tree.path(character.bones["head"], character.bones["hips"]) is None
