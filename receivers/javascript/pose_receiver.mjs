// A receiver for realtime_pose in one file without dependencies, to be copied, for browsers and Node.
//
//   decode    a packet (text, or bytes) -> a pose, or null if it is not a valid pose packet
//   Follower  selects poses: drops late ones, follows one person, detects silence
//   Retarget  a pose -> local rotations for your rig, whatever the rest rotations of its bones
//
// Quaternions are [x, y, z, w], as in three.js; axes are glTF's: right-handed, y up, metres.

export const JOINTS = [
  "hips", "spine", "chest", "neck", "head", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm",
  "rightLowerArm", "rightHand", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg", "rightFoot",
];
export const PARENTS = [-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15];
const LIMBS = [[5, 6, 7, [1, 0, 0]], [8, 9, 10, [-1, 0, 0]], [11, 12, 13, [0, -1, 0]], [14, 15, 16, [0, -1, 0]]];
const OPTIONAL = ["chest", "neck"]; // a rig may lack these; the bone above then drives the bones below
const HIPS_OVER_LEG = 0.9 / 0.83; // hip height of a standing person over thigh + shank

// ---- packets --------------------------------------------------------------------------------------------------------

/** The pose packet as an object; null if it is invalid, or of another version or type. */
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

/** Selects the poses that drive the character: those of `person`, or, if null, of the first person to appear. */
export class Follower {
  static TIMEOUT_S = 1;
  #last = new Map(); // "stream person" -> seq
  #streams = new Set();
  #followed = null;
  #heardS = -Infinity;

  constructor(person = null) {
    this.person = person;
  }

  /** Whether to use this pose: not late, and of the person followed. A new stream is followed at once. */
  take(pose, nowS) {
    if (pose.joints_3d === null || pose.rotations === null || pose.root === null) return false; // no pose
    if (this.person !== null && pose.person !== this.person) return false;
    const key = `${pose.stream} ${pose.person}`;
    const newStream = !this.#streams.has(pose.stream);
    if (pose.seq <= (this.#last.get(key) ?? -1)) return false;
    if (this.#last.size > 64) {
      this.#last.clear(); // limits the memory
      this.#streams.clear();
    }
    this.#last.set(key, pose.seq);
    this.#streams.add(pose.stream);
    if (key !== this.#followed && !newStream && !this.isLost(nowS)) return false;
    this.#followed = key;
    this.#heardS = nowS;
    return true;
  }

  /** Whether no pose has arrived for a second: then hold the last pose, or return to the rest pose. */
  isLost(nowS) {
    return nowS - this.#heardS > Follower.TIMEOUT_S;
  }
}

// ---- retargeting ----------------------------------------------------------------------------------------------------

/**
 * Converts poses to local rotations of a rig.
 *
 * A joint's rotation q is local and the identity in T-pose, so its world rotation is Q = Q(parent) q. A bone with world
 * rotation R in T-pose then has the world rotation Q R. Its parent bone, with P in T-pose, follows the joint above it,
 * so the local rotation is inverse(Q(above) P) Q R. If the rig does not rest in T-pose, A rotates its limbs there
 * first: Q A instead of Q.
 *
 * bones: {bone: {parent: bone or null, position, rotation}} at rest in the model's space, with any heading.
 * names: {joint: bone} for bones with names other than in JOINTS.
 */
export class Retarget {
  constructor(bones, names = {}) {
    this.bones = bones;
    this.boneOf = JOINTS.map((joint) => names[joint] ?? joint).map((bone) => (bone in bones ? bone : null));
    const missing = JOINTS.filter((joint, j) => this.boneOf[j] === null && !OPTIONAL.includes(joint));
    if (missing.length) throw new Error(`the rig has no bone for ${missing.join(", ")}`);
    const place = this.boneOf.map((bone) => bone && bones[bone].position);
    const left = minus(place[11], place[14]);
    const yaw = Math.atan2(-left[2], left[0]); // heading of the rig: VRM 0 faces -z
    this.facing = [0, Math.sin(yaw / 2), 0, Math.cos(yaw / 2)];
    this.lay = JOINTS.map(() => [0, 0, 0, 1]);
    for (const [upper, lower, end, along] of LIMBS) {
      for (const [joint, child] of [[upper, lower], [lower, end]])
        this.lay[joint] = arc(minus(place[child], place[joint]), rotate(this.facing, along));
      if (along[0]) this.lay[end] = this.lay[lower]; // a hand turns with its arm; a foot stays level
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

  /** A standing person puts the hips at their rest position; movement is scaled by the length of the legs. */
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

/** The rotation by b, then by a. */
export function multiply([ax, ay, az, aw], [bx, by, bz, bw]) {
  return [
    aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz,
  ];
}
/** The inverse rotation. */
export const inverse = ([x, y, z, w]) => [-x, -y, -z, w];
/** The vector v, rotated by q. */
export const rotate = (q, v) => multiply(multiply(q, [...v, 0]), inverse(q)).slice(0, 3);
/** v, scaled to length 1 (received numbers are rounded). */
export const unit = (v) => v.map((x) => x / Math.hypot(...v));
/** The shortest rotation from direction a to direction b, which must not be opposite. */
export function arc(a, b) {
  const [ax, ay, az] = unit(a);
  const [bx, by, bz] = unit(b);
  return unit([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx, 1 + ax * bx + ay * by + az * bz]);
}
const minus = (a, b) => a.map((x, i) => x - b[i]);
