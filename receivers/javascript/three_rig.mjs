// Applies poses to a three.js model: a GLB or VRM loaded by GLTFLoader, or bones of your own.
import { Matrix4, Quaternion, Vector3 } from "three";
import { findBones } from "./bone_names.mjs";
import { JOINTS, Retarget } from "./pose_receiver.mjs";

export class ThreeRig {
  /** model: an Object3D at rest. nodes: {joint: Object3D}; by default, those whose names are known. */
  constructor(model, nodes = nodesByName(model)) {
    model.updateWorldMatrix(true, true);
    const inModel = new Matrix4().copy(model.matrixWorld).invert();
    const bones = {};
    model.traverse((node) => {
      const [position, rotation, scale] = [new Vector3(), new Quaternion(), new Vector3()];
      new Matrix4().multiplyMatrices(inModel, node.matrixWorld).decompose(position, rotation, scale);
      const parent = node === model ? null : node.parent.uuid;
      bones[node.uuid] = { parent, position: position.toArray(), rotation: rotation.toArray(), scale: scale.x };
    });
    const names = Object.fromEntries(Object.entries(nodes).map(([joint, node]) => [joint, node.uuid]));
    this.retarget = new Retarget(bones, names); // throws if bones are missing
    this.nodes = new Map(Object.values(nodes).map((node) => [node.uuid, node]));
    this.hips = nodes.hips;
    this.scale = bones[bones[this.hips.uuid].parent].scale; // scale of the hips' parent space
    this.rest = [...this.nodes.values()].map((node) => [node, node.position.clone(), node.quaternion.clone()]);
  }

  apply(pose) {
    const { rotations, hips } = this.retarget.apply(pose);
    for (const uuid in rotations) this.nodes.get(uuid).quaternion.fromArray(rotations[uuid]);
    this.hips.position.fromArray(hips).divideScalar(this.scale);
  }

  goToRest() {
    for (const [node, position, quaternion] of this.rest) {
      node.position.copy(position);
      node.quaternion.copy(quaternion);
    }
  }
}

/** {joint: Object3D} by the nodes' names; without bones (a robot of rigid parts) any node may be one. */
export function nodesByName(model) {
  model.updateWorldMatrix(true, true);
  const every = [];
  model.traverse((node) => node !== model && every.push(node));
  const bones = every.some((node) => node.isBone) ? every.filter((node) => node.isBone) : every;
  const place = new Map(bones.map((node, i) => [node, i]));
  const nodes = bones.map((node) => {
    let above = node.parent;
    while (above && !place.has(above)) above = above.parent;
    const name = node.userData.name ?? node.name; // GLTFLoader removes letters from names
    return { name, parent: place.get(above) ?? -1, position: node.getWorldPosition(new Vector3()).toArray() };
  });
  return Object.fromEntries(Object.entries(findBones(nodes)).map(([joint, i]) => [joint, bones[i]]));
}

/** {joint: Object3D} of a VRM by the file's humanoid table; null if the file is not a VRM. */
export async function nodesOfVrm(gltf) {
  const { VRMC_vrm: vrm1, VRM: vrm0 } = gltf.parser.json.extensions ?? {};
  const rows = vrm1
    ? Object.entries(vrm1.humanoid.humanBones).map(([joint, { node }]) => [joint, node])
    : vrm0?.humanoid.humanBones.map(({ bone, node }) => [bone, node]);
  if (!rows) return null;
  const mine = rows.filter(([joint]) => JOINTS.includes(joint));
  const nodes = await Promise.all(mine.map(([, node]) => gltf.parser.getDependency("node", node)));
  return Object.fromEntries(mine.map(([joint], i) => [joint, nodes[i]]));
}
