// Applies poses to a three.js model: a GLB or VRM loaded by GLTFLoader, or bones of your own.
import { Matrix4, Quaternion, Vector3 } from "three";
import { JOINTS, Retarget } from "./pose_receiver.mjs";

const MIXAMO = [
  "Hips", "Spine", "Spine1", "Neck", "Head", "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm",
  "RightHand", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot",
];
// Bone names of common rigs in the order of JOINTS, as GLTFLoader writes them (without colons); add yours.
export const NAMES = {
  VRM: JOINTS,
  "Unity, Godot": JOINTS.map((joint) => joint[0].toUpperCase() + joint.slice(1)),
  Mixamo: MIXAMO.map((bone) => `mixamorig${bone}`),
  "Ready Player Me": MIXAMO,
};

export class ThreeRig {
  /** model: an Object3D at rest. nodes: {joint: Object3D}; by default, those of the table in NAMES that fits best. */
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

/** {joint: Object3D} by the table in NAMES that fits best. */
export function nodesByName(model) {
  const found = Object.values(NAMES).map((names) => {
    const nodes = names.map((name) => model.getObjectByName(name));
    return Object.fromEntries(JOINTS.map((joint, j) => [joint, nodes[j]]).filter(([, node]) => node));
  });
  return found.reduce((best, nodes) => (Object.keys(nodes).length > Object.keys(best).length ? nodes : best));
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
