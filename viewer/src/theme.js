// Light or dark theme: as given, else from the page's colours, else from the system.

export const SCENE = {
  light: { ground: "#eef1f5", line: "#b3bdca", mark: "#6b7c93", floorLight: "#b9b4a8", shadow: 0.28 },
  dark: { ground: "#171a20", line: "#454e5c", mark: "#8493a8", floorLight: "#3a3a40", shadow: 0.5 },
};

/** "light" or "dark" for a CSS colour; null if it is none. */
export function toneOf(colour) {
  const ctx = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!colour || !CSS.supports("color", colour)) return null;
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = ctx.getImageData(0, 0, 1, 1).data;
  return a === 0 ? null : 0.299 * r + 0.587 * g + 0.114 * b < 128 ? "dark" : "light";
}

export class Theme {
  #query = window.matchMedia("(prefers-color-scheme: dark)");

  /** changed(name): called now and at each change. A colour transition on `root` shows when the page's colours change. */
  constructor(root, fixed, changed, signal) {
    this.root = root;
    this.fixed = fixed;
    this.changed = changed;
    this.name = "";
    this.#query.addEventListener("change", () => this.look(), { signal });
    root.addEventListener("transitionend", (event) => event.target === root && this.look(), { signal });
    this.look();
  }

  look() {
    const page = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim();
    const name = this.fixed ?? toneOf(page) ?? (this.#query.matches ? "dark" : "light");
    if (name === this.name) return;
    this.name = name;
    this.root.dataset.theme = name;
    this.changed(name);
  }
}
