// Runs the rigs through receivers/javascript's three_rig.mjs and three.js: node run_three.mjs FOLDER CASES ANSWERS
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, casesFile, answersFile] = process.argv.slice(2);
const { decode } = await import(pathToFileURL(`${folder}/pose_receiver.mjs`));
const { ThreeRig } = await import(pathToFileURL(`${folder}/three_rig.mjs`));
const { Bone, Group, Quaternion, Vector3 } = await import(pathToFileURL(`${folder}/node_modules/three/build/three.module.js`));
const bytes = (hex) => Buffer.from(hex, "hex");

function place(rig) {
  const world = new Group(); // the model is moved and tilted; results must be in its own space
  const model = new Group();
  world.position.set(3, 1, -2);
  world.quaternion.set(0.48, 0.6, 0, 0.64);
  world.add(model);
  const bones = rig.bones.map((bone) => Object.assign(new Bone(), { name: bone.name }));
  rig.bones.forEach((bone, b) => {
    bones[b].position.fromArray(bone.position);
    bones[b].quaternion.fromArray(bone.rotation);
    (bone.parent < 0 ? model : bones[bone.parent]).add(bones[b]);
  });
  // As from some exporters, the rig is in centimetres below a node that scales it to metres.
  const node = bones.find((bone) => bone.parent === model);
  if (!Object.values(rig.names).includes(node.name)) {
    node.scale.setScalar(0.01);
    for (const bone of bones) if (bone !== node) bone.position.multiplyScalar(100);
  }
  const nodes = Object.fromEntries(Object.entries(rig.names).map(([joint, name]) => [joint, model.getObjectByName(name)]));
  const target = new ThreeRig(model, nodes);
  const where = () => {
    world.updateMatrixWorld(true);
    return bones.map((bone) => {
      const q = model.getWorldQuaternion(new Quaternion()).invert().multiply(bone.getWorldQuaternion(new Quaternion()));
      return [...model.worldToLocal(bone.getWorldPosition(new Vector3())).toArray(), ...q.toArray()];
    });
  };
  const atRest = JSON.stringify(where());
  const answers = rig.poses.map((datagram) => {
    target.apply(decode(bytes(datagram)));
    return where();
  });
  target.goToRest();
  if (JSON.stringify(where()) !== atRest) throw new Error("the rig is not back at rest");
  return answers;
}

const cases = JSON.parse(readFileSync(casesFile, "utf8"));
writeFileSync(answersFile, JSON.stringify({ placed: cases.rigs.map(place) }));
