// The right pane: floor, light, people; rendered only when something has changed.
import {
  AmbientLight, Color, DirectionalLight, HemisphereLight, PerspectiveCamera, Scene, Vector3, WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { CameraView } from "./camera_view.js";
import { Cast } from "./cast.js";
import { Floor } from "./floor.js";
import { Pace } from "./pace.js";
import { Skeletons } from "./skeletons.js";
import { SCENE } from "./theme.js";
import { openContext } from "./webgl.js";

const EYE = new Vector3(0.28, 0.16, 1).normalize(); // the direction of the first view
const EYE_M = 3.9;
const HIGH_M = 0.95; // the height of the view's target: about the hips
const FOLLOW_S = 0.6; // time constant of following people
const SWING_MS = 1500; // how long hair moves on after a pose
const GONE_MS = 600; // a person is removed after so long without a pose
const SUNK_M = -0.25; // with feet lower than this the floor is not known yet, and is drawn under them
const NEAR_M = 0.002; // the view stops this close to its target
const TURN_RAD = 0.1;

export class Stage {
  #frame = 0;
  #lastMs = 0;
  #movedMs = -Infinity;
  #people = new Map(); // id -> {person, seenMs}
  #run = null;
  #centre = new Vector3(0, HIGH_M, 0);
  #spread = 0; // distance of the people from their centre
  #snap = true;
  #free = true; // the user has not moved the view, so its distance adapts by itself
  #floorY = 0;
  #last = null; // the newest frame's {camera, size, paint}
  #lost = false;
  #pace;
  #soft;
  #observer;

  /**
   * box: the element to fill; means: of `probe`; lost(sentence): the 3D view is gone, or back (""). Raises NoWebGl.
   */
  constructor(box, means, lost, signal) {
    const { canvas, gl } = openContext(means);
    box.prepend(canvas);
    this.box = box;
    this.renders = 0;
    this.#soft = means.soft;
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, context: gl, antialias: !means.soft });
    this.#pace = new Pace(gl);
    this.scene = new Scene();
    this.scene.background = new Color();
    this.camera = new PerspectiveCamera(36, 4 / 3, 0.05, 60);
    this.orbit = new OrbitControls(this.camera, this.canvas);
    Object.assign(this.orbit, { minDistance: 0.6, maxDistance: 14, maxPolarAngle: Math.PI * 0.53, enableZoom: false });
    this.orbit.addEventListener("change", () => this.changed());
    this.orbit.addEventListener("start", () => (this.#free = false));
    this.canvas.style.touchAction = "pan-y"; // vertical swipes scroll the page
    this.cast = new Cast(this.scene, () => this.changed());
    this.skeletons = new Skeletons(this.scene);
    this.cameraView = new CameraView();
    this.#furnish();
    this.resetView();
    this.#listen(lost, signal);
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(box);
    this.#fit();
  }

  #furnish() {
    this.sky = new HemisphereLight(0xffffff, 0xffffff, 1.5);
    const sun = new DirectionalLight(0xffffff, 1.9);
    sun.position.set(1.5, 3, 2.5);
    const back = new DirectionalLight(0xffffff, 0.7);
    back.position.set(-2, 2, -3);
    this.floor = new Floor(this.scene);
    this.scene.add(this.sky, new AmbientLight(0xffffff, 0.35), sun, back);
  }

  /** "light" or "dark" */
  setTheme(name) {
    const { ground, line, mark, floorLight, shadow } = SCENE[name];
    this.scene.background.set(ground);
    this.sky.groundColor.set(floorLight);
    this.floor.setColours(line, mark);
    this.skeletons.setShadow(shadow);
    this.changed();
  }

  #listen(lost, signal) {
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault(); // so that it can be restored
      this.#lost = true;
      lost("The graphics card has reset the 3D view. It should come back by itself in a moment; otherwise reload the page.");
    }, { signal });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.#lost = false;
      this.#pace.reset();
      lost("");
      this.changed();
    }, { signal });
    // the wheel scrolls the page until this view has the focus
    this.canvas.addEventListener("focus", () => (this.orbit.enableZoom = true), { signal });
    this.canvas.addEventListener("blur", () => (this.orbit.enableZoom = false), { signal });
    this.canvas.addEventListener("pointerdown", () => this.canvas.focus({ preventScroll: true }), { signal });
    this.canvas.addEventListener("keydown", (event) => this.#key(event), { signal });
  }

  #key(event) {
    const turns = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const zooms = { "+": 0.9, "=": 0.9, "-": 1 / 0.9 };
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in turns || event.key in zooms)) return;
    if (this.cameraView.used) return;
    event.preventDefault();
    const offset = this.camera.position.clone().sub(this.orbit.target);
    const [aside, up] = turns[event.key] ?? [0, 0];
    offset.applyAxisAngle(this.camera.up, aside * TURN_RAD);
    const across = new Vector3().crossVectors(this.camera.up, offset).normalize();
    const tilted = offset.clone().applyAxisAngle(across, up * TURN_RAD);
    if (Math.abs(tilted.clone().normalize().y) < 0.98) offset.copy(tilted);
    this.camera.position.copy(this.orbit.target).addScaledVector(offset, zooms[event.key] ?? 1);
    this.orbit.update();
    this.#free = false;
    this.changed();
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (!width || !height) return;
    this.renderer.setPixelRatio(this.#soft ? 1 : Math.min(window.devicePixelRatio || 1, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.changed();
  }

  /** Back to the first view, at the people who are there now. */
  resetView() {
    this.#free = true;
    this.#follow(1);
    this.orbit.update();
    this.changed();
  }

  #hips() {
    return [...this.#people.values()].map(({ person }) => new Vector3(...person.joints[0]));
  }

  /** A frame: its people and its camera; `run` changes with each start. paint(ctx, area) draws its image. */
  show({ people, run, camera, size }, nowMs, paint) {
    this.#last = { camera, size, paint };
    this.#seeThrough(this.#last);
    if (run !== this.#run) {
      this.#run = run;
      this.#people.clear();
      this.#floorY = 0;
      this.#snap = true;
    }
    for (const person of people) {
      if (person.joints && person.rotations && person.root) this.#people.set(person.id, { person, seenMs: nowMs });
    }
    for (const [id, { seenMs }] of this.#people) if (nowMs - seenMs > GONE_MS) this.#people.delete(id);
    this.#settleFloor();
    const shown = [...this.#people.values()].map(({ person }) => person);
    this.cast.play(shown, false);
    this.skeletons.show(shown, this.#floorY);
    this.#look();
    this.#movedMs = nowMs;
    this.changed();
  }

  /** Draws through the take's camera, over its frame, or from the user's view. */
  setOver(on) {
    this.cameraView.on = on;
    this.#seeThrough(this.#last);
    this.changed();
  }

  #seeThrough(last) {
    if (last) this.cameraView.show(last.camera, last.size, last.paint);
    else this.cameraView.known = false;
    this.orbit.enabled = !this.cameraView.used;
  }

  #settleFloor() {
    for (const { person } of this.#people.values()) {
      const lowest = Math.min(...person.joints.map(([, y]) => y)) - 0.07; // an ankle over its sole
      if (lowest < SUNK_M) this.#floorY = Math.min(this.#floorY, lowest);
    }
  }

  #look() {
    const hips = this.#hips();
    if (hips.length) {
      const middle = hips.reduce((sum, place) => sum.add(place), new Vector3()).divideScalar(hips.length);
      this.#centre.set(middle.x, this.#floorY + HIGH_M, middle.z);
    }
    this.#spread = Math.max(0, ...hips.map((place) => place.setY(this.#centre.y).distanceTo(this.#centre)));
    if (hips.length && this.#snap) {
      this.#follow(1);
      this.#snap = false;
    }
    this.floor.setHeight(this.#floorY);
  }

  /** Without a run the character stands at the origin. */
  idle() {
    this.#people.clear();
    this.#run = this.#last = null;
    this.#seeThrough(null);
    this.#floorY = 0;
    this.#centre.set(0, HIGH_M, 0);
    this.cast.play([], true);
    this.skeletons.show([], 0);
    this.#look();
    this.changed();
  }

  /** What is missing for the view, in words. */
  get missing() {
    if (!this.#people.size) return "No 3D pose";
    return this.cameraView.on && !this.cameraView.known ? "Camera unknown" : "";
  }

  /** The final position of the view; one that the user has moved keeps its direction and distance. */
  #goal() {
    if (this.#free) return this.#centre.clone().addScaledVector(EYE, EYE_M + 1.6 * this.#spread);
    return this.camera.position.clone().add(this.#centre).sub(this.orbit.target);
  }

  #follow(share) {
    this.camera.position.lerp(this.#goal(), share);
    this.orbit.target.lerp(this.#centre, share);
  }

  get #away() {
    return Math.max(this.#centre.distanceTo(this.orbit.target), this.#goal().distanceTo(this.camera.position));
  }

  changed() {
    if (!this.#frame) this.#frame = requestAnimationFrame((nowMs) => this.#tick(nowMs));
  }

  #tick(nowMs) {
    this.#frame = 0;
    if (this.#lost) return;
    if (!this.#pace.mayRender(performance.now())) return this.changed();
    const seconds = Math.min(Math.max((nowMs - this.#lastMs) / 1000, 0), 0.5);
    this.#lastMs = nowMs;
    if (this.#away > NEAR_M) this.#follow(1 - Math.exp(-seconds / FOLLOW_S));
    this.cast.update(seconds);
    const eye = this.cameraView.used ? this.cameraView.camera : this.camera;
    this.floor.lieUnder(this.orbit.target, eye.position.distanceTo(this.orbit.target));
    this.camera.lookAt(this.orbit.target);
    const { clientWidth: width, clientHeight: height } = this.box;
    if (this.cameraView.used) this.cameraView.render(this.renderer, this.scene, width, height);
    else this.renderer.render(this.scene, this.camera);
    this.#pace.rendered(performance.now());
    this.renders += 1;
    const swinging = this.cast.swings && performance.now() - this.#movedMs < SWING_MS;
    if (this.#away > NEAR_M || swinging) this.changed();
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    this.#frame = -1; // stops rendering
    this.#observer.disconnect();
    this.cast.destroy();
    this.skeletons.destroy();
    this.floor.destroy();
    this.cameraView.destroy();
    this.orbit.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}
