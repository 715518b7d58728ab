"""The live view: a component that is mounted once and draws the frames of the WebSocket /live."""

import streamlit as st

_MOUNT = """
const views = new WeakMap();
export default function ({ data, parentElement }) {
  if (!views.has(parentElement)) {
    const root = document.createElement("div");
    parentElement.appendChild(root);
    const held = { root, gone: false, view: null };
    views.set(parentElement, held);
    import(location.origin + data.module).then(({ mount }) => {
      if (!held.gone) {
        const url = location.origin.replace(/^http/, "ws") + data.socket;
        held.view = mount(root, { url, character: location.origin + data.character });
      }
    }).catch((reason) => {
      root.textContent = "The live view could not be loaded; reload the page. (" + reason + ")";
    });
  }
  return () => {
    const held = views.get(parentElement);
    if (held) {
      held.gone = true;
      if (held.view) held.view.destroy();
      held.root.remove();
      views.delete(parentElement);
    }
  };
}
"""
_DATA = {"module": "/dashboard/live.js", "socket": "/live", "character": "/dashboard/default_model.glb"}


def live_section() -> None:
    """The frame with its overlay, and the character. Never inside a fragment: it must survive every rerun."""
    mount = st.components.v2.component("realtime_pose_live", js=_MOUNT, isolate_styles=False)
    with st.container(key="live"):
        mount(key="live_view", data=_DATA)
