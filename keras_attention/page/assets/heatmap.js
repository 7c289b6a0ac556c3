/* The whole matrix as a heat map, with its names and numbers. */

const MAX_CELL = 56, LABEL = 15; // pixels: of a cell, and that one line of text takes
const LARGE = 24; // pixels of a cell from which names are as large as other text
const TALL = 500, TALLEST = 1000; // pixels of the map; the latter to name every row
const PALE = 0.5; // where all weights are below, the page says how to see more

/* Where a source word's column is. */
const placeOf = (s) => (shown.source_direction === "rtl" ? shown.source.length - 1 - s : s);

function drawMap() {
  const { weights, source, target, source_direction } = shown;
  const withNumbers = byId("numbers").checked;
  for (const id of ["entropy", "coverage", "entropy-name", "coverage-name"]) {
    byId(id).hidden = !withNumbers;
  }
  // Cells get the room that the names beside them leave.
  byId("grid").classList.add("large");
  fillNames("rows", MAX_CELL);
  const beside = byId("rows").offsetWidth + (withNumbers ? 75 : 5);
  const cell = Math.min(
    MAX_CELL,
    (byId("map").clientWidth - beside) / source.length,
    Math.max(TALL / target.length, Math.min(LABEL + 1, TALLEST / target.length), 2),
  );
  shown.cell = cell < 8 ? Math.max(cell, 0.2) : Math.floor(cell);
  byId("grid").classList.toggle("large", shown.cell >= LARGE);
  fillNames("rows", shown.cell);
  fillNames("columns", shown.cell);
  turnColumnNames();
  fillNumbers("entropy", shown.entropy, (value) => value > FLAT);
  fillNumbers("coverage", shown.coverage, (value) => value < UNATTENDED);

  shown.colored = coloredWeights(weights, target.length, source.length);
  paint(byId("cells"), shown.colored, target.length, source.length, source_direction === "rtl");
  byId("cells").style.width = `${shown.cell * source.length}px`;
  byId("cells").style.height = `${shown.cell * target.length}px`;
  drawKey();
  drawRings();
  byId("map-caption").textContent = describe();
}

/* Names of columns are upright where each has room between its neighbours. */
function turnColumnNames() {
  const { classList, children } = byId("columns");
  classList.remove("flat");
  classList.toggle("flat", [...children].every((name) => name.offsetHeight <= shown.cell));
}

/* What colours mean. */
function drawKey() {
  const isScaled = byId("stretch").checked;
  const largest = shown.weights.reduce((a, b) => Math.max(a, b), 0);
  const what = isScaled ? "attention weight / largest in its row" : "attention weight";
  byId("scale").textContent = shown.where ? `${shown.where}: ${what}` : what;
  let note = "";
  if (isScaled) note = "Rows are scaled: the strongest colour is the largest weight of its row, not 1.";
  else if (largest < PALE) note = `The largest weight is ${largest.toFixed(2)}: scale rows to see more.`;
  byId("scaled").textContent = note;
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
