// The view through the take's own camera: the frame as the background, the scene drawn over it.
import { CanvasTexture, PerspectiveCamera, SRGBColorSpace } from "three";

const [NEAR_M, FAR_M] = [0.05, 200];
const LONGER_SIDE_PX = 960; // of the background, as the server sends frames

export class CameraView {
  #ctx = document.createElement("canvas").getContext("2d");

  constructor() {
    this.on = false;
    this.known = false; // whether the newest frame has a camera
    this.camera = new PerspectiveCamera(50, 4 / 3, NEAR_M, FAR_M);
    this.background = this.#texture();
  }

  /** Whether to draw through it. */
  get used() {
    return this.on && this.known;
  }

  /**
   * A frame: its camera {position, rotation, yfov_deg} or null, its size [width, height], and paint(ctx, area), which
   * draws its picture.
   */
  show(camera, [width, height], paint) {
    this.known = Boolean(camera);
    if (!this.used) return;
    this.camera.position.set(...camera.position);
    this.camera.quaternion.set(...camera.rotation).normalize();
    this.camera.fov = camera.yfov_deg;
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.#fit(width, height);
    const { canvas } = this.#ctx;
    paint(this.#ctx, { x: 0, y: 0, width: canvas.width, height: canvas.height });
    this.background.needsUpdate = true;
  }

  /** A texture keeps its size on the graphics card, so another size needs another texture. */
  #fit(width, height) {
    const { canvas } = this.#ctx;
    const scale = Math.min(1, LONGER_SIDE_PX / Math.max(width, height));
    const size = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
    if (canvas.width === size[0] && canvas.height === size[1]) return;
    [canvas.width, canvas.height] = size;
    this.background.dispose();
    this.background = this.#texture();
  }

  #texture() {
    const texture = new CanvasTexture(this.#ctx.canvas);
    texture.colorSpace = SRGBColorSpace;
    texture.generateMipmaps = false;
    return texture;
  }

  /** Draws the scene over the frame, as large as fits into the renderer's `width` x `height`; the rest is cleared. */
  render(renderer, scene, width, height) {
    const { aspect } = this.camera;
    const wide = Math.min(width, height * aspect);
    const area = [(width - wide) / 2, (height - wide / aspect) / 2, wide, wide / aspect];
    const ground = scene.background;
    renderer.setClearColor(ground);
    renderer.clear();
    renderer.setViewport(...area);
    renderer.setScissor(...area);
    renderer.setScissorTest(true);
    scene.background = this.background;
    renderer.render(scene, this.camera);
    scene.background = ground;
    renderer.setScissorTest(false);
    renderer.setViewport(0, 0, width, height);
  }

  destroy() {
    this.background.dispose();
  }
}
