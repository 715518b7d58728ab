// Joints and bones of each person, drawn through the character so that both are visible.
import {
  CanvasTexture, CircleGeometry, Color, CylinderGeometry, Group, IcosahedronGeometry, InstancedMesh, Matrix4, Mesh,
  MeshBasicMaterial, MeshLambertMaterial, Quaternion, Vector3,
} from "three";

const MAX_SKELETONS = 8;
const JOINT_M = 0.024;
const BONE_M = 0.012;
const UNKNOWN = new Color("#8b919b"); // an occluded joint
const UP = new Vector3(0, 1, 0);

export class Skeletons {
  #slots = [];
  #spot = spot();

  constructor(scene) {
    this.scene = scene;
    this.visible = true;
    this.parents = [];
    this.sides = [];
    this.colours = {};
    this.ball = new IcosahedronGeometry(1, 2);
    this.rod = new CylinderGeometry(0.75, 1, 1, 8, 1, true);
    // as transparent objects, so that they are drawn after the character
    this.material = new MeshLambertMaterial({ transparent: true });
  }

  /** From the hello message: the joint tree, and the sides' colours. */
  setUp({ joints, parents }, colours) {
    this.#clear();
    this.parents = parents;
    this.sides = joints.map((joint) => /^(left|right)/.exec(joint)?.[0] ?? "middle");
    this.colours = Object.fromEntries(Object.entries(colours).map(([side, colour]) => [side, new Color(colour)]));
  }

  show(people, floorY) {
    if (!this.parents.length) return;
    const shown = people.slice(0, MAX_SKELETONS);
    while (this.#slots.length < shown.length) this.#slots.push(this.#slot());
    for (const [i, slot] of this.#slots.entries()) {
      slot.group.visible = i < shown.length;
      if (i < shown.length) this.#lay(slot, shown[i], floorY);
    }
    this.setVisible(this.visible);
  }

  setVisible(visible) {
    this.visible = visible;
    for (const { balls, rods } of this.#slots) balls.visible = rods.visible = visible;
  }

  #slot() {
    const group = new Group();
    const balls = new InstancedMesh(this.ball, this.material, this.parents.length);
    const rods = new InstancedMesh(this.rod, this.material, this.parents.length);
    for (const mesh of [balls, rods]) {
      mesh.frustumCulled = false;
      mesh.renderOrder = 11;
    }
    rods.renderOrder = 10;
    rods.onBeforeRender = (renderer) => renderer.clearDepth(); // visible through the body
    const shadow = new Mesh(this.#spot.geometry, this.#spot.material);
    shadow.rotation.x = -Math.PI / 2;
    shadow.renderOrder = -1;
    group.add(balls, rods, shadow);
    this.scene.add(group);
    return { group, balls, rods, shadow };
  }

  #lay({ balls, rods, shadow }, { joints, known }, floorY) {
    const places = joints.map((joint) => new Vector3(...joint));
    const matrix = new Matrix4();
    const still = new Quaternion();
    for (const [j, place] of places.entries()) {
      const colour = known && known[j] <= 0 ? UNKNOWN : this.colours[this.sides[j]];
      const size = JOINT_M * (j === 0 ? 1.3 : 1);
      balls.setMatrixAt(j, matrix.compose(place, still, new Vector3(size, size, size)));
      balls.setColorAt(j, colour);
      const above = this.parents[j] < 0 ? place : places[this.parents[j]];
      const along = place.clone().sub(above);
      const length = along.length();
      const turn = length > 1e-6 ? new Quaternion().setFromUnitVectors(UP, along.divideScalar(length)) : still;
      rods.setMatrixAt(j, matrix.compose(above.clone().lerp(place, 0.5), turn, new Vector3(BONE_M, length, BONE_M)));
      rods.setColorAt(j, colour);
    }
    for (const mesh of [balls, rods]) mesh.instanceMatrix.needsUpdate = mesh.instanceColor.needsUpdate = true;
    shadow.position.set(places[0].x, floorY + 0.002, places[0].z);
  }

  setShadow(opacity) {
    this.#spot.material.opacity = opacity;
  }

  #clear() {
    for (const { group, balls, rods } of this.#slots) {
      group.removeFromParent();
      balls.dispose();
      rods.dispose();
    }
    this.#slots = [];
  }

  destroy() {
    this.#clear();
    for (const part of [this.ball, this.rod, this.material, this.#spot.geometry, this.#spot.material.map, this.#spot.material])
      part.dispose();
  }
}

/** A soft round shadow under a person, which shows their position on the floor. */
function spot() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 128, height: 128 });
  const ctx = canvas.getContext("2d");
  const fade = ctx.createRadialGradient(64, 64, 0, 64, 64, 64);
  for (const [stop, alpha] of [[0, 1], [0.35, 0.7], [0.7, 0.2], [1, 0]]) fade.addColorStop(stop, `rgb(0 0 0 / ${alpha})`);
  ctx.fillStyle = fade;
  ctx.fillRect(0, 0, 128, 128);
  const material = new MeshBasicMaterial({ map: new CanvasTexture(canvas), transparent: true, depthWrite: false });
  return { geometry: new CircleGeometry(0.5, 32), material };
}
