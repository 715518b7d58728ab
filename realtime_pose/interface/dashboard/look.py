"""How the page looks: Streamlit's own options, and the few rules of CSS that they leave open."""

from collections.abc import Mapping

OPTIONS: Mapping[str, object] = {
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showSidebarNavigation": False,
    "server.showEmailPrompt": False,
    "theme.baseRadius": "0.5rem",
    "theme.baseFontSize": 15,
    "theme.metricValueFontSize": "1.35rem",
    "theme.paddingTop": "1rem",
    "theme.light.primaryColor": "#0b6b9a",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f2f4f6",
    "theme.light.textColor": "#1d2329",
    "theme.light.borderColor": "#d5dae0",
    "theme.dark.primaryColor": "#2f8fc4",
    "theme.dark.backgroundColor": "#14181c",
    "theme.dark.secondaryBackgroundColor": "#1e242a",
    "theme.dark.textColor": "#e8ebee",
    "theme.dark.borderColor": "#39424b",
}
"""Streamlit's options of looks; the server adds those of address and safety. The browser chooses light or dark."""

STAGE_COLOURS = {
    "capture": "#999999", "detect": "#e69f00", "estimate": "#56b4e9", "lift": "#009e73", "solve": "#cc79a7",
    "send": "#d55e00",
}  # fmt: skip
"""Okabe and Ito's palette, which colour-blind people can tell apart."""

ICON = ":material/accessibility_new:"

CSS = """
<style>
/* Nothing pales while the script runs: what is shown stays valid until its successor comes. */
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
[data-testid="stStatusWidget"] { display: none; }
.stMainBlockContainer { padding-left: clamp(.75rem, 3vw, 2.5rem); padding-right: clamp(.75rem, 3vw, 2.5rem);
  padding-bottom: 3rem; max-width: 1600px; }
.rp-status { min-height: 4.1rem; display: flex; flex-direction: column; gap: .15rem; line-height: 1.4; }
.rp-line { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: baseline; }
.rp-phase { font-weight: 600; font-size: 1.15rem; }
.rp-phase::before { content: ""; display: inline-block; width: .65rem; height: .65rem; border-radius: 50%;
  margin-right: .5rem; background: var(--rp-dot, #8a949e); }
.rp-running { --rp-dot: #1f9d55; } .rp-opening { --rp-dot: #d99a00; } .rp-failed { --rp-dot: #d1351b; }
.rp-paused { --rp-dot: #5b7f9c; }
.rp-soft { opacity: .75; }
.rp-bad { color: #c2341d; color: light-dark(#b3261e, #ff8a75); }
.rp-warn { color: light-dark(#8a5a00, #f2be5c); }
.rp-bar { height: .4rem; border-radius: .2rem; background: rgba(128,138,148,.3); overflow: hidden; max-width: 30rem; }
.rp-bar > i { display: block; height: 100%; background: #2f8fc4; }
.rp-rec { font-weight: 600; color: light-dark(#b3261e, #ff8a75); font-variant-numeric: tabular-nums; }
.rp-rec::before { content: ""; display: inline-block; width: .7rem; height: .7rem; border-radius: 50%;
  background: #d1351b; margin-right: .4rem; animation: rp-pulse 1.6s ease-in-out infinite; }
@keyframes rp-pulse { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .rp-rec::before { animation: none; } }
.rp-count { font-size: 1.6rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.rp-stages { display: flex; height: 1rem; border-radius: .3rem; overflow: hidden; background: rgba(128,138,148,.25); }
.rp-stages > i { display: block; height: 100%; min-width: 0; }
.rp-legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem; min-height: 1.5rem;
  font-variant-numeric: tabular-nums; }
.rp-legend b { display: inline-block; width: .65rem; height: .65rem; border-radius: .15rem; margin-right: .35rem; }
.rp-hint { min-height: 2.7rem; }
.st-key-figures { display: grid !important; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem; }
.st-key-figures [data-testid="stMetric"] { padding: .45rem .7rem; }
.st-key-figures [data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
.st-key-live { min-height: 20rem; }
.st-key-start button { min-width: 8.5rem; font-weight: 600; }
.st-key-record [data-testid="stIconMaterial"] { color: #d1351b; }
</style>
"""
