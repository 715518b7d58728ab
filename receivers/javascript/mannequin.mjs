// A simple figure for use without a model: one bone per joint, y along each bone as in many tools.
import { Bone, CapsuleGeometry, Group, Mesh, MeshStandardMaterial, Quaternion, SphereGeometry, Vector3 } from "three";
import { JOINTS, PARENTS } from "./pose_receiver.mjs";

const OFFSETS = [
  [0, 0.9, 0], [0, 0.1, 0], [0, 0.17, 0], [0, 0.25, 0], [0, 0.09, 0], [0.18, 0.22, 0], [0.29, 0, 0], [0.25, 0, 0],
  [-0.18, 0.22, 0], [-0.29, 0, 0], [-0.25, 0, 0], [0.1, 0, 0], [0, -0.415, 0], [0, -0.415, 0], [-0.1, 0, 0],
  [0, -0.415, 0], [0, -0.415, 0],
];
const TIPS = { head: [0, 0.19, 0], leftHand: [0.17, 0, 0], rightHand: [-0.17, 0, 0], leftFoot: [0, -0.05, 0.16], rightFoot: [0, -0.05, 0.16] };
const COLOURS = { left: 0x4aa3df, right: 0xe08a3c, middle: 0xcfd6e0 };

export function mannequin() {
  const up = new Vector3(0, 1, 0);
  const places = [];
  const turns = [];
  const bones = [];
  const model = new Group();
  JOINTS.forEach((joint, j) => {
    const parent = PARENTS[j];
    const offset = new Vector3(...OFFSETS[j]);
    places.push(parent < 0 ? offset : offset.clone().add(places[parent]));
    turns.push(parent < 0 ? new Quaternion() : new Quaternion().setFromUnitVectors(up, offset.clone().normalize()));
    const bone = new Bone();
    bone.name = joint;
    bones.push(bone);
    const under = parent < 0 ? new Quaternion() : turns[parent].clone().invert();
    bone.position.copy(offset).applyQuaternion(under);
    bone.quaternion.copy(under).multiply(turns[j]);
    (parent < 0 ? model : bones[parent]).add(bone);
    if (parent >= 0) bones[parent].add(limb(parent, offset));
    if (TIPS[joint]) bone.add(limb(j, new Vector3(...TIPS[joint])));
  });
  return model;

  function limb(j, offset) {
    const side = JOINTS[j].startsWith("left") ? "left" : JOINTS[j].startsWith("right") ? "right" : "middle";
    const length = offset.length();
    const radius = JOINTS[j] === "head" ? 0.1 : JOINTS[j].includes("Leg") ? 0.065 : 0.05;
    const material = new MeshStandardMaterial({ color: COLOURS[side], roughness: 0.7 });
    const shape = JOINTS[j] === "head" ? new SphereGeometry(radius) : new CapsuleGeometry(radius, length);
    const mesh = new Mesh(shape, material);
    const along = offset.clone().applyQuaternion(turns[j].clone().invert());
    mesh.position.copy(along).multiplyScalar(0.5);
    mesh.quaternion.setFromUnitVectors(up, along.clone().normalize());
    return mesh;
  }
}
