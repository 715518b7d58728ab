// The left canvas: the newest frame with the people drawn over it, at the screen's resolution.
import { drawBox, drawSkeleton, lineWidth, writeId } from "./overlay.js";

const NO_IMAGE = "#20242b"; // the background for a take without video

export class FrameView {
  #ctx;
  #bitmap = null;
  #frame = null;
  #clears = 0;
  #observer;

  /** soft: WebGL is emulated by the CPU, so there is no graphics card to use. */
  constructor(canvas, soft) {
    this.canvas = canvas;
    this.#ctx = canvas.getContext("2d", { willReadFrequently: soft });
    this.layouts = {};
    this.colours = {};
    this.show = { skeleton: true, boxes: false, ids: true };
    this.threshold = 0.3;
    this.mirror = false;
    this.#observer = new ResizeObserver(() => this.#fit());
    this.#observer.observe(canvas);
    this.#fit();
  }

  #fit() {
    const scale = Math.min(window.devicePixelRatio || 1, 2);
    const [width, height] = [this.canvas.clientWidth * scale, this.canvas.clientHeight * scale].map(Math.round);
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.draw();
  }

  /** Shows a frame; resolves once it is on the canvas. False if the view was cleared while it was decoded. */
  async take(frame) {
    const clears = this.#clears;
    let bitmap = null;
    if (frame.jpeg.length) bitmap = await createImageBitmap(new Blob([frame.jpeg], { type: "image/jpeg" }));
    if (clears !== this.#clears) {
      bitmap?.close();
      return false;
    }
    this.#bitmap?.close();
    this.#bitmap = bitmap;
    this.#frame = frame;
    this.draw();
    return true;
  }

  clear() {
    this.#clears += 1;
    this.#bitmap?.close();
    this.#bitmap = this.#frame = null;
    this.draw();
  }

  /** Draws the current frame again: after a change of size, overlay or mirroring. */
  draw() {
    const ctx = this.#ctx;
    const { width, height } = this.canvas;
    ctx.clearRect(0, 0, width, height);
    if (!this.#frame) return;
    const [w, h] = this.#frame.size;
    const scale = Math.min(width / w, height / h);
    const area = { x: (width - w * scale) / 2, y: (height - h * scale) / 2, width: w * scale, height: h * scale };
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.x, area.y, area.width, area.height);
    ctx.clip();
    this.paint(ctx, area);
    const place = ([x, y]) => [area.x + (this.mirror ? w - x : x) * scale, area.y + y * scale];
    for (const person of this.#frame.people) this.#drawPerson(person, place, area);
    ctx.restore();
  }

  /** Draws the frame's image into an area of a canvas, mirrored if the view is; without one, a plain background. */
  paint(ctx, area) {
    ctx.save();
    ctx.translate(area.x, area.y);
    if (this.mirror) {
      ctx.translate(area.width, 0);
      ctx.scale(-1, 1);
    }
    if (this.#bitmap) {
      ctx.drawImage(this.#bitmap, 0, 0, area.width, area.height);
    } else {
      ctx.fillStyle = NO_IMAGE;
      ctx.fillRect(0, 0, area.width, area.height);
    }
    ctx.restore();
  }

  #drawPerson(person, place, area) {
    const layout = this.layouts[person.layout];
    const width = lineWidth(area.width, area.height);
    const style = { layout, colours: this.colours, place, threshold: this.threshold, width, area };
    if (this.show.boxes) drawBox(this.#ctx, person, style);
    if (!layout) return;
    if (this.show.skeleton) drawSkeleton(this.#ctx, person, style);
    if (this.show.ids) writeId(this.#ctx, person, style);
  }

  destroy() {
    this.#observer.disconnect();
    this.#bitmap?.close();
    this.#bitmap = this.#frame = null;
  }
}
