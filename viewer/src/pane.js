// The layout: two boxes of fixed shape, their messages, and the controls below. Independent of all other parts.
import css from "./style.css";

const PAGE = `
  <style></style>
  <div class="rp-views">
    <div class="rp-view">
      <div class="rp-box rp-2d">
        <canvas role="img" aria-label="The frame with the people's skeletons over it"></canvas>
        <div class="rp-message" role="status"></div>
        <div class="rp-badges">
          <span class="rp-badge rp-rec" hidden>Recording</span>
          <span class="rp-badge rp-paused" hidden>Paused</span>
          <span class="rp-badge rp-link" role="status" hidden></span>
        </div>
        <span class="rp-rate" title="Frames a second shown here, and the time from the program to this screen" hidden></span>
      </div>
      <div class="rp-bar" role="group" aria-label="Overlay">
        <label class="rp-toggle" title="Draw each person's keypoints and the lines between them"><input type="checkbox" data-toggle="skeleton" checked>Skeleton</label>
        <label class="rp-toggle" title="Draw a box around each person"><input type="checkbox" data-toggle="boxes">Boxes</label>
        <label class="rp-toggle" title="Draw each person's number"><input type="checkbox" data-toggle="ids" checked>IDs</label>
      </div>
      <p class="rp-note"><kbd>space</kbd> pause or resume, <kbd>.</kbd> next frame, <kbd>R</kbd> recentre</p>
    </div>
    <div class="rp-view">
      <div class="rp-box rp-3d">
        <div class="rp-message" role="status"></div>
        <div class="rp-badges"><span class="rp-badge rp-nobody" role="status" hidden>No 3D pose</span></div>
        <div class="rp-drop">Drop the .glb or .vrm file here</div>
      </div>
      <div class="rp-bar" role="group" aria-label="3D view">
        <label class="rp-toggle" title="Show the character"><input type="checkbox" data-toggle="character" checked>Character</label>
        <label class="rp-toggle" title="Show joints and bones; grey ones are occluded"><input type="checkbox" data-toggle="joints" checked>Joints</label>
        <label class="rp-toggle" title="See the character through the camera, over the frame"><input type="checkbox" data-toggle="over">Over the video</label>
        <button type="button" data-press="reset" title="Back to the front view">Reset view</button>
        <button type="button" data-press="recentre" title="Move the character back to the middle of the floor (key R)">Recentre</button>
      </div>
      <div class="rp-bar rp-file" role="group" aria-label="Character">
        <button type="button" data-press="choose" title="Your own .glb or .vrm file; it stays in this browser. You can also drop it on the view">Choose character</button>
        <button type="button" data-press="default" title="Use the character that comes with the program" disabled>Built-in</button>
        <p class="rp-note rp-file-message" role="status"></p>
        <input type="file" accept=".glb,.vrm,model/gltf-binary" aria-label="A character's .glb or .vrm file" tabindex="-1" hidden>
      </div>
    </div>
  </div>`;

export class Pane {
  #root;

  /** on.toggle(name, checked), on.press(name), on.file(file) */
  constructor(root, on, signal) {
    this.#root = root;
    root.innerHTML = PAGE;
    root.querySelector("style").textContent = css;
    this.canvas = this.#one(".rp-2d canvas");
    this.box3d = this.#one(".rp-3d");
    for (const input of root.querySelectorAll("[data-toggle]"))
      input.addEventListener("change", () => on.toggle(input.dataset.toggle, input.checked), { signal });
    root.addEventListener("click", ({ target }) => {
      const name = target.closest("[data-press]")?.dataset.press;
      if (name === "choose") file.click();
      else if (name) on.press(name);
    }, { signal });
    const file = this.#one("input[type=file]");
    file.addEventListener("change", () => {
      if (file.files[0]) on.file(file.files[0]);
      file.value = ""; // so that the same file can be chosen again
    }, { signal });
    this.#takeDrops(on, signal);
  }

  #one(selector) {
    return this.#root.querySelector(selector);
  }

  #takeDrops(on, signal) {
    const root = this.#root;
    let depth = 0;
    const over = (count) => {
      depth = Math.max(0, count);
      root.toggleAttribute("data-dropping", depth > 0);
    };
    const hasFile = (event) => event.dataTransfer?.types.includes("Files");
    root.addEventListener("dragenter", (event) => hasFile(event) && over(depth + 1), { signal });
    root.addEventListener("dragleave", (event) => hasFile(event) && over(depth - 1), { signal });
    root.addEventListener("dragover", (event) => hasFile(event) && event.preventDefault(), { signal });
    root.addEventListener("drop", (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      over(0);
      if (event.dataTransfer.files[0]) on.file(event.dataTransfer.files[0]);
    }, { signal });
  }

  /** The message over the image: {text, tone: "bad" or "", progress: 0..1 or null, retry: name of a button's press or ""}. */
  setFrameMessage(message) {
    fill(this.#one(".rp-2d .rp-message"), message);
  }

  /** The message over the 3D view; "" for none. */
  setSceneMessage(text) {
    fill(this.#one(".rp-3d .rp-message"), { text });
  }

  badge(name, text) {
    const badge = this.#one(`.rp-${name}`);
    badge.hidden = !text;
    if (text && badge.textContent !== text) badge.textContent = text;
  }

  note(text, tone = "") {
    const note = this.#one(".rp-file-message");
    note.dataset.tone = tone;
    note.textContent = text;
  }

  enable(name, enabled) {
    this.#one(`[data-press=${name}], [data-toggle=${name}]`).disabled = !enabled;
  }
}

/** Sets text, progress and button; changes nothing if they are the same, so that screen readers do not repeat them. */
function fill(place, { text, tone = "", progress = null, retry = "" }) {
  const key = JSON.stringify([text, tone, progress, retry]);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.dataset.tone = tone;
  place.setAttribute("role", tone ? "alert" : "status");
  place.replaceChildren();
  if (text) place.append(Object.assign(document.createElement("p"), { textContent: text }));
  if (progress !== null) place.append(Object.assign(document.createElement("progress"), { value: progress, max: 1 }));
  if (retry) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    button.dataset.press = retry;
    place.append(button);
  }
}
