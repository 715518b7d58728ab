// People drawn over a frame, by the same rules as realtime_pose/drawing.py.

const RIM = "#1e1e1e";
const THICKNESS = { body: 1, foot: 1, hand: 0.45, face: 0.3 }; // of the body's lines
const FINE = new Set(["hand", "face"]);
const LINK_WIDTHS = 4; // in line widths: a fine link is at least so long, or drawn thinner
const DOT_WIDTHS = 5; // and at least so long for dots
const BODY_WIDTHS = 40; // a person is at least so many line widths tall
const MIN_LINK_PX = 2; // a part whose median link is shorter is not drawn
const HEAD = new Set(["nose", "left_eye", "right_eye", "left_ear", "right_ear"]);

/** The line width of a body in an image of this size. */
export const lineWidth = (width, height) => Math.max(1.8, Math.hypot(width, height) / 350);

const finer = (a, b) => (THICKNESS[a] <= THICKNESS[b] ? a : b);

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function seenPoints(person, place, threshold) {
  // a score of 0 means that the pixel is meaningless, whatever the threshold
  const seen = person.scores.map((score) => score > 0 && score >= threshold);
  return { at: person.keypoints.map(place), seen };
}

/** Each row's part, and [part, median length of its links] of the parts to draw, finest last. */
function partsToDraw(layout, at, links) {
  const lengths = { body: [], foot: [], hand: [], face: [] };
  for (const [a, b] of links) {
    lengths[finer(layout.parts[a], layout.parts[b])].push(Math.hypot(at[a][0] - at[b][0], at[a][1] - at[b][1]));
  }
  const drawn = Object.entries(lengths)
    .map(([part, values]) => [part, values.length ? median(values) : 0])
    .filter(([part, length]) => !FINE.has(part) || length >= MIN_LINK_PX);
  const face = drawn.some(([part]) => part === "face");
  // the body's own eyes, ears and nose would cover the face
  const parts = face ? layout.parts.map((part, row) => (HEAD.has(layout.names[row]) ? "face" : part)) : layout.parts;
  return { parts, drawn };
}

/** place: pixels of the frame -> pixels of the canvas. */
export function drawSkeleton(ctx, person, { layout, colours, place, threshold, width }) {
  const { at, seen } = seenPoints(person, place, threshold);
  const links = layout.links.filter(([a, b]) => seen[a] && seen[b]);
  const { parts, drawn } = partsToDraw(layout, at, links);
  const body = Math.max(1, Math.min(width, extent(at.filter((_, row) => seen[row])) / BODY_WIDTHS));
  ctx.lineCap = "round";
  for (const [part, length] of drawn) {
    let thick = body * THICKNESS[part];
    if (FINE.has(part)) thick = Math.min(thick, length / LINK_WIDTHS);
    thick = Math.max(FINE.has(part) ? 0.8 : 1, thick);
    const rims = thick > 1 || !FINE.has(part) ? [2, 0] : [0]; // a hairline has none: it would be all rim
    for (const rim of rims) {
      for (const [a, b] of links) {
        if (finer(parts[a], parts[b]) !== part) continue;
        const side = layout.sides[a] === layout.sides[b] ? layout.sides[a] : "middle";
        ctx.strokeStyle = rim ? RIM : colours[side];
        ctx.lineWidth = thick + rim;
        ctx.beginPath();
        ctx.moveTo(...at[a]);
        ctx.lineTo(...at[b]);
        ctx.stroke();
      }
    }
    if (part === "face" || (part === "hand" && (thick <= 1 || length < DOT_WIDTHS * thick))) continue;
    for (const [row, point] of at.entries()) {
      if (!seen[row] || parts[row] !== part) continue;
      dot(ctx, point, thick + 1, RIM);
      dot(ctx, point, thick, colours[layout.sides[row]]);
    }
  }
}

function extent(points) {
  if (!points.length) return 0;
  const spans = [0, 1].map((axis) => points.map((point) => point[axis]));
  return Math.max(...spans.map((values) => Math.max(...values) - Math.min(...values)));
}

function dot(ctx, [x, y], radius, colour) {
  ctx.fillStyle = colour;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

export function drawBox(ctx, person, { place, width }) {
  const [left, top, right, bottom] = person.box;
  const [a, b] = [place([left, top]), place([right, bottom])];
  for (const [colour, thick] of [[RIM, width / 2 + 2], ["#ffffff", Math.max(1, width / 2)]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = thick;
    ctx.strokeRect(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.abs(b[0] - a[0]), Math.abs(b[1] - a[1]));
  }
}

/** The person's id over their head, inside the image `area` ({x, y, width, height}). */
export function writeId(ctx, person, { layout, place, threshold, width, area }) {
  const { at, seen } = seenPoints(person, place, threshold);
  const face = at.filter((_, row) => seen[row] && HEAD.has(layout.names[row]));
  const points = face.length ? face : at.filter((_, row) => seen[row]);
  if (!points.length) return;
  const size = Math.max(12, 5 * width);
  const pad = size / 3;
  ctx.font = `600 ${size}px system-ui, sans-serif`;
  const wide = ctx.measureText(person.id).width + 2 * pad;
  const high = size + pad;
  const middle = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const above = Math.min(...points.map(([, y]) => y)) - 8 * width;
  const x = clamp(middle - wide / 2, area.x, area.x + area.width - wide);
  const y = clamp(above - high, area.y, area.y + area.height - high);
  ctx.fillStyle = "rgb(30 30 30 / 85%)";
  ctx.beginPath();
  ctx.roundRect(x, y, wide, high, high / 4);
  ctx.fill();
  ctx.fillStyle = "#ffffff";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(person.id, x + wide / 2, y + high / 2 + size / 16);
}

const clamp = (value, least, most) => Math.max(least, Math.min(value, most));
