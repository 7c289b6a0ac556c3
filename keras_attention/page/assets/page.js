/* Frames, layers and heads, and what starts the page.

   showAttention(data) draws `data`, and draws anew when it is called again; the form of
   the data is told in data.py. Tokens reach the document by textContent only. */

let frames = [];
const heads = new Set(); // those chosen; none means all of them

const currentFrame = () => frames[Number(byId("frame").value)];
const currentLayer = () => currentFrame().layers[byId("layer").selectedIndex];

function showAttention(data) {
  frames = data.frames;
  byId("view").hidden = false;
  document.title = byId("title").textContent = data.title;
  byId("frame").max = byId("frame").value = frames.length - 1;
  byId("frames").hidden = frames.length < 2;
  byId("frame-name").textContent = data.frame_name;
  if (!byId("stage").dataset.layout) {
    // At the first call only: later ones keep what the reader chose.
    document.querySelector(`[name=layout][value=${data.layout}]`).checked = true;
    byId("view").dataset.layout = byId("stage").dataset.layout = data.layout;
  }
  letGo();
  changeFrame();
}

/* A frame may have words, layers and heads of its own; keeps the layer of that name. */
function changeFrame() {
  const frame = currentFrame(), select = byId("layer"), before = select.value;
  byId("frame-label").textContent = frame.label;
  byId("frame").setAttribute("aria-valuetext", frame.label);
  select.replaceChildren(...frame.layers.map(({ name }) => new Option(name, name)));
  select.selectedIndex = Math.max(frame.layers.findIndex(({ name }) => name === before), 0);
  byId("layers").hidden = frame.layers.length < 2;
  byId("gold-choice").hidden = !frame.links;
  drawWords("source", frame);
  drawWords("target", frame);
  byId("stage").classList.toggle("long", frame.source.length + frame.target.length > 60);
  if (state.chosen && state.chosen.index >= frame[state.chosen.axis].length) letGo();
  changeLayer();
}

function changeLayer() {
  const layer = currentLayer();
  for (const head of heads) if (head >= layer.heads) heads.delete(head);
  byId("heads").hidden = layer.heads < 2;
  byId("heads").replaceChildren(...(layer.heads < 2 ? [] : makeChips(layer)));
  update();
}

/* A button for all heads, and one with a small picture for each. */
function makeChips(layer) {
  const { source, target } = currentFrame();
  const chips = [make("button", "head", `mean of all ${layer.heads}`)];
  chips[0].addEventListener("click", () => { heads.clear(); update(); });
  for (let head = 0; head < layer.heads; head++) {
    const chip = make("button", "head", `H${head}`);
    const frame = make("span", "thumbnail"), canvas = make("canvas");
    const weights = headOf(layer, head, target.length, source.length);
    paint(canvas, weights, target.length, source.length, currentFrame().source_direction === "rtl");
    frame.append(canvas);
    chip.prepend(frame);
    chip.addEventListener("click", () => { if (!heads.delete(head)) heads.add(head); update(); });
    chips.push(chip);
  }
  for (const chip of chips) chip.type = "button";
  return chips;
}

/* Works out what the choices show, and draws all of it. */
function update() {
  const frame = currentFrame(), layer = currentLayer();
  const chosen = heads.size ? [...heads].sort((a, b) => a - b) : [...Array(layer.heads).keys()];
  const where = [];
  if (frame.layers.length > 1) where.push(layer.name);
  if (layer.heads > 1) where.push(chosen.length > 1 ? `mean of ${chosen.length} heads` : `head ${chosen[0]}`);
  const weights = meanOfHeads(layer, chosen, frame.target.length, frame.source.length);
  shown = { ...frame, weights, where: where.join(", ") };
  const rows = frame.target.map((_, index) => weightsOf({ axis: "target", index }));
  shown.strongest = rows.map(strongest);
  shown.entropy = rows.map(entropy);
  shown.coverage = frame.source.map((_, index) => sum(weightsOf({ axis: "source", index })));

  [...byId("heads").children].forEach((chip, i) =>
    chip.setAttribute("aria-pressed", i ? heads.has(i - 1) : !heads.size));
  drawMap();
  drawTable();
  drawChosen();
}

/* Lines and cells are placed by pixels: a new shape of the page needs new ones. */
function redraw() {
  drawMap();
  drawChosen();
}

function changeLayout() {
  const { value } = document.querySelector("[name=layout]:checked");
  byId("view").dataset.layout = byId("stage").dataset.layout = value;
  redraw();
}

/* The pointer has left: back to the word that the keyboard is at, if any. */
function chooseFocused() {
  if (state.held) return;
  const word = document.activeElement.closest(".word");
  choose(word && { axis: word.parentElement.id, index: Number(word.dataset.index) });
}

function changeMass() {
  byId("mass-label").textContent = `${byId("mass").value} % of the attention`;
  if (shown) drawLines();
}

function start() {
  const on = (id, kind, act) => byId(id).addEventListener(kind, act);
  on("frame", "input", changeFrame);
  on("layer", "change", changeLayer);
  on("layout", "change", changeLayout);
  on("mass", "input", changeMass);
  on("numbers", "change", redraw);
  on("stretch", "change", redraw);
  on("gold", "change", redraw);
  on("table", "toggle", drawTable);
  on("save-svg", "click", saveSvg);
  on("save-png", "click", savePng);
  on("stage", "pointerleave", chooseFocused);
  on("plot", "pointerleave", chooseFocused);
  listenToWords("source");
  listenToWords("target");
  listenToMap();
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown) { letGo(); drawChosen(); }
  });
  let width = 0;
  new ResizeObserver(() => {
    if (!shown || byId("view").clientWidth === width) return;
    width = byId("view").clientWidth;
    redraw();
  }).observe(byId("view"));
  changeMass();
  byId("fallback")?.remove(); // for readers without scripts
  const data = JSON.parse(byId("data").textContent);
  if (data) showAttention(data);
}

start();
