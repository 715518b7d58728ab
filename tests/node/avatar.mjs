// node avatar.mjs FILE.vrma AVATAR.vrm TIMES: plays a VRM Animation on an avatar as VRM's own library for browsers does,
// and prints JSON {duration, bones, restHips, joints: [{bone: [x, y, z]}]} at each of the TIMES (seconds, comma between).
import { readFile } from "node:fs/promises";
import { AnimationMixer, LoopOnce, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMAnimationLoaderPlugin, createVRMAnimationClip } from "@pixiv/three-vrm-animation";
import { VRMCoreLoaderPlugin } from "@pixiv/three-vrm-core";

globalThis.self = globalThis; // the loader looks for a browser; files without pictures need no more of one
const [motion, avatar, times] = process.argv.slice(2);

async function load(path, plugin) {
  const file = await readFile(path);
  const loader = new GLTFLoader().register(plugin);
  return loader.parseAsync(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength), "");
}

const [animation] = (await load(motion, (parser) => new VRMAnimationLoaderPlugin(parser))).userData.vrmAnimations;
const vrm = (await load(avatar, (parser) => new VRMCoreLoaderPlugin(parser))).userData.vrmCore;
const mixer = new AnimationMixer(vrm.scene);
const clip = createVRMAnimationClip(animation, vrm);
const action = mixer.clipAction(clip).setLoop(LoopOnce);
action.clampWhenFinished = true;
action.play();

const bones = [...animation.humanoidTracks.rotation.keys()];
const joints = times.split(",").map((time) => {
  mixer.setTime(Number(time));
  vrm.update(0); // from the bones that are animated to the avatar's own
  vrm.scene.updateMatrixWorld(true);
  return Object.fromEntries(
    bones.map((bone) => [bone, vrm.humanoid.getRawBoneNode(bone).getWorldPosition(new Vector3()).toArray()]),
  );
});
console.log(JSON.stringify({ duration: clip.duration, bones, restHips: animation.restHipsPosition.toArray(), joints }));
