/* Frames and options, and what starts the page.

   showAttention(data) draws `data`, and draws anew when it is called again; the form of
   the data is told in data.py. Tokens reach the document by textContent only. */

let frames = [];

const currentFrame = () => frames[Number(byId("frame").value)];

function showAttention(data) {
  frames = data.frames;
  byId("view").hidden = false;
  document.title = byId("title").textContent = data.title;
  byId("frame").max = frames.length - 1;
  byId("frame").value = frames.length - 1;  // after max, which it may not pass
  byId("frames").hidden = frames.length < 2;
  byId("frame-name").textContent = data.frame_name;
  if (!byId("stage").dataset.layout) {
    // At the first call only: later ones keep what the reader chose.
    document.querySelector(`[name=layout][value=${data.layout}]`).checked = true;
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
  chooseLayout();
  changeLayer();
  drawGallery();
}

/* Works out what the choices show, and draws all of it. */
function update() {
  const frame = currentFrame();
  shown = { ...frame, ...chosenWeights() };
  const rows = frame.target.map((_, index) => weightsOf({ axis: "target", index }));
  shown.strongest = rows.map(strongest);
  shown.entropy = rows.map(entropy);
  shown.coverage = frame.source.map((_, index) => sum(weightsOf({ axis: "source", index })));
  markHeads();
  drawTable();
  redraw();
}

/* Lines and cells are placed by pixels: a new shape of the page needs new ones. */
function redraw() {
  drawMap();
  drawChosen();
}

function changeLayout() {
  chooseLayout();
  redraw();
}

function recolor() {
  readRamp();
  if (!shown) return;
  redraw();
  drawGallery();
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
  on("stretch", "change", recolor);
  on("gold", "change", redraw);
  on("table", "toggle", drawTable);
  on("gallery", "toggle", drawGallery);
  on("save-svg", "click", saveSvg);
  on("save-png", "click", savePng);
  on("stage", "pointerleave", chooseFocused);
  on("plot", "pointerleave", chooseFocused);
  listenToWords("source");
  listenToWords("target");
  listenToMap();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && shown) { letGo(); drawChosen(); }
  });
  let width = 0;
  new ResizeObserver(() => {
    if (!shown || byId("view").clientWidth === width) return;
    width = byId("view").clientWidth;
    changeLayout();
  }).observe(byId("view"));
  readRamp();
  changeMass();
  byId("fallback")?.remove(); // for readers without scripts
  const data = JSON.parse(byId("data").textContent);
  if (data) showAttention(data);
}

start();
