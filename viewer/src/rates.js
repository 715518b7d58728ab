// Frame rate and latency of the live view.

const WINDOW_MS = 2000;

export class Rates {
  #shown = []; // [when, latency]

  add(nowMs, latencyMs) {
    this.#shown.push([nowMs, latencyMs]);
    while (nowMs - this.#shown[0][0] > WINDOW_MS) this.#shown.shift();
  }

  clear() {
    this.#shown = [];
  }

  /** Frames a second over the last two seconds; 0 without frames. */
  fps(nowMs) {
    const recent = this.#shown.filter(([when]) => nowMs - when <= WINDOW_MS);
    if (recent.length < 2) return 0;
    return ((recent.length - 1) * 1000) / Math.max(nowMs - recent[0][0], 1);
  }

  /** The median time from the server to the screen in ms; null without frames. */
  latencyMs() {
    if (!this.#shown.length) return null;
    const sorted = this.#shown.map(([, latency]) => latency).sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }
}
