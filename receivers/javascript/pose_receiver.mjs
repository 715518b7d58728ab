// A receiver of realtime_pose in one file without dependencies: copy it, for a browser or for Node.
//
//   decode    a packet (text, or bytes) -> a pose, or null for whatever is no valid pose packet
//   Follower  which poses move the character: old ones are dropped, one person is followed, silence is noticed
//   Retarget  a pose -> local rotations for your rig, however its bones are turned at rest
//
// Quaternions are [x, y, z, w], as in three.js; space is glTF's: right-handed, y up, metres.

export const JOINTS = [
  "hips", "spine", "chest", "neck", "head", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm",
  "rightLowerArm", "rightHand", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg", "rightFoot",
];
export const PARENTS = [-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15];
const LIMBS = [[5, 6, 7, [1, 0, 0]], [8, 9, 10, [-1, 0, 0]], [11, 12, 13, [0, -1, 0]], [14, 15, 16, [0, -1, 0]]];
const OPTIONAL = ["chest", "neck"]; // a rig may lack these; the bone above then carries what is below
const HIPS_OVER_LEG = 0.9 / 0.83; // how high the hips of somebody who stands are, over the length of thigh and shank

// ---- packets --------------------------------------------------------------------------------------------------------

/** The pose packet as an object, or null: foreign, cut, of another version, of another type. */
export function decode(datagram) {
  let p;
  try {
    const bytes = typeof datagram === "string" ? new TextEncoder().encode(datagram) : datagram;
    if (bytes.length > 1472) return null;
    p = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return null;
  }
  const whole =
    isObject(p) && p.version === 1 && p.type === "pose" &&
    isInt(p.stream, 0) && isInt(p.seq, 0) && isInt(p.person, -1) && isNumber(p.timestamp, 0) && isObject(p.meta) &&
    isTable(p.keypoints, 17, 2) && isRow(p.scores, 17, 0, 1) &&
    (p.joints_3d === null || isTable(p.joints_3d, 17, 3)) &&
    (p.rotations === null || isTable(p.rotations, 17, 4)) &&
    (p.root === null || isRow(p.root, 3)) &&
    (p.rotations ?? []).every((q) => Math.abs(Math.hypot(...q) - 1) < 0.01);
  return whole ? p : null;
}

const MOST = Number.MAX_SAFE_INTEGER;
const isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
const isInt = (v, least) => Number.isSafeInteger(v) && v >= least;
const isNumber = (v, least = -MOST, most = MOST) => typeof v === "number" && v >= least && v <= most;
const isRow = (v, count, least, most) =>
  Array.isArray(v) && v.length === count && v.every((x) => isNumber(x, least, most));
const isTable = (v, rows, columns) => Array.isArray(v) && v.length === rows && v.every((row) => isRow(row, columns));

/** Says which poses move the character: those of `person`, or, if null, of whoever is there first. */
export class Follower {
  static TIMEOUT_S = 1;
  #last = new Map(); // "stream person" -> seq
  #streams = new Set();
  #followed = null;
  #heardS = -Infinity;

  constructor(person = null) {
    this.person = person;
  }

