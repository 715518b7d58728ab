// Finds the bones of a rig by their names, which each program spells in its own way: VRM, Unity, Mixamo, Unreal, Rigify,
// Biped, Daz, MakeHuman, SMPL, MMD and more. The same table and rules as in realtime_pose/model3d/bone_names.py.

const SIDES = { left: "left", l: "left", 左: "left", right: "right", r: "right", 右: "right" };
const MIDDLE = ["c", "center", "centre", "mid", "m", "x"];
const NOISE = ["jnt", "joint", "jt", "bone", "bn", "bnd", "bind", "skin", "sk", "env", "stretch", "bend"];
// bone: its names, the most reliable first; of names joined by | the one nearest to the hips is the bone
export const WORDS = {
  hips: "hips pelvis hip lowertorso lowerbody 下半身 spine",
  neck: "neck neck01 neck1 neck0 necklower necktwist spine004 首",
  head: "head spine006 頭",
  UpperArm: "upperarm uparm uarm 腕 arm shldr shoulder",
  LowerArm: "lowerarm forearm loarm elbow ひじ 肘",
  Hand: "hand|wrist 手首",
  UpperLeg: "足d upperleg upleg thigh femur 足 hip leg",
  LowerLeg: "ひざd lowerleg shin calf loleg knee ひざ 膝 leg",
  Foot: "足首d foot|ankle 足首",
};
const PREFIXES = /^((mixamorig\d*|bip0*\d+|j bip|cc base|armature|character\d*|rig|skeleton|valve ?biped( bip\d+)?) )+/;
const SHARED = 0.6; // a first or last word that this share of the names has says nothing
const NEAR_LEGS = 0.6; // the node that carries legs and trunk is this near to the legs, as a share of legs to head

const isSided = (bone) => /^[A-Z]/.test(bone);
const REQUIRED = Object.keys(WORDS)
  .filter((bone) => bone !== "neck")
  .flatMap((bone) => (isSided(bone) ? [`left${bone}`, `right${bone}`] : [bone]));

/**
 * The bones among nodes: {bone: index of its node}, missing ones left out; spine and chest follow from the tree.
 *
 * nodes: [{name, parent: index or -1, position: [x, y, z] at rest}]; of two with the same meaning the one nearer to the
 * root is the bone, so list only nodes that may be bones, each after its parent.
 */
export function findBones(nodes) {
  const order = nodes.map((_, i) => i).sort((a, b) => ancestors(nodes, a).length - ancestors(nodes, b).length || a - b);
  const words = withoutShared(new Map(order.map((i) => [i, wordsOf(nodes[i].name)])));
  const groups = { def: new Map(), "": new Map(), org: new Map() };
  for (const [i, parts] of words) {
    const marked = parts[0] === "def" || parts[0] === "org";
    groups[marked ? parts[0] : ""].set(i, marked ? parts.slice(1) : parts);
  }
  const count = (bones) => REQUIRED.filter((bone) => bone in bones).length;
  const found = Object.values(groups).map(bonesOf);
  const bones = found.reduce((best, other) => (count(other) > count(best) ? other : best));
  return { ...bones, ...hipsOf(nodes, bones), ...trunkOf(nodes, { ...bones, ...hipsOf(nodes, bones) }) };
}

function bonesOf(words) {
  const exact = new Map();
  const numbered = new Map();
  const rank = new Map([...words.keys()].map((i, place) => [i, place]));
  for (const [i, parts] of words) {
    const [side, word] = sideAndWord(parts);
    for (const [table, key] of [[exact, `${side} ${word}`], [numbered, `${side} ${word.replace(/[0-9]+$/, "")}`]])
      if (!table.has(key)) table.set(key, i);
  }
  const bones = {};
  for (const [bone, known] of Object.entries(WORDS)) {
    for (const side of isSided(bone) ? ["left", "right"] : [""]) {
      for (const group of known.split(" ")) {
        const keys = group.split("|").map((word) => `${side} ${word}`);
        const free = keys
          .map((key) => exact.get(key) ?? numbered.get(key))
          .filter((i) => i !== undefined && !Object.values(bones).includes(i));
        if (!free.length) continue;
        bones[side + bone] = free.reduce((best, i) => (rank.get(i) < rank.get(best) ? i : best));
        break;
      }
    }
  }
  return bones;
}

