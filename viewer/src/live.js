// The live view of the dashboard: `mount(root, {url, character, theme})` shows it until destroy().
import { BrowserCamera } from "./browser_camera.js";
import { listenToKeys } from "./keys.js";
import { CharacterError, checkSize } from "./model_file.js";
import { Pane } from "./pane.js";
import { FrameView } from "./frame_view.js";
import { Rates } from "./rates.js";
import { clearRunMarks } from "./run_marks.js";
import { LiveSocket } from "./socket.js";
import { Stage } from "./stage.js";
import { Theme } from "./theme.js";
import { NoWebGl, probe } from "./webgl.js";

const RATE_EVERY_MS = 1000;

/**
 * Shows the live view in an element.
 *
 * options.url: of the WebSocket; options.character: address of the default character (same origin);
 * options.theme: "light" or "dark", or nothing to do as the page does.
 */
export function mount(root, options) {
  const view = new LiveView(root, options);
  return { destroy: () => view.destroy() };
}

class LiveView {
  #ended = new AbortController();
  #state = { phase: "", browser_camera: false };
  #link = "Connecting ...";
  #cameraFailure = "";
  #stage = null;
  #count = { frames: 0, seq: null, run: null };
  #rates = new Rates();
  #timer;

  constructor(parent, options) {
    const { signal } = this.#ended;
    this.options = options;
    this.root = document.createElement("section");
    this.root.className = "rp-live";
    this.root.setAttribute("aria-label", "Live view");
    parent.append(this.root);
    this.pane = new Pane(this.root, {
      toggle: (name, on) => this.#toggle(name, on),
      press: (name) => this.#onPress(name),
      file: (file) => this.#useFile(file),
    }, signal);
    const means = probe();
    this.frameView = new FrameView(this.pane.canvas, means.soft);
    this.#openStage(means, signal);
    new Theme(this.root, options.theme, (name) => this.#stage?.setTheme(name), signal);
    this.socket = new LiveSocket(options.url, {
      hello: (hello) => this.#setUp(hello),
      state: (state) => this.#setState(state),
      frame: (frame) => this.#show(frame),
      link: (text) => this.#setLink(text),
    });
    this.camera = new BrowserCamera(this.socket, (sentence) => {
      this.#cameraFailure = sentence;
      this.#updateMessages();
    });
    listenToKeys((what) => this.#onKey(what), signal);
    window.addEventListener("online", () => this.socket.retry(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.socket.retry(), { signal });
    this.#timer = setInterval(() => this.#updateRate(), RATE_EVERY_MS);
    this.#updateMessages();
    this.#publish();
  }

  // ---- 3D and its character ----------------------------------------------------------------------------------------

  #openStage(means, signal) {
    try {
      this.#stage = new Stage(this.pane.box3d, means, (sentence) => this.pane.setSceneMessage(sentence), signal);
    } catch (error) {
      if (!(error instanceof NoWebGl)) throw error;
      this.pane.setSceneMessage(error.message);
      for (const name of ["character", "joints", "over", "reset", "recentre", "choose"]) this.pane.enable(name, false);
      return;
    }
    this.#stage.idle();
    this.#useDefault();
  }

  async #useDefault() {
    const address = this.options.character;
    const name = decodeURIComponent(new URL(address, location.href).pathname.split("/").at(-1));
    try {
      const answer = await fetch(address, { signal: this.#ended.signal });
      if (!answer.ok) throw new CharacterError(`the server does not have it (${answer.status})`);
      if (!(await this.#stage.cast.use(name, await answer.arrayBuffer()))) return;
      this.pane.note("");
      this.pane.enable("default", false);
    } catch (error) {
      if (!this.#ended.signal.aborted) this.pane.note(`The default character cannot be shown: ${error.message}.`, "bad");
    }
  }

  async #useFile(file) {
    if (!this.#stage) return;
    this.pane.note(`Reading ${file.name} ...`);
    try {
      checkSize(file.size);
      const buffer = await file.arrayBuffer();
      if (!(await this.#stage.cast.use(file.name, buffer))) return;
    } catch (error) {
      const why = error instanceof CharacterError ? error.message : `it cannot be read (${error.message})`;
      this.pane.note(`${file.name} cannot be used: ${why}. The character is unchanged.`, "bad");
      return;
    }
    const { missing } = this.#stage.cast;
    this.pane.note(missing.length ? `${file.name} has no ${missing.join(" and no ")} bone; the bone below it bends instead.` : `${file.name}`);
    this.pane.enable("default", true);
  }

  // ---- messages from the server ------------------------------------------------------------------------------------

  #setUp(hello) {
    this.frameView.layouts = hello.layouts;
    this.frameView.colours = hello.colours;
    this.#stage?.skeletons.setUp(hello.skeleton, hello.colours);
  }

  #setState(state) {
    const before = this.#state;
    this.#state = state;
    this.frameView.threshold = state.threshold ?? this.frameView.threshold;
    this.frameView.mirror = Boolean(state.mirror);
    if (["idle", "failed", "opening"].includes(state.phase)) {
      if (state.phase !== before.phase) this.#clear();
    } else {
      this.frameView.draw();
    }
    if (state.browser_camera && !this.camera.running && !(before.browser_camera && this.#cameraFailure)) this.camera.start();
    if (!state.browser_camera && (this.camera.running || before.browser_camera)) this.camera.stop();
    this.#updateMessages();
  }

  #clear() {
    this.#count.run = null;
    this.frameView.clear();
    this.#rates.clear();
    this.#stage?.idle();
    this.#updateRate();
  }

  async #show(frame) {
    if (!(await this.frameView.take(frame)) || this.#ended.signal.aborted) return;
    const nowMs = performance.now();
    this.#stage?.show(frame, nowMs, (ctx, area) => this.frameView.paint(ctx, area));
    this.#rates.add(nowMs, performance.timeOrigin + nowMs - frame.sent_unix_s * 1000);
    const first = this.#count.run !== frame.run;
    Object.assign(this.#count, { frames: this.#count.frames + 1, seq: frame.seq, run: frame.run });
    this.pane.badge("nobody", this.#stage?.missing ?? "");
    if (first) this.#updateMessages();
  }

  #setLink(text) {
    this.#link = text;
    this.#updateMessages();
  }

  // ---- messages to the user -----------------------------------------------------------------------------------------

  #updateMessages() {
    const { phase, recording } = this.#state;
    const away = this.#link !== "" && phase !== "";
    this.pane.badge("link", away ? this.#link : "");
    this.pane.badge("rec", recording && !away ? "Recording" : "");
    this.pane.badge("paused", phase === "paused" && !away ? "Paused" : "");
    if (this.#count.run === null) this.pane.badge("nobody", "");
    this.pane.setFrameMessage(this.#message());
  }

  #message() {
    const { phase, failure, doing, progress } = this.#state;
    if (this.#cameraFailure) return { text: this.#cameraFailure, tone: "bad", retry: "camera" };
    if (phase === "failed") return { text: failure || "The run ended with an error. Press Start to try again.", tone: "bad" };
    if (this.#count.run !== null) return { text: "" };
    if (phase === "idle") return { text: "Choose a source and press Start." };
    if (phase === "opening") return { text: doing || "Starting ...", progress: progress ?? null };
    if (phase === "") return { text: this.#link };
    return { text: "Waiting for the first frame ..." };
  }

  #updateRate() {
    clearRunMarks();
    const fps = this.#rates.fps(performance.now());
    const latency = this.#rates.latencyMs();
    this.pane.badge("rate", fps > 0 ? `${fps.toFixed(0)} fps, ${Math.max(0, latency).toFixed(0)} ms` : "");
  }

  // ---- input --------------------------------------------------------------------------------------------------------

  #toggle(name, on) {
    if (name === "character") {
      this.#stage?.cast.setVisible(on);
    } else if (name === "joints") {
      this.#stage?.skeletons.setVisible(on);
      this.#stage?.changed();
    } else if (name === "over") {
      this.#stage?.setOver(on);
      this.pane.enable("reset", !on);
      this.pane.badge("nobody", this.#count.run !== null ? (this.#stage?.missing ?? "") : "");
    } else {
      this.frameView.show[name] = on;
      this.frameView.draw();
    }
  }

  #onPress(name) {
    if (name === "reset") this.#stage?.resetView();
    if (name === "recentre") this.socket.do("recentre");
    if (name === "default") this.#useDefault();
    if (name === "camera") this.camera.start();
  }

  #onKey(what) {
    const { phase } = this.#state;
    if (phase !== "running" && phase !== "paused") return false;
    this.socket.do(what === "pause" && phase === "paused" ? "resume" : what);
    return true;
  }

  // ---- for tests and the console ------------------------------------------------------------------------------------

  #publish() {
    const [view, stage] = [this, this.#stage];
    const count = this.#count;
    this.published = {
      get frames() { return count.frames; },
      get seq() { return count.seq; },
      get run() { return count.run; },
      get shown_fps() { return view.#rates.fps(performance.now()); },
      get latency_ms() { return view.#rates.latencyMs(); },
      get reconnects() { return view.socket.reconnects; },
      get camera_frames_sent() { return view.camera.sent; },
      get webgl() { return stage !== null; },
      get renders() { return stage?.renders ?? 0; },
      get character() { return { name: stage?.cast.name ?? "", missing: stage?.cast.missing ?? [], figures: stage?.cast.count ?? 0 }; },
      get over() { return stage?.cameraView.used ?? false; },
      get eye() { return stage && { position: stage.camera.position.toArray(), target: stage.orbit.target.toArray() }; },
      /** The local rotation xyzw of a joint's bone, of the person with this id or of the first one. */
      bone: (name, id) => stage?.cast.figureOf(id)?.bone(name) ?? null,
    };
    window.realtimePose = this.published;
  }

  destroy() {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    clearInterval(this.#timer);
    this.camera.stop();
    this.socket.destroy();
    this.frameView.destroy();
    this.#stage?.destroy();
    this.root.remove();
    if (window.realtimePose === this.published) delete window.realtimePose;
  }
}