  /** Whether this pose is news of the person followed. A stream that is new is taken up at once. */
  take(pose, nowS) {
    if (pose.joints_3d === null || pose.rotations === null || pose.root === null) return false; // seen, without a pose
    if (this.person !== null && pose.person !== this.person) return false;
    const key = `${pose.stream} ${pose.person}`;
    const newStream = !this.#streams.has(pose.stream);
    if (pose.seq <= (this.#last.get(key) ?? -1)) return false;
    if (this.#last.size > 64) {
      this.#last.clear(); // strangers may not fill the memory
      this.#streams.clear();
    }
    this.#last.set(key, pose.seq);
    this.#streams.add(pose.stream);
    if (key !== this.#followed && !newStream && !this.isLost(nowS)) return false;
    this.#followed = key;
    this.#heardS = nowS;
    return true;
  }

  /** Whether nothing has come for a second: hold the last pose, or go back to rest. */
  isLost(nowS) {
    return nowS - this.#heardS > Follower.TIMEOUT_S;
  }
}

// ---- retargeting ----------------------------------------------------------------------------------------------------

/**
 * Turns poses into local rotations of a rig.
 *
 * Our rotation q of a joint is local, and the identity in T-pose: in the world, joints have turned by Q = Q(parent) q. A
 * bone whose world rotation in T-pose is R is then at Q R; its parent bone, which rests at P, is carried by the joint
 * above. So the local rotation is inverse(Q(above) P) Q R. Where limbs do not rest as in a T-pose, A lays them so first:
 * Q A for Q.
 *
 * bones: {bone: {parent: bone or null, position, rotation}} at rest in the model's space; it may face anywhere.
 * names: {joint: bone} where your bones are not called as JOINTS are.
 */
export class Retarget {
  constructor(bones, names = {}) {
    this.bones = bones;
    this.boneOf = JOINTS.map((joint) => names[joint] ?? joint).map((bone) => (bone in bones ? bone : null));
    const missing = JOINTS.filter((joint, j) => this.boneOf[j] === null && !OPTIONAL.includes(joint));
    if (missing.length) throw new Error(`the rig has no bone for ${missing.join(", ")}`);
    const place = this.boneOf.map((bone) => bone && bones[bone].position);
    const left = minus(place[11], place[14]);
    const yaw = Math.atan2(-left[2], left[0]); // which way the rig faces: a VRM 0 looks to -z
    this.facing = [0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)];
    this.lay = JOINTS.map(() => [0, 0, 0, 1]);
    for (const [upper, lower, end, along] of LIMBS) {
      for (const [joint, child] of [[upper, lower], [lower, end]])
        this.lay[joint] = arc(minus(place[child], place[joint]), rotate(this.facing, along));
      if (along[0]) this.lay[end] = this.lay[lower]; // a hand goes with its arm; a foot stays on the floor
    }
    this.leg = legLength(place);
  }

  /** {rotations: {bone: local rotation}, hips: position of the hips in the space of their parent bone} */
  apply(pose) {
    const turned = [];
    const carried = {};
    PARENTS.forEach((above, j) => {
      const q = multiply(multiply(this.facing, unit(pose.rotations[j])), inverse(this.facing));
      turned.push(above < 0 ? q : multiply(turned[above], q));
      if (this.boneOf[j] !== null) carried[this.boneOf[j]] = multiply(turned[j], this.lay[j]);
    });
    const rotations = {};
    for (const bone in carried) {
      const { parent, rotation } = this.bones[bone];
      let above = parent;
      while (above !== null && !(above in carried)) above = this.bones[above].parent;
      let under = parent === null ? [0, 0, 0, 1] : this.bones[parent].rotation;
      if (above !== null) under = multiply(carried[above], under);
      rotations[bone] = multiply(inverse(under), multiply(carried[bone], rotation));
    }
    return { rotations, hips: this.#hips(pose) };
  }

  /** Somebody who stands puts the rig where it rests; its steps are as long as its legs. */
  #hips(pose) {
    const leg = Math.max(legLength(pose.joints_3d), 0.01);
    const [x, y, z] = pose.root.map((d) => (d * this.leg) / leg);
    const moved = rotate(this.facing, [x, y - this.leg * HIPS_OVER_LEG, z]);
    const { parent, position } = this.bones[this.boneOf[0]];
    const hips = position.map((d, i) => d + moved[i]);
    if (parent === null) return hips;
    return rotate(inverse(this.bones[parent].rotation), minus(hips, this.bones[parent].position));
  }
}

const legLength = (place) =>
  [[11, 12], [12, 13], [14, 15], [15, 16]].reduce((sum, [a, b]) => sum + Math.hypot(...minus(place[a], place[b])), 0) / 2;

// ---- quaternions ----------------------------------------------------------------------------------------------------

/** The turn by b, then by a. */
export function multiply([ax, ay, az, aw], [bx, by, bz, bw]) {
  return [
    aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz,
  ];
}
/** The turn back. */
export const inverse = ([x, y, z, w]) => [-x, -y, -z, w];
/** The vector v, turned. */
export const rotate = (q, v) => multiply(multiply(q, [...v, 0]), inverse(q)).slice(0, 3);
/** v, of length 1: what arrives is rounded. */
export const unit = (v) => v.map((x) => x / Math.hypot(...v));
/** The shortest turn that points a where b points; the two may not be opposite. */
export function arc(a, b) {
  const [ax, ay, az] = unit(a);
  const [bx, by, bz] = unit(b);
  return unit([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx, 1 + ax * bx + ay * by + az * bz]);
}
const minus = (a, b) => a.map((x, i) => x - b[i]);
