// Runs the cases through receivers/javascript: node run_node.mjs RECEIVER_FOLDER CASES ANSWERS
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder, casesFile, answersFile] = process.argv.slice(2);
const { Follower, Retarget, decode, multiply, rotate } = await import(pathToFileURL(`${folder}/pose_receiver.mjs`));
const bytes = (hex) => Buffer.from(hex, "hex");

function world(bones, localOf) {
  const placed = [];
  for (const bone of bones) {
    let [position, rotation] = localOf(bone);
    if (bone.parent >= 0) {
      const [above, under] = placed[bone.parent];
      position = rotate(under, position).map((x, i) => x + above[i]);
      rotation = multiply(under, rotation);
    }
    placed.push([position, rotation]);
  }
  return placed;
}

function place(rig) {
  const rest = world(rig.bones, (bone) => [bone.position, bone.rotation]);
  const table = {};
  rig.bones.forEach((bone, row) => {
    const parent = bone.parent < 0 ? null : rig.bones[bone.parent].name;
    table[bone.name] = { parent, position: rest[row][0], rotation: rest[row][1] };
  });
  const retarget = new Retarget(table, rig.names);
  return rig.poses.map((datagram) => {
    const { rotations, hips } = retarget.apply(decode(bytes(datagram)));
    const posed = (bone) => [bone.name === rig.names.hips ? hips : bone.position, rotations[bone.name] ?? bone.rotation];
    return world(rig.bones, posed).map(([position, rotation]) => [...position, ...rotation]);
  });
}

function follow(stream) {
  const follower = new Follower(stream.person);
  return stream.events.map(({ now_s, datagram }) => {
    const pose = decode(bytes(datagram));
    const taken = pose !== null && follower.take(pose, now_s);
    return [taken, follower.isLost(now_s)];
  });
}

const cases = JSON.parse(readFileSync(casesFile, "utf8"));
const text = bytes(cases.datagrams[1]).toString("utf8");
if (JSON.stringify(decode(text)) !== JSON.stringify(decode(bytes(cases.datagrams[1])))) throw new Error("text is read otherwise");
const answers = {
  decoded: cases.datagrams.map((datagram) => decode(bytes(datagram))),
  placed: cases.rigs.map(place),
  followed: cases.followed.map(follow),
};
writeFileSync(answersFile, JSON.stringify(answers));
