/* The sentences and the heat map as they are seen, as a picture to keep. */

const SHARPNESS = 2; // pixels of the PNG for one of the page
const MARGIN = 16, BETWEEN = 40; // pixels around the picture, and between its two parts

/* In SVG that needs no style sheet, both parts without the empty room around them. */
function picture() {
  const sentences = drawnSentences(), map = drawnMap();
  const [beside, below] = [sentences.width + BETWEEN, sentences.height + BETWEEN];
  const row = [beside + map.width, Math.max(sentences.height, map.height)];
  const column = [Math.max(sentences.width, map.width), below + map.height];
  const isRow = row[0] * row[1] < column[0] * column[1]; // that leaves less empty
  const size = (isRow ? row : column).map((side) => Math.ceil(side + 2 * MARGIN));
  const svg = draw("svg", {
    width: size[0],
    height: size[1],
    viewBox: `0 0 ${size.join(" ")}`,
    role: "img",
    "aria-label": `${byId("links").getAttribute("aria-label")} ${byId("map-caption").textContent}`,
    "font-family": getComputedStyle(byId("stage")).fontFamily,
  });
  svg.append(
    draw("rect", { width: "100%", height: "100%", fill: cssValue("--paper") }),
    movedTo(0, isRow ? (row[1] - sentences.height) / 2 : 0, sentences),
    movedTo(isRow ? beside : 0, isRow ? 0 : below, map),
  );
  return new XMLSerializer().serializeToString(svg);
}

function movedTo(x, y, { left, top, elements }) {
  const group = draw("g", { transform: `translate(${MARGIN + x - left} ${MARGIN + y - top})` });
  group.append(...elements);
  return group;
}

/* Both parts have the coordinates of the window, and a box. */
function drawnSentences() {
  const stage = byId("stage"), corner = stage.getBoundingClientRect();
  const words = [...stage.querySelectorAll(".word")], names = [...stage.querySelectorAll("h2")];
  const lines = draw("g", { transform: `translate(${corner.left - stage.scrollLeft} ${corner.top})` });
  lines.append(...[...byId("links").children].map((line) => {
    const copy = line.cloneNode();
    copy.removeAttribute("style");
    return painted(copy, line, ["fill", "stroke"]);
  }));
  const elements = [lines, ...words.flatMap(drawnWord), ...names.map((name) => drawnText(name, textBox(name)))];
  return { elements, ...around([...words.map(boxOf), ...names.map(textBox)]) };
}

function drawnMap() {
  const names = [...document.querySelectorAll("#grid .names span, .strip-name, .key span")].filter(isSeen);
  const marks = [...document.querySelectorAll(".key .ring, #band")].filter(isSeen);
  const cells = byId("cells"), colors = byId("ramp");
  const elements = [
    drawnCells(cells, cells), drawnCells(rampCanvas(), colors),
    ...[byId("plot"), colors].map((element) => outlined(element, cssValue("--rule"), 1)),
    ...drawnRings(), ...marks.map(drawnMark),
    ...names.map((name) => drawnText(name, textBox(name))),
  ];
  return { elements, ...around([byId("plot"), colors, ...names].map(boxOf)) };
}

// ---- Boxes

const boxOf = (element) => element.getBoundingClientRect();
const isSeen = (element) => boxOf(element).width > 0;

/* Of the text alone, as far as it is not cut off. */
function textBox(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const text = range.getBoundingClientRect(), box = boxOf(element);
  return {
    left: Math.max(text.left, box.left), top: Math.max(text.top, box.top),
    right: Math.min(text.right, box.right), bottom: Math.min(text.bottom, box.bottom),
  };
}

function around(boxes) {
  const left = Math.min(...boxes.map((box) => box.left)), top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.right)), bottom = Math.max(...boxes.map((box) => box.bottom));
  return { left, top, width: right - left, height: bottom - top };
}

// ---- What is in them

/* `copy` with what the page's style sheet says of `element`. */
function painted(copy, element, properties) {
  const style = getComputedStyle(element);
  for (const property of properties) copy.setAttribute(property, style.getPropertyValue(property));
  return copy;
}

