// The browser's own camera: sends frames to the server, one in flight, and explains what can go wrong.
import { encodeFrame } from "./message.js";

const WANTED = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };
const MAX_WIDTH = 1280;
const QUALITY = 0.85;

const SENTENCES = {
  NotAllowedError: "The browser may not use the camera. Allow it in the address bar (camera icon), then try again.",
  NotFoundError: "The browser finds no camera on this computer. Connect one, then try again.",
  NotReadableError: "The camera is in use by another program. Close that program, then try again.",
  OverconstrainedError: "The camera has no usable frame size. Choose another camera, then try again.",
};
export const NEEDS_SECURITY =
  "The browser's camera needs localhost or HTTPS. Open this page as http://localhost with the same port, or over HTTPS.";

export class BrowserCamera {
  #stream = null;
  #video = null;
  #run = 0; // incremented by each start and stop, so that results of an older one are dropped

  /** socket: receives the frames; failed(sentence): called with "" when all is well. */
  constructor(socket, failed) {
    this.socket = socket;
    this.failed = failed;
    this.sent = 0;
  }

  get running() {
    return this.#stream !== null;
  }

  async start() {
    const run = ++this.#run;
    this.#release();
    this.failed("");
    if (!navigator.mediaDevices?.getUserMedia) return this.failed(NEEDS_SECURITY);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: WANTED, audio: false });
      if (run !== this.#run) return stream.getTracks().forEach((track) => track.stop());
      this.#stream = stream;
      stream.getVideoTracks()[0].onended = () => {
        if (run !== this.#run) return;
        this.stop();
        this.failed("The camera was disconnected. Connect it, then try again.");
      };
      this.#video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
      await this.#video.play();
      this.#grabEach(run, this.#video);
    } catch (error) {
      if (run !== this.#run) return; // stopped meanwhile
      this.#release();
      this.failed(SENTENCES[error.name] ?? `The camera could not be opened (${error.message}). Try again.`);
    }
  }

  #grabEach(run, video) {
    const canvas = document.createElement("canvas");
    const ctx = canvas.getContext("2d");
    const next = (grab) =>
      video.requestVideoFrameCallback ? video.requestVideoFrameCallback(grab) : requestAnimationFrame(grab);
    let busy = false;
    const grab = () => {
      if (run !== this.#run) return;
      next(grab);
      if (busy || !this.socket.hasRoom || !video.videoWidth) return; // skip this frame: a newer one is better
      busy = true;
      const grabbedMs = performance.timeOrigin + performance.now();
      const scale = Math.min(1, MAX_WIDTH / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      ctx.drawImage(video, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(async (blob) => {
        const jpeg = await blob?.arrayBuffer();
        busy = false;
        if (!jpeg || run !== this.#run) return;
        this.socket.sendFrame(encodeFrame(grabbedMs, jpeg));
        this.sent += 1;
      }, "image/jpeg", QUALITY);
    };
    next(grab);
  }

  stop() {
    this.#run += 1;
    this.#release();
    this.failed("");
  }

  #release() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    if (this.#video) this.#video.srcObject = null;
    this.#stream = this.#video = null;
  }
}
