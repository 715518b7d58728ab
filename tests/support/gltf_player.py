"""Plays a .glb at its keys with an independent reader (pygltflib) and plain matrices."""

import numpy as np
from pygltflib import GLTF2
from scipy.spatial.transform import Rotation

_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Player:
    """A file with one animation.

    Attributes:
        gltf: What pygltflib read.
        times: (T,) of its keys.
        channels: (node, path) -> values (T, width).
    """

    def __init__(self, path):
        self.gltf = GLTF2().load_binary(path)
        (animation,) = self.gltf.animations
        self.times = self.array(animation.samplers[0].input)[:, 0]
        self.channels = {}
        for channel in animation.channels:
            sampler = animation.samplers[channel.sampler]
            assert sampler.interpolation == "LINEAR"
            assert np.array_equal(self.array(sampler.input)[:, 0], self.times)
            self.channels[channel.target.node, channel.target.path] = self.array(sampler.output)

    def array(self, accessor):
        entry = self.gltf.accessors[accessor]
        assert entry.componentType == 5126
        view = self.gltf.bufferViews[entry.bufferView]
        start, width = (view.byteOffset or 0) + (entry.byteOffset or 0), _WIDTHS[entry.type]
        blob = self.gltf.binary_blob()
        return np.frombuffer(blob, "<f4", entry.count * width, start).reshape(-1, width).astype(np.float64)

    def places(self, key):
        """Name -> position (3,) of the node in the scene at this key; None is the rest pose."""
        return {name: world[:3, 3] for name, world in self.worlds(key).items()}

    def worlds(self, key):
        """Name -> (4, 4) of the node."""
        out = {}

        def walk(index, above):
            node = self.gltf.nodes[index]
            world = above @ self._local(index, node, key)
            out[node.name] = world
            for child in node.children or []:
                walk(child, world)

        for root in self.gltf.scenes[self.gltf.scene].nodes:
            walk(root, np.eye(4))
        return out

    def _local(self, index, node, key):
        if node.matrix is not None:
            return np.array(node.matrix).reshape(4, 4).T
        parts = {"translation": node.translation, "rotation": node.rotation, "scale": node.scale}
        for path in parts:
            if key is not None and (index, path) in self.channels:
                parts[path] = self.channels[index, path][key]
        rest = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
        parts = {path: rest[path] if value is None else value for path, value in parts.items()}
        local = np.eye(4)
        local[:3, :3] = Rotation.from_quat(parts["rotation"]).as_matrix() * np.array(parts["scale"])
        local[:3, 3] = parts["translation"]
        return local
