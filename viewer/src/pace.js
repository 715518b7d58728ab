// How often the 3D view may be rendered: where that is slow (no graphics card), the picture and the page go first.

const FREE_MS = 20; // what is done by the next picture of the screen needs no rest
const REST = 1.0; // of the time that it took
const LONGEST_REST_MS = 60;

export class Pace {
  #fence = null;
  #sinceMs = 0;
  #restUntilMs = 0;

  constructor(gl) {
    this.gl = gl;
  }

  /** Whether what was rendered last is done, and the rest after it is over. */
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

  /** The context was lost: what was under way is gone with it. */
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