function outlined(element, stroke, width, more = {}) {
  const box = boxOf(element);
  const place = { x: box.left, y: box.top, width: box.width, height: box.height };
  return draw("rect", { ...place, fill: "none", stroke, "stroke-width": width, ...more });
}

function drawnWord(word) {
  const has = (name) => word.classList.contains(name);
  const fill = has("chosen") ? cssValue("--accent") : cssValue("--mark");
  const opacity = has("chosen") ? 1 : word.style.getPropertyValue("--weight");
  const ground = outlined(word, "none", 0, { fill, "fill-opacity": opacity, rx: 5 });
  const isPale = has("dim") && opacity < 0.5;
  const color = has("chosen") ? "--on-accent" : isPale ? "--muted" : "--ink";
  const text = drawnText(word, boxOf(word), cssValue(color));
  const gold = { rx: 5, "stroke-dasharray": has("possible") ? "4 3" : "none" };
  return has("sure") || has("possible")
    ? [ground, text, outlined(word, cssValue("--gold"), 2, gold)]
    : [ground, text];
}

function drawnText(element, box, color = getComputedStyle(element).color) {
  const { fontSize, fontWeight, writingMode } = getComputedStyle(element);
  const isTurned = writingMode !== "horizontal-tb";
  const x = (box.left + box.right) / 2, y = (box.top + box.bottom) / 2;
  const text = draw("text", {
    x, y, dy: "0.35em", fill: color,
    "text-anchor": "middle", "font-size": fontSize, "font-weight": fontWeight,
    ...(isTurned && { transform: `rotate(-90 ${x} ${y})` }),
  });
  const [seen, whole] = isTurned
    ? [element.clientHeight, element.scrollHeight]
    : [element.clientWidth, element.scrollWidth];
  const letters = [...element.textContent];
  text.textContent = element.classList.contains("joined") ? "‧" : "";
  text.textContent += seen && whole > seen + 1
    ? `${letters.slice(0, Math.floor((letters.length * seen) / whole) - 1).join("")}…`
    : element.textContent;
  return text;
}

/* A canvas where `element` is, enlarged beforehand: no program can blur it. */
function drawnCells(canvas, element) {
  const box = boxOf(element), copy = make("canvas");
  const width = Math.round(SHARPNESS * box.width), height = Math.round(SHARPNESS * box.height);
  Object.assign(copy, { width, height });
  const context = copy.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, width, height);
  const place = { x: box.left, y: box.top, width: box.width, height: box.height };
  return draw("image", { ...place, preserveAspectRatio: "none", href: copy.toDataURL() });
}

function rampCanvas() {
  const canvas = make("canvas");
  paint(canvas, Float32Array.from({ length: LEVELS }, (_, i) => i / (LEVELS - 1)), 1, LEVELS);
  return canvas;
}

const RING = ["stroke", "stroke-width", "stroke-dasharray", "fill"];

function drawnRings() {
  const { left, top } = boxOf(byId("cells")), { cell } = shown;
  return [...byId("rings").children].map((ring) => {
    const [x, y, r] = ["cx", "cy", "r"].map((name) => cell * ring.getAttribute(name));
    return painted(draw("circle", { cx: left + x, cy: top + y, r }), ring, RING);
  });
}

/* The frame around the row chosen; a ring of the key. */
function drawnMark(mark) {
  if (mark.id === "band") return outlined(mark, cssValue("--accent"), 2);
  const dashes = mark.classList.contains("possible") ? "3 3" : "none";
  return outlined(mark, cssValue("--gold"), 2, { rx: boxOf(mark).width / 2, "stroke-dasharray": dashes });
}

// ---- Files

function download(blob, name) {
  const link = make("a"), address = URL.createObjectURL(blob);
  link.setAttribute("href", address);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); // a browser may ask where to
}

function saveSvg() {
  download(new Blob([picture()], { type: "image/svg+xml" }), "attention.svg");
}

function savePng() {
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = make("canvas");
    Object.assign(canvas, { width: SHARPNESS * image.width, height: SHARPNESS * image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => download(blob, "attention.png"));
  });
  image.setAttribute("src", `data:image/svg+xml,${encodeURIComponent(picture())}`);
}
