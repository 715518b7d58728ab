// Mapping of nodes to joints: from the VRM, else by name, as the receivers do.
import { JOINTS } from "../../receivers/javascript/pose_receiver.mjs";
import { nodesByName, nodesOfVrm } from "../../receivers/javascript/three_rig.mjs";

const NOT_NEEDED = ["chest", "neck"];

/** {nodes: {joint: Object3D}, missing: required joints that were not found, without: optional ones that were not} */
export async function findBones(gltf) {
  const nodes = (await nodesOfVrm(gltf)) ?? nodesByName(gltf.scene);
  const absent = JOINTS.filter((joint) => !nodes[joint]);
  const missing = absent.filter((joint) => !NOT_NEEDED.includes(joint));
  return { nodes, missing, without: absent.filter((joint) => NOT_NEEDED.includes(joint)) };
}

/** "leftUpperArm" -> "left upper arm" */
export const inWords = (joint) => joint.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
