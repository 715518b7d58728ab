// Streamlit's page marks start and end of each of its runs for the browser's profiler and never removes the marks: with
// fragments that refresh themselves a megabyte in a quarter of an hour. They are cleared between two runs.

const [BEGIN, END, SPAN] = ["running", "notRunning", "script-run-cycle"];

export function clearRunMarks() {
  const marks = performance.getEntriesByType("mark").filter(({ name }) => name === BEGIN || name === END);
  if (marks.at(-1)?.name !== END) return; // a run is under way and still needs its mark
  performance.clearMarks(BEGIN);
  performance.clearMarks(END);
  performance.clearMeasures(SPAN);
}
