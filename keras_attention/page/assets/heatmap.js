/* The whole matrix: a heat map with its names and numbers, in words, and as a table. */

const MAX_CELL = 30, LABEL = 15; // pixels: of a cell, and that one line of text takes
const MAX_TABLE = 4000; // cells of a table; what is larger names its largest weights only
const FLAT = 0.9, UNATTENDED = 0.1; // entropy above, coverage below: named
const CELL_COLOR = [0, 60, 140]; // seen through by weight; CSS adapts it to dark pages

/* One pixel for each cell, as transparent as its weight is small. */
function paint(canvas, weights, rows, columns, mirrored = false) {
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  weights.forEach((weight, i) => {
    const column = i % columns;
    const at = 4 * (i - column + (mirrored ? columns - 1 - column : column));
    image.data.set(CELL_COLOR, at);
    image.data[at + 3] = Math.round(255 * Math.min(weight, 1));
  });
  context.putImageData(image, 0, 0);
}

/* Where a source word's column is. */
const placeOf = (s) => (shown.source_direction === "rtl" ? shown.source.length - 1 - s : s);

function drawMap() {
  const { weights, source, target, source_direction } = shown;
  const isStretched = byId("stretch").checked;
  const withNumbers = byId("numbers").checked;
  for (const id of ["entropy", "coverage", "entropy-name", "coverage-name"]) {
    byId(id).hidden = !withNumbers;
  }
  // Cells get the room that the names beside them leave.
  fillNames("rows", MAX_CELL);
  const beside = byId("rows").offsetWidth + (withNumbers ? 75 : 5);
  const cell = Math.min(
    MAX_CELL,
    (byId("map").clientWidth - beside) / source.length,
    Math.max(1000 / target.length, 2),
  );
  shown.cell = cell < 8 ? Math.max(cell, 0.2) : Math.floor(cell);
  fillNames("rows", shown.cell);
  fillNames("columns", shown.cell);
  fillNumbers("entropy", shown.entropy, (value) => value > FLAT);
  fillNumbers("coverage", shown.coverage, (value) => value < UNATTENDED);

  const colored = isStretched ? weights.map(shareOfLargest) : weights;
  paint(byId("cells"), colored, target.length, source.length, source_direction === "rtl");
  byId("cells").style.width = `${shown.cell * source.length}px`;
  byId("cells").style.height = `${shown.cell * target.length}px`;
  byId("scale").textContent = `attention weight${isStretched ? " / largest in its row" : ""}`;
  drawRings();
  byId("map-caption").textContent = describe();
}

function shareOfLargest(weight, i) {
  const best = shown.strongest[Math.floor(i / shown.source.length)];
  return best ? weight / best.weight : 0;
}

function fillNames(id, cell) {
  const tokens = id === "rows" ? shown.target : shown.source;
  fill(byId(id), id === "rows", cell, tokens.map((token) => () => makeWord("span", token)));
}

function fillNumbers(id, values, isFlagged) {
  const spans = values.map((value) => () =>
    make("span", isFlagged(value) ? "flag" : "", value.toFixed(2)));
  fill(byId(id), id === "entropy", shown.cell, spans);
}

/* Puts texts, or as many as there is room for, where the cells are. */
function fill(list, isDown, cell, makers) {
  const [template, size, margin] = isDown
    ? ["gridTemplateRows", "height", "marginBlock"]
    : ["gridTemplateColumns", "width", "marginInline"];
  list.style[template] = `repeat(${makers.length}, ${cell}px)`;
  const step = Math.ceil(LABEL / cell - 0.01);
  const room = Math.max(cell, LABEL);
  const spans = [];
  for (let index = 0; index < makers.length; index += step) {
    const span = makers[index]();
    span.style.gridArea = isDown ? `${index + 1} / 1` : `1 / ${placeOf(index) + 1}`;
    span.style[size] = span.style.lineHeight = `${room}px`;
    span.style[margin] = `${(cell - room) / 2}px`;
    span.dataset.index = index;
    spans.push(span);
  }
  list.replaceChildren(...spans);
}

/* Sure gold links as solid rings, possible ones as dashed. */
function drawRings() {
  const links = goldLinks(), circles = [];
  document.querySelector(".gold-key").hidden = !links;
  byId("rings").setAttribute("viewBox", `0 0 ${shown.source.length} ${shown.target.length}`);
  for (const kind of links ? ["possible", "sure"] : []) {
    for (const [s, t] of links[kind]) {
      const place = { cx: placeOf(s) + 0.5, cy: t + 0.5, r: 0.36 };
      circles.push(draw("circle", { ...place, class: "halo" }));
      circles.push(draw("circle", { ...place, class: kind }));
    }
  }
  byId("rings").replaceChildren(...circles);
}

