// Keys of the whole page: r, space and the full stop, except in text fields.

const TYPED_IN = 'input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable=""], [contenteditable=true]';
const PRESSED = "button, a, summary, input, [role=button], [role=option], [role=tab], [role=slider], [role=switch]"; // they use space themselves

/** pressed(what): called with "recentre", "pause" or "step"; returns whether it was handled. */
export function listenToKeys(pressed, signal) {
  const keys = { r: "recentre", R: "recentre", " ": "pause", ".": "step" };
  const heard = (event) => {
    const what = keys[event.key];
    if (!what || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const at = event.composedPath()[0];
    if (at instanceof Element && (at.closest(TYPED_IN) || at.isContentEditable || (event.key === " " && at.closest(PRESSED)))) return;
    if (!pressed(what)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  window.addEventListener("keydown", heard, { capture: true, signal }); // before the page's own key handlers
}
