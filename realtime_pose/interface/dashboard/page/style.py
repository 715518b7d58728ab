"""The page's icon and CSS, beside the theme in `.streamlit/config.toml`."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#2f8fc4" stroke-width="3"'
    ' stroke-linecap="round" stroke-linejoin="round"><circle cx="16" cy="6" r="3"/>'
    '<path d="M4 8l8 6h8l8-6M16 14v8M16 22l-6 8M16 22l6 8"/></svg>'
)
"""The tab's icon, a figure with open arms; one of Streamlit's named icons would be loaded from another server."""

CSS = """
<style>
/* Nothing fades while the script runs: what is shown is valid until it is replaced. */
[data-stale="true"], [data-testid="stTabs"] [role="tablist"],
[data-testid="stTab"], [data-testid="stExpander"] summary {
  opacity: 1 !important; transition: none !important; }
[data-testid="stStatusWidget"] { display: none; }
.stMainBlockContainer { padding-left: clamp(.75rem, 3vw, 2.5rem); padding-right: clamp(.75rem, 3vw, 2.5rem);
  padding-bottom: 3rem; max-width: 1600px; }
.pg-status { min-height: 4.1rem; display: flex; flex-direction: column; gap: .15rem; line-height: 1.4; }
.pg-line { display: flex; flex-wrap: wrap; gap: .1rem .6rem; align-items: baseline; }
.pg-phase { font-weight: 600; font-size: 1.15rem; }
.pg-phase::before { content: ""; display: inline-block; width: .65rem; height: .65rem; border-radius: 50%;
  margin-right: .5rem; background: var(--pg-dot, #8a949e); }
.pg-running { --pg-dot: #1f9d55; } .pg-opening { --pg-dot: #d99a00; } .pg-failed { --pg-dot: #d1351b; }
.pg-paused { --pg-dot: #5b7f9c; }
.pg-soft { opacity: .75; }
.pg-bad { color: #c2341d; color: light-dark(#b3261e, #ff8a75); }
.pg-warn { color: light-dark(#8a5a00, #f2be5c); }
.pg-bar { height: .4rem; border-radius: .2rem; background: rgba(128,138,148,.3); overflow: hidden; max-width: 30rem; }
.pg-bar > i { display: block; height: 100%; background: #2f8fc4; }
.pg-rec { font-weight: 600; color: light-dark(#b3261e, #ff8a75); font-variant-numeric: tabular-nums; }
.pg-rec::before { content: ""; display: inline-block; width: .7rem; height: .7rem; border-radius: 50%;
  background: #d1351b; margin-right: .4rem; animation: pg-pulse 1.6s ease-in-out infinite; }
@keyframes pg-pulse { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .pg-rec::before { animation: none; } }
.pg-count { font-size: 1.6rem; font-weight: 700; font-variant-numeric: tabular-nums; }
.pg-stages { display: flex; height: 1rem; border-radius: .3rem; overflow: hidden; background: rgba(128,138,148,.25); }
.pg-stages > i { display: block; height: 100%; min-width: 0; }
.pg-legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .85rem; min-height: 1.5rem;
  font-variant-numeric: tabular-nums; }
.pg-legend b { display: inline-block; width: .65rem; height: .65rem; border-radius: .15rem; margin-right: .35rem; }
.pg-hint { min-height: 2.7rem; }
.st-key-active-model { min-height: 2.7rem; } /* two lines, so that nothing below moves when a run starts */
.st-key-figures { display: grid !important; grid-template-columns: repeat(auto-fit, minmax(7.3rem, 1fr)); gap: .5rem; }
.st-key-figures > div { width: auto !important; min-width: 0; min-height: 4.3rem; }
.st-key-figures [data-testid="stMetric"] { padding: 0 !important; }
.st-key-figures [data-testid="stMetric"] > div { padding: .5rem .65rem !important; }
.st-key-figures [data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
/* As high as the live view, so that nothing below it moves when it loads. */
.st-key-live { min-height: calc((100vw - 24rem) * .375 + 5.5rem); }
@media (max-width: 700px) {
  .pg-status { min-height: 6.4rem; }
  .pg-legend { display: grid; grid-template-columns: 1fr 1fr; }
  .pg-hint { min-height: 5.8rem; }
  .st-key-live { min-height: calc((100vw - 1.5rem) * 1.5 + 12rem); }
  .st-key-transport { display: grid !important; grid-template-columns: 1fr 1fr; }
  .st-key-transport > div, .st-key-transport button { width: 100% !important; }
}
.st-key-start button, .st-key-stop button { min-width: 8.5rem; }
.st-key-start button p, .st-key-stop button p { font-weight: 600; }
.st-key-pause button { min-width: 6.4rem; }
/* Streamlit keeps a button that has the focus beside the one that replaces it, which moves others under the pointer. */
[data-retained]:has([data-testid="stButton"]) { display: none !important; }
.st-key-record button, .st-key-record_stop button { min-width: 10rem; }
[data-testid="stSidebarHeader"] { height: 2.6rem; margin-bottom: 0; padding-bottom: 0; }
.st-key-record button:enabled [data-testid="stIconMaterial"],
.st-key-record_stop [data-testid="stIconMaterial"] { color: #d1351b; }
</style>
"""
