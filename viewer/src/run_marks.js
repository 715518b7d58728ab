// Streamlit's page marks begin and end of each of its runs for the browser's profiler, and keeps the marks for ever: with
// figures that refresh themselves a megabyte in a quarter of an hour. They are cleared away between two runs.

const [BEGIN, END, SPAN] = ["running", "notRunning", "script-run-cycle"];

export function clearRunMarks() {
  const marks = performance.getEntriesByType("mark").filter(({ name }) => name === BEGIN || name === END);
  if (marks.at(-1)?.name !== END) return; // a run is under way: its span will be measured from its mark
  performance.clearMarks(BEGIN);
  performance.clearMarks(END);
  performance.clearMeasures(SPAN);
}
