// node play.mjs FILE.glb TIMES: plays the animation with three.js, and prints JSON {duration, joints: [{name: [x, y, z]}]},
// the places of all nodes in the scene at each of the TIMES (seconds, comma between), and with a camera in the file
// `seen`, their places in its image, -1 to 1 to the right and up.
import { readFile } from "node:fs/promises";
import { AnimationMixer, LoopOnce, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

globalThis.self = globalThis; // the loader looks for a browser; files without pictures need no more of one
const [path, times] = process.argv.slice(2);
const file = await readFile(path);
const gltf = await new GLTFLoader().parseAsync(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength), "");
const [clip] = gltf.animations;
const mixer = new AnimationMixer(gltf.scene);
const action = mixer.clipAction(clip).setLoop(LoopOnce);
action.clampWhenFinished = true;
action.play();

const seen = [];
const joints = times.split(",").map((time) => {
  mixer.setTime(Number(time));
  gltf.scene.updateMatrixWorld(true);
  const places = {};
  gltf.scene.traverse((node) => {
    places[node.name] = node.getWorldPosition(new Vector3()).toArray();
  });
  const [camera] = gltf.cameras;
  if (camera) {
    camera.matrixWorldInverse.copy(camera.matrixWorld).invert();
    const inImage = (place) => new Vector3(...place).project(camera).toArray().slice(0, 2);
    seen.push(Object.fromEntries(Object.entries(places).map(([name, place]) => [name, inImage(place)])));
  }
  return places;
});
console.log(JSON.stringify({ duration: clip.duration, tracks: clip.tracks.length, joints, seen }));
