// The connection to the server: reconnects by itself, and acknowledges each frame once it has been drawn.
import { decodeFrame } from "./message.js";

const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 5000;
const UNSENT_BYTES = 262_144; // above this, camera frames are skipped

export class LiveSocket {
  #socket = null;
  #timer = 0;
  #waitMs = FIRST_WAIT_MS;
  #ended = false;

  /**
   * on.hello(message), on.state(message), on.link(text): a problem with the connection, or "";
   * on.frame(frame): may be async; each is acknowledged when it is done, and sends a few frames ahead at most.
   */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.reconnects = 0;
    this.#open();
  }

  #open() {
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    let before = Promise.resolve();
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") {
        this.#onMessage(JSON.parse(data));
      } else {
        before = before.then(() => this.#shown(socket, data)); // in order, as decoding may finish out of order
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#ended) return;
      const why = code === 1008 && reason ? ` The server closed the connection: ${reason}.` : "";
      this.on.link(`Reconnecting ...${why}`);
      this.#timer = setTimeout(() => this.retry(), this.#waitMs);
      this.#waitMs = Math.min(2 * this.#waitMs, MAX_WAIT_MS);
    };
  }

  #onMessage(message) {
    if (message.type === "hello") {
      this.#waitMs = FIRST_WAIT_MS;
      this.on.link("");
      this.on.hello(message);
    } else if (message.type === "state") {
      this.on.state(message);
    }
  }

  async #shown(socket, data) {
    if (this.#ended || socket !== this.#socket) return;
    const frame = decodeFrame(data);
    try {
      await this.on.frame(frame);
    } catch (error) {
      console.error(error); // one broken frame must not block the next ones
    }
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ack: frame.seq }));
  }

  /** Reconnect now instead of after the wait; does nothing while connected or connecting. */
  retry() {
    clearTimeout(this.#timer);
    if (this.#ended || this.#socket.readyState < WebSocket.CLOSING) return;
    this.reconnects += 1;
    this.#open();
  }

  get ready() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Whether a camera frame may be sent without a growing queue. */
  get hasRoom() {
    return this.ready && this.#socket.bufferedAmount < UNSENT_BYTES;
  }

  do(what) {
    if (this.ready) this.#socket.send(JSON.stringify({ do: what }));
  }

  sendFrame(bytes) {
    if (this.ready) this.#socket.send(bytes);
  }

  destroy() {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#socket.close();
  }
}
