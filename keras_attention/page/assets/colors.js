/* Colours: the ramp of blues that weights are painted in, and a colour for each head. */

const HEAD_COLORS = 8;
const LEVELS = 256;
let ramp = null; // red, green, blue and opacity of each level

const cssValue = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const headColor = (head) => `var(--head-${head % HEAD_COLORS})`;

/* Reads the stops of the ramp, which differ between light and dark pages. */
function readRamp() {
  const stops = cssValue("--ramp").split(",").map((color) =>
    [1, 3, 5].map((at) => parseInt(color.trim().slice(at, at + 2), 16)));
  ramp = new Uint8ClampedArray(4 * LEVELS);
  for (let level = 0; level < LEVELS; level++) {
    const place = (level / (LEVELS - 1)) * (stops.length - 1);
    const from = Math.min(Math.floor(place), stops.length - 2);
    const mixed = stops[from].map((value, i) => value + (place - from) * (stops[from + 1][i] - value));
    ramp.set([...mixed, 255], 4 * level);
  }
}

/* One pixel for each cell. */
function paint(canvas, weights, rows, columns, mirrored = false) {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  weights.forEach((weight, i) => {
    const column = i % columns;
    const at = 4 * (i - column + (mirrored ? columns - 1 - column : column));
    const level = Math.round((LEVELS - 1) * Math.min(weight, 1));
    image.data.set(ramp.subarray(4 * level, 4 * level + 4), at);
  });
  context.putImageData(image, 0, 0);
}

/* Weights as colours show them: as they are, or as shares of the largest in their row. */
function coloredWeights(weights, rows, columns) {
  if (!byId("stretch").checked) return weights;
  const colored = new Float32Array(weights.length);
  for (let start = 0; start < rows * columns; start += columns) {
    const row = weights.subarray(start, start + columns);
    const largest = row.reduce((a, b) => Math.max(a, b), 0) || 1;
    row.forEach((weight, s) => { colored[start + s] = weight / largest; });
  }
  return colored;
}
