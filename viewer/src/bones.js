// Mapping of nodes to joints: from the VRM, else by name, first as the receivers do, then by the words in the name.
import { JOINTS } from "../../receivers/javascript/pose_receiver.mjs";
import { nodesByName, nodesOfVrm } from "../../receivers/javascript/three_rig.mjs";

const NOT_NEEDED = ["chest", "neck"];
const SIDES = { left: "left", l: "left", right: "right", r: "right" };
const WORDS = {
  hips: ["hips", "pelvis", "hip", "spine"], // Rigify's spine starts at the hips
  neck: ["neck", "neck01", "neck1", "neck0", "spine004"],
  head: ["head", "spine006"],
  UpperArm: ["upperarm", "arm", "uparm"],
  LowerArm: ["lowerarm", "forearm", "loarm", "elbow"],
  Hand: ["hand", "wrist"],
  UpperLeg: ["upperleg", "upleg", "thigh"],
  LowerLeg: ["lowerleg", "shin", "calf", "loleg", "knee", "leg"],
  Foot: ["foot", "ankle"],
};
const PREFIX = /^(mixamorig\d*|bip0*\d+|j bip|cc base|armature|character\d*|rig|skeleton|valvebiped bip\d+|def) /;

/** {nodes: {joint: Object3D}, missing: required joints that were not found, without: optional ones that were not} */
export async function findBones(gltf) {
  const vrm = await nodesOfVrm(gltf);
  const found = vrm ? [vrm] : [nodesByName(gltf.scene), nodesByWords(gltf.scene)];
  const absent = (nodes) => JOINTS.filter((joint) => !nodes[joint]);
  const missing = (nodes) => absent(nodes).filter((joint) => !NOT_NEEDED.includes(joint));
  const nodes = found.reduce((best, other) => (missing(other).length < missing(best).length ? other : best));
  return { nodes, missing: missing(nodes), without: absent(nodes).filter((joint) => NOT_NEEDED.includes(joint)) };
}

/** "leftUpperArm" -> "left upper arm" */
export const inWords = (joint) => joint.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** "mixamorig1:LeftForeArm" -> ["left", "forearm"], as realtime_pose/model3d/bone_names.py splits names. */
function sideAndWord(name) {
  const words = name
    .split(/[:|]/)
    .at(-1)
    .replace(/([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2 ")
    .toLowerCase()
    .replace(/[^0-9a-z]+/g, " ")
    .trim();
  const parts = `${words} `.replace(/^(left|right)(?=[a-z])/, "$1 ").replace(PREFIX, "").trim().split(" ");
  if (parts[0] === "c" && parts.length > 1) parts.shift();
  for (const at of [0, -1]) {
    const side = SIDES[parts.at(at)];
    if (side && parts.length > 1) return [side, (at ? parts.slice(0, -1) : parts.slice(1)).join("")];
  }
  return ["", parts.join("")];
}

function nodesByWords(model) {
  const byMeaning = new Map();
  model.traverse((node) => {
    if (!node.isBone) return;
    const meaning = sideAndWord(node.userData.name ?? node.name).join(" ");
    if (!byMeaning.has(meaning)) byMeaning.set(meaning, node);
  });
  const nodes = {};
  for (const [bone, words] of Object.entries(WORDS)) {
    for (const side of /^[A-Z]/.test(bone) ? ["left", "right"] : [""]) {
      const node = words.map((word) => byMeaning.get(`${side} ${word}`)).find(Boolean);
      if (node) nodes[side + bone] = node;
    }
  }
  return { ...nodes, ...trunk(nodes) };
}

/** Spine and chest follow from the tree: the first and the last bone between the hips and the neck or head. */
function trunk({ hips, neck, head }) {
  const between = [];
  for (let node = (neck ?? head)?.parent; node && node !== hips; node = node.parent) between.unshift(node);
  if (!hips || between[0]?.parent !== hips) return {};
  return between.length > 1 ? { spine: between[0], chest: between.at(-1) } : { spine: between[0] };
}
