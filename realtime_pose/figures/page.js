"use strict";
// Script of `realtime-pose plot`'s page: shows the figures in the light or dark theme, and plays the skeleton.
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer;
  const frames = new Int32Array(bytes(page.frames)), times = new Float32Array(bytes(page.times));
  const points = new Int16Array(bytes(page.points)), centres = new Float32Array(bytes(page.centres));
  const known = new Uint8Array(bytes(page.known)), knownBytes = known.length / frames.length;
  const count = page.names.length, ABSENT = -32768;
  const slider = document.getElementById("frame"), button = document.getElementById("play");
  const said = document.getElementById("now"), skeleton = document.getElementById("skeleton");
  const dark = matchMedia("(prefers-color-scheme: dark)"), finger = matchMedia("(pointer: coarse)").matches;
  let row = page.row, held = false;

  // --- figures: made in the light theme; in the dark theme each colour is replaced by its counterpart ---

  const themed = (figure) => {
    let text = JSON.stringify(figure);
    if (dark.matches) text = text.replace(/#[0-9a-f]{6}/g, (colour) => page.dark[colour] ?? colour);
    return JSON.parse(text);
  };
  const charts = Object.keys(page.figures);
  const timed = charts.filter((name) => page.timed.includes(name));

  const canDraw3d = ["webgl2", "webgl"].some((kind) => document.createElement("canvas").getContext(kind));

  const show = (name) => {
    if (name === "skeleton" && !canDraw3d) {
      skeleton.textContent = "No 3D skeleton: WebGL is off in this browser. The charts work without it.";
      return null;
    }
    const { data, layout } = themed(page.figures[name]), node = document.getElementById(name);
    if (finger && name !== "skeleton") layout.dragmode = false; // a finger scrolls the page
    const again = name === "skeleton" ? "resetCameraDefault3d" : "resetScale2d";
    const config = { responsive: true, displaylogo: false, displayModeBar: finger ? false : "hover",
      modeBarButtons: [["toImage", again]] };
    return Plotly.react(node, data, layout, config);
  };
  // A line over each chart at the time that the skeleton shows; a Plotly shape would redraw the chart.
  const mark = (name) => {
    const node = document.getElementById(name), line = node.parentNode.querySelector(".cursor");
    const { xaxis, _size: area } = node._fullLayout, across = xaxis.l2p(times[row]);
    line.hidden = !(across >= 0 && across <= area.w);
    line.style.height = `${area.h}px`;
    line.style.transform = `translate(${node.offsetLeft + area.l + across}px, ${node.offsetTop + area.t}px)`;
  };

  // --- the skeleton of one row ---

  const [FLOOR, OCCLUDED, JOINTS] = [0, 4, 5]; // traces, as in skeleton.py
  const isPresent = (at) => points[at * count * 3] !== ABSENT;
  const isKnown = (at, point) => (known[at * knownBytes + (point >> 3)] >> (point & 7)) & 1;
  const text = (value) => value.toFixed(2);

  const drawn = (at) => {
    const lines = Array.from({ length: JOINTS + 1 }, () => ({ x: [], y: [], z: [], text: [] }));
    const add = (trace, x, y, z) => { trace.x.push(x); trace.y.push(y); trace.z.push(z); };
    const place = (point, axis) => points[(at * count + point) * 3 + axis] / 1000;
    const [cx, cz] = [centres[at * 2], centres[at * 2 + 1]];
    if (isPresent(at)) {
      page.bones.forEach(([from, to], bone) => {
        const trace = lines[isKnown(at, to) ? page.traces[bone] : OCCLUDED];
        for (const point of [from, to]) add(trace, place(point, 0), place(point, 1), place(point, 2));
        add(trace, null, null, null);
      });
      for (let point = 0; point < count; point++) {
        const [x, y, z] = [0, 1, 2].map((axis) => place(point, axis));
        add(lines[JOINTS], x, y, z);
        lines[JOINTS].text.push(`${page.names[point]}<br>x ${text(x + cx)}, y ${text(z)}, z ${text(cz - y)} m` +
          (isKnown(at, point) ? "" : "<br>occluded: held or guessed"));
      }
    }
    // the floor lines stay fixed in the world while the scene follows the person
    const modulo = (value) => ((value % page.grid) + page.grid) % page.grid;
    const [dx, dy] = [modulo(cx), modulo(-cz)], reach = 4 * page.grid;
    for (let line = -4; line <= 4; line++) {
      const at_x = line * page.grid - dx, at_y = line * page.grid - dy;
      for (const end of [-reach, reach]) add(lines[FLOOR], at_x, end - dy, 0);
      add(lines[FLOOR], null, null, null);
      for (const end of [-reach, reach]) add(lines[FLOOR], end - dx, at_y, 0);
      add(lines[FLOOR], null, null, null);
    }
    return lines;
  };

  const pose = () => {
    const lines = drawn(row);
    const data = page.figures.skeleton.data;
    lines.forEach((line, trace) => {
      Object.assign(data[trace], { x: line.x, y: line.y, z: line.z });
      if (trace === JOINTS) data[trace].text = line.text;
    });
    if (!held) show("skeleton");
  };

  const say = () => {
    const person = isPresent(row) ? "" : " · not in view";
    said.textContent = `${times[row].toFixed(2)} s · frame ${frames[row]}${person}`;
    slider.setAttribute("aria-valuetext", said.textContent);
  };
  const go = (to) => {
    row = Math.max(0, Math.min(frames.length - 1, to));
    slider.value = row;
    say();
    pose();
    timed.forEach(mark);
  };

  // --- playing, in the take's own time ---

  let playing = false, due = 0, before = 0;
  const LONG = 0.5; // longer gaps are shortened
  const tick = (now) => {
    if (!playing) return;
    due += (now - before) / 1000;
    before = now;
    let to = row;
    while (to < frames.length - 1) {
      const step = Math.min(Math.max(times[to + 1] - times[to], 0), LONG);
      if (step > due) break;
      due -= step;
      to++;
    }
    if (to !== row) go(to);
    if (to === frames.length - 1) return stop();
    requestAnimationFrame(tick);
  };
  const stop = () => {
    playing = false;
    button.textContent = "Play";
    go(row);
  };
  button.addEventListener("click", () => {
    if (playing) return stop();
    if (row === frames.length - 1) go(0);
    playing = true;
    button.textContent = "Pause";
    [due, before] = [0, performance.now()];
    requestAnimationFrame(tick);
  });
  slider.addEventListener("input", () => { if (playing) stop(); go(+slider.value); });
  skeleton.addEventListener("pointerdown", () => { held = true; }, true); // no new data while it is being rotated
  const release = () => setTimeout(() => { // after Plotly has stored the new view
    if (!held) return;
    held = false;
    pose();
  });
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);

  const nearest = (time) => {
    let best = 0;
    for (let at = 1; at < times.length; at++) if (Math.abs(times[at] - time) < Math.abs(times[best] - time)) best = at;
    return best;
  };

  Promise.all(charts.map(show)).then(() => {
    for (const name of timed) {
      const node = document.getElementById(name);
      node.on("plotly_click", ({ points: [at] }) => { if (playing) stop(); go(nearest(at.x)); });
      node.on("plotly_afterplot", () => mark(name));
    }
    slider.max = frames.length - 1;
    go(row);
    document.body.dataset.ready = "yes";
  });
  dark.addEventListener("change", () => charts.forEach(show));
})();