/* A frame around the row or column of the word chosen, and its name. */
function drawBand() {
  const { chosen } = state, { cell, source, target } = shown;
  for (const [id, axis] of [["rows", "target"], ["columns", "source"]]) {
    for (const name of byId(id).children) {
      name.classList.toggle("chosen", isChosen(axis, Number(name.dataset.index)));
    }
  }
  byId("band").hidden = !chosen;
  if (!chosen) return;
  const isRow = chosen.axis === "target";
  Object.assign(byId("band").style, {
    left: `${isRow ? 0 : placeOf(chosen.index) * cell}px`,
    top: `${isRow ? chosen.index * cell : 0}px`,
    width: `${cell * (isRow ? source.length : 1)}px`,
    height: `${cell * (isRow ? 1 : target.length)}px`,
  });
}

/* The heat map in words. */
function describe() {
  const { source, target, where, links, notes = [] } = shown;
  // Isolated: a Hebrew word must not turn round what follows it.
  const named = (axis, indices) =>
    indices.slice(0, 3).map((index) => `“\u2068${nameOf(axis, index)}\u2069”`).join(", ") +
    (indices.length > 3 ? ` and ${indices.length - 3} more` : "");
  const facts = [`${target.length} target by ${source.length} source words${where && `, ${where}`}.`];
  const best = strongest(shown.strongest.map((link) => (link ? link.weight : 0)));
  if (best) {
    const [from, to] = [named("target", [best.index]), named("source", [shown.strongest[best.index].index])];
    facts.push(`Strongest link: ${from} looks at ${to}, ${best.weight.toFixed(2)}.`);
  }
  const flat = [...target.keys()].filter((t) => shown.entropy[t] > FLAT);
  if (flat.length) facts.push(`Spread evenly: ${named("target", flat)}.`);
  const missed = [...source.keys()].filter((s) => shown.coverage[s] < UNATTENDED);
  if (missed.length) facts.push(`Hardly looked at: ${named("source", missed)}.`);
  if (links) {
    const rate = alignmentErrorRate(links).toFixed(2);
    facts.push(`Alignment error rate of the strongest links: ${rate}.`);
  }
  return [...facts, ...notes].join(" ");
}

function listenToMap() {
  const wordsAt = (event) => {
    const box = byId("cells").getBoundingClientRect();
    const place = (share, count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    const row = place((event.clientY - box.top) / box.height, shown.target.length);
    const column = place((event.clientX - box.left) / box.width, shown.source.length);
    return [{ axis: "target", index: row }, placeOf(column)];
  };
  byId("cells").addEventListener("pointermove", (event) => {
    if (!state.held) choose(...wordsAt(event));
  });
  byId("cells").addEventListener("click", (event) => hold(...wordsAt(event)));
}

// ---- The same as a table, made when it is opened

function drawTable() {
  if (!byId("table").open) return;
  const { weights, source, target, where } = shown;
  const isWhole = weights.length <= MAX_TABLE;
  const heading = (token, scope) => Object.assign(makeWord("th", token), { scope });
  const table = make("table");
  table.dir = shown.source_direction;
  table.append(make("caption", "", `Attention weights of 0.01 and more${where && `, ${where}`}`));
  table.createTHead().insertRow().append(
    make("td"),
    ...(isWhole ? source.map((token) => heading(token, "col")) : [make("td", "text", "looks at")]),
  );
  const body = table.createTBody();
  target.forEach((token, index) => {
    const values = weightsOf({ axis: "target", index });
    const cells = isWhole ? Array.from(values, weightCell) : [largestCell(values)];
    body.insertRow().append(heading(token, "row"), ...cells);
  });
  byId("table").lastElementChild.replaceChildren(table);
}

const weightCell = (weight) => make("td", "", weight < WORTH_NAMING ? "" : weight.toFixed(2));

function largestCell(weights) {
  const cell = make("td", "text");
  ranked(weights).filter(({ weight }) => weight >= WORTH_NAMING).forEach(({ index, weight }, i) =>
    cell.append(i ? ", " : "", make("bdi", "", nameOf("source", index)), ` ${weight.toFixed(2)}`));
  return cell;
}
