// The browser's 3D support: none, emulated by the CPU, or a graphics card.

/** Why there is no 3D view, as a sentence. */
export class NoWebGl extends Error {}

/** {webgl, soft}: soft if the CPU draws everything, where antialiasing and transfers cost too much. */
export function probe() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return { webgl: false, soft: true };
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  const maker = String(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return { webgl: true, soft: /swiftshader|llvmpipe|software|basic render/i.test(maker) };
}

/** A context on a new canvas. Raises NoWebGl. */
export function openContext({ webgl, soft }) {
  if (!webgl) {
    throw new NoWebGl(
      "The 3D view needs WebGL 2, which is off or missing in this browser. Switch on hardware acceleration in the " +
        "browser's settings, or use another browser. The image goes on without it.",
    );
  }
  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The people in 3D. Rotate the view with the arrow keys, zoom with + and -.");
  const gl = canvas.getContext("webgl2", { antialias: !soft, alpha: false, powerPreference: "high-performance" });
  if (!gl) throw new NoWebGl("The 3D view could not be opened, as too many are open. Close other tabs and reload the page.");
  return { canvas, gl };
}
