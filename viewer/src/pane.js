// What one sees: two boxes of fixed shape, what is said in them, and the controls below. It knows no other part.
import css from "./style.css";

const PAGE = `
  <style></style>
  <div class="rp-views">
    <div class="rp-view">
      <div class="rp-box rp-2d">
        <canvas role="img" aria-label="The picture with the people's skeletons over it"></canvas>
        <div class="rp-says" role="status"></div>
        <div class="rp-badges">
          <span class="rp-badge rp-rec" hidden>Recording</span>
          <span class="rp-badge rp-paused" hidden>Paused</span>
          <span class="rp-badge rp-link" role="status" hidden></span>
        </div>
        <span class="rp-rate" title="Pictures a second shown here, and how long one takes from the program to this screen" hidden></span>
      </div>
      <div class="rp-bar" role="group" aria-label="What is drawn over the picture">
        <label class="rp-toggle" title="Joins the points that were found on each person"><input type="checkbox" data-toggle="skeleton" checked>Skeleton</label>
        <label class="rp-toggle" title="A frame around each person that was found"><input type="checkbox" data-toggle="boxes">Boxes</label>
        <label class="rp-toggle" title="The number that each person keeps while in view"><input type="checkbox" data-toggle="ids" checked>Numbers</label>
      </div>
      <p class="rp-note"><kbd>space</kbd> pause or go on, <kbd>.</kbd> one step, <kbd>R</kbd> recentre</p>
    </div>
    <div class="rp-view">
      <div class="rp-box rp-3d">
        <div class="rp-says" role="status"></div>
        <div class="rp-badges"><span class="rp-badge rp-nobody" role="status" hidden>Nobody in 3D</span></div>
        <div class="rp-drop">Drop the .glb or .vrm file here</div>
      </div>
      <div class="rp-bar" role="group" aria-label="The 3D view">
        <label class="rp-toggle" title="The figure that moves as the person does"><input type="checkbox" data-toggle="character" checked>Character</label>
        <label class="rp-toggle" title="The joints and bones that drive the figure; grey: not seen by the camera"><input type="checkbox" data-toggle="joints" checked>Joints</label>
        <button type="button" data-press="reset" title="Look from the front again">Reset view</button>
        <button type="button" data-press="recentre" title="The character stands at the middle of the floor again (key R)">Recentre</button>
      </div>
      <div class="rp-bar rp-file" role="group" aria-label="The character">
        <button type="button" data-press="choose" title="A .glb or .vrm file of yours; it stays in this browser. You can drop it on the view, too">Choose character</button>
        <button type="button" data-press="default" title="The character that comes with the program" disabled>Default</button>
        <p class="rp-note rp-said" role="status"></p>
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
      file.value = ""; // the same file may be chosen again
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

  /** Over the picture: {text, tone: "bad" or "", progress: 0..1 or null, retry: name of a button's press or ""}. */
  sayPicture(said) {
    fill(this.#one(".rp-2d .rp-says"), said);
  }

  /** Over the 3D view; "" for nothing. */
  say3d(text) {
    fill(this.#one(".rp-3d .rp-says"), { text });
  }

  badge(name, text) {
    const badge = this.#one(`.rp-${name}`);
    badge.hidden = !text;
    if (text && badge.textContent !== text) badge.textContent = text;
  }

  note(text, tone = "") {
    const note = this.#one(".rp-said");
    note.dataset.tone = tone;
    note.textContent = text;
  }

  enable(name, enabled) {
    this.#one(`[data-press=${name}], [data-toggle=${name}]`).disabled = !enabled;
  }
}

/** Puts text, progress and a button in; leaves all as it is where nothing has changed, so that readers stay calm. */
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
