// The character's file, parsed in the browser, and one figure of it for each person.
import { Group, LoadingManager, Vector3 } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";
import { clone } from "three/examples/jsm/utils/SkeletonUtils.js";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";
import { ThreeRig } from "../../receivers/javascript/three_rig.mjs";
import { findBones, inWords } from "./bones.js";
import { CharacterError, checkedDocument } from "./model_file.js";

const STANDING_LEG_M = 0.83; // leg length of a figure without a person

/** A parsed file; makes a figure for each person. */
export class Character {
  #gltf;
  #first;

  constructor(name, buffer, gltf, without) {
    this.name = name;
    this.missing = without; // optional joints that the rig lacks
    this.buffer = buffer;
    this.isVrm = Boolean(gltf.userData.vrm);
    this.#gltf = gltf;
    this.#first = true;
  }

  /** Reads a file. Raises CharacterError: what is wrong, and what to do, as the end of a sentence. */
  static async read(name, buffer) {
    checkedDocument(buffer);
    const gltf = await parse(buffer);
    const { missing, without } = await findBones(gltf);
    if (missing.length) {
      dispose(gltf.scene);
      throw new CharacterError(
        `no bone found for: ${missing.map(inWords).join(", ")}. Rename the bones as in VRM, Unity, Mixamo, ` +
          "Unreal, Rigify or another well-known rig",
      );
    }
    return new Character(name, buffer, gltf, without);
  }

  /** Another figure. A VRM is parsed again for each, as its hair and materials are animated. */
  async figure() {
    if (!this.isVrm) {
      const scene = clone(this.#gltf.scene);
      return new Figure(scene, (await findBones({ scene, parser: { json: {} } })).nodes, null);
    }
    const gltf = this.#first ? this.#gltf : await parse(this.buffer);
    this.#first = false;
    return new Figure(gltf.scene, (await findBones(gltf)).nodes, gltf.userData.vrm);
  }

  dispose() {
    dispose(this.#gltf.scene);
  }
}

async function parse(buffer) {
  // Nothing is ever downloaded: a checked file contains all its data, for which the loader makes blob: URLs.
  const manager = new LoadingManager();
  manager.setURLModifier((url) => (/^(data|blob):/.test(url) ? url : "data:,"));
  const loader = new GLTFLoader(manager).setMeshoptDecoder(MeshoptDecoder);
  loader.register((parser) => new VRMLoaderPlugin(parser, { autoUpdateHumanBones: false })); // poses are applied to its own bones
  try {
    return await loader.parseAsync(buffer, "");
  } catch (error) {
    throw new CharacterError(`it cannot be read (${error.message}); export it again`);
  }
}

function dispose(scene) {
  VRMUtils.deepDispose(scene);
}

/** The character as one person's body. `holder` goes into the scene. */
export class Figure {
  constructor(scene, nodes, vrm) {
    this.vrm = vrm;
    this.nodes = nodes;
    this.rig = new ThreeRig(scene, nodes);
    scene.traverse((node) => (node.frustumCulled = false)); // a skin's bounds are those of its rest pose
    this.holder = new Group().add(scene);
    const { facing, leg, bones } = this.rig.retarget;
    this.leg = leg;
    this.holder.quaternion.set(...facing).invert(); // it faces +z, whatever its own front is
    const [x, , z] = bones[nodes.hips.uuid].position;
    this.aside = new Vector3(-x, 0, -z).applyQuaternion(this.holder.quaternion);
    this.rest();
  }

  /** Applies a pose, scaled to the person's leg length, so that its steps match theirs. */
  pose({ joints, rotations, root }) {
    this.rig.apply({ joints_3d: joints, rotations, root });
    this.#size(Math.max(legOf(joints), 0.01));
  }

  rest() {
    this.rig.goToRest();
    this.#size(STANDING_LEG_M);
  }

  #size(legM) {
    this.holder.scale.setScalar(legM / this.leg);
    this.holder.position.copy(this.aside).multiplyScalar(legM / this.leg);
  }

  /** Animates hair, clothes and materials of a VRM. */
  update(seconds) {
    this.vrm?.update(seconds);
  }

  /** Resets the swing of hair and clothes, for another person. */
  settle() {
    this.holder.updateMatrixWorld(true);
    this.vrm?.springBoneManager?.reset();
  }

  /** The local rotation of a joint's bone, xyzw; null if the rig has none. */
  bone(joint) {
    return this.nodes[joint]?.quaternion.toArray() ?? null;
  }

  dispose() {
    this.holder.removeFromParent();
    if (this.vrm) dispose(this.vrm.scene);
  }
}

const legOf = (joints) =>
  [[11, 12], [12, 13], [14, 15], [15, 16]]
    .map(([a, b]) => Math.hypot(...joints[a].map((value, axis) => value - joints[b][axis])))
    .reduce((sum, length) => sum + length, 0) / 2;
