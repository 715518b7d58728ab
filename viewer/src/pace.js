// The 3D view's render rate: where rendering is slow (no graphics card), the image and the page have priority.

const FREE_MS = 20; // a frame that is done before the screen's next one needs no rest
const REST = 1.0; // as a share of the time that it took
const LONGEST_REST_MS = 60;

export class Pace {
  #fence = null;
  #sinceMs = 0;
  #restUntilMs = 0;

  constructor(gl) {
    this.gl = gl;
  }

  /** Whether the last frame is done, and the rest after it is over. */
  mayRender(nowMs) {
    if (this.#fence) {
      const { gl } = this;
      if (gl.getSyncParameter(this.#fence, gl.SYNC_STATUS) !== gl.SIGNALED) return false;
      gl.deleteSync(this.#fence);
      this.#fence = null;
      const tookMs = nowMs - this.#sinceMs;
      this.#restUntilMs = tookMs > FREE_MS ? nowMs + Math.min(REST * tookMs, LONGEST_REST_MS) : 0;
    }
    return nowMs >= this.#restUntilMs;
  }

  /** The context was lost, and the frame under way with it. */
  reset() {
    this.#fence = null;
    this.#restUntilMs = 0;
  }

  rendered(nowMs) {
    this.#fence = this.gl.fenceSync(this.gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    this.gl.flush();
    this.#sinceMs = nowMs;
  }
}