/** "mixamorig:LeftForeArm" -> ["left", "fore", "arm"] */
function wordsOf(name) {
  const spaced = name
    .normalize("NFKC")
    .split(/[:|]/)
    .at(-1)
    .replace(/^([左右])|^([LR])(?=[A-Z])/, "$1$2 ")
    .replace(/([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2 ")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}]+/gu, " ")
    .trim();
  const parts = `${spaced} `.replace(/^(left|right)(?=[a-z])/, "$1 ").replace(PREFIXES, "").split(" ").filter(Boolean);
  const telling = parts.filter((part) => !NOISE.includes(part));
  return telling.length ? telling : parts;
}

function withoutShared(words) {
  for (const end of [0, -1]) {
    for (;;) {
      const counts = new Map();
      for (const parts of words.values())
        if (parts.length > 1) counts.set(parts.at(end), (counts.get(parts.at(end)) ?? 0) + 1);
      const [shared, count] = [...counts].reduce((best, other) => (other[1] > best[1] ? other : best), ["", 0]);
      if (shared in SIDES || shared === "def" || shared === "org" || count < Math.max(SHARED * words.size, 2)) break;
      const cut = (parts) => (parts.length > 1 && parts.at(end) === shared ? parts.slice(end ? 0 : 1, end || undefined) : parts);
      words = new Map([...words].map(([i, parts]) => [i, cut(parts)]));
    }
  }
  return words;
}

function sideAndWord(parts) {
  const telling = parts.filter((part) => !MIDDLE.includes(part));
  const rest = telling.length ? telling : parts;
  const sides = rest.flatMap((part, place) => (part in SIDES ? [place] : []));
  if (rest.length > 1 && sides.length === 1) return [SIDES[rest[sides[0]]], rest.filter((_, i) => i !== sides[0]).join("")];
  return ["", rest.join("")];
}

/** The common ancestor of thighs and head, where the node named so does not carry them all. */
function hipsOf(nodes, { hips, head, leftUpperLeg, rightUpperLeg }) {
  if ([head, leftUpperLeg, rightUpperLeg].includes(undefined)) return {};
  const above = [head, leftUpperLeg, rightUpperLeg].map((i) => ancestors(nodes, i));
  if (above.every((list) => list.includes(hips))) return {};
  const common = above[0].find((i) => above.every((list) => list.includes(i)));
  if (common === undefined) return {};
  const place = (i) => nodes[i].position;
  const middle = place(leftUpperLeg).map((x, axis) => (x + place(rightUpperLeg)[axis]) / 2);
  const distance = (i) => Math.hypot(...place(i).map((x, axis) => x - middle[axis]));
  return distance(common) <= NEAR_LEGS * distance(head) ? { hips: common } : {};
}

/** Spine and chest: the first and the last node between the hips and the neck or head that do not carry the legs. */
function trunkOf(nodes, { hips, neck, head, leftUpperLeg, rightUpperLeg }) {
  const path = neck === undefined && head === undefined ? [] : ancestors(nodes, neck ?? head);
  if (!path.includes(hips)) return {};
  const legs = [leftUpperLeg, rightUpperLeg].map((i) => (i === undefined ? [] : ancestors(nodes, i)));
  const between = path.slice(0, path.indexOf(hips)).filter((i) => !legs.every((list) => list.includes(i)));
  if (between.length > 1) return { spine: between.at(-1), chest: between[0] };
  return between.length ? { spine: between[0] } : {};
}

function ancestors(nodes, i) {
  const out = [];
  while ((i = nodes[i].parent) >= 0) out.push(i);
  return out;
}
