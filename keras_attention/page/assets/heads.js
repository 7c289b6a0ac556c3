/* Layers and heads: the buttons that choose, and small pictures of all of them. */

const chosenHeads = new Set(); // none means the mean of all

const currentLayer = () => currentFrame().layers[byId("layer").selectedIndex];

const matrixOf = (layer, head) =>
  headOf(layer, head, currentFrame().target.length, currentFrame().source.length);

function changeLayer() {
  const layer = currentLayer();
  for (const head of chosenHeads) if (head >= layer.heads) chosenHeads.delete(head);
  byId("heads").hidden = layer.heads < 2;
  byId("heads").replaceChildren(...(layer.heads < 2 ? [] : makeChips(layer)));
  update();
}

/* A button for all heads, and one for each. */
function makeChips(layer) {
  const all = make("button", "head", `mean of all ${layer.heads}`);
  all.addEventListener("click", () => { chosenHeads.clear(); update(); });
  const chips = Array.from({ length: layer.heads }, (_, head) => {
    const chip = make("button", "head", `H${head}`);
    chip.prepend(swatch(head));
    chip.addEventListener("click", () => { toggleHead(head); update(); });
    return chip;
  });
  for (const chip of [all, ...chips]) chip.type = "button";
  return [all, ...chips];
}

function toggleHead(head) {
  if (!chosenHeads.delete(head)) chosenHeads.add(head);
}

/* What is shown: the heads chosen, each by itself, their mean, and what that is called. */
function chosenWeights() {
  const { layers, source, target } = currentFrame(), layer = currentLayer();
  const chosen = [...chosenHeads].sort((a, b) => a - b);
  const averaged = chosen.length ? chosen : [...Array(layer.heads).keys()];
  const where = [];
  if (layers.length > 1) where.push(layer.name);
  if (layer.heads > 1) {
    where.push(averaged.length > 1 ? `mean of ${averaged.length} heads` : `head ${averaged[0]}`);
  }
  return {
    heads: chosen.map((head) => ({ head, weights: matrixOf(layer, head) })),
    weights: meanOfHeads(layer, averaged, target.length, source.length),
    where: where.join(", "),
  };
}

function markHeads() {
  [...byId("heads").children].forEach((chip, i) =>
    chip.setAttribute("aria-pressed", i ? chosenHeads.has(i - 1) : !chosenHeads.size));
  for (const picture of document.querySelectorAll("#gallery .picture")) {
    const isHere = Number(picture.dataset.layer) === byId("layer").selectedIndex;
    picture.setAttribute("aria-pressed", isHere && chosenHeads.has(Number(picture.dataset.head)));
  }
}

// ---- Pictures of all heads, a row for each layer, made when they are opened

function drawGallery() {
  const { layers } = currentFrame();
  const most = Math.max(...layers.map((layer) => layer.heads));
  byId("gallery").hidden = layers.length * most < 2;
  if (byId("gallery").hidden || !byId("gallery").open) return;
  const rows = layers.flatMap((layer, number) => {
    const name = make("span", "layer-name", layer.name);
    name.style.gridRow = number + 1;
    return [name, ...Array.from({ length: layer.heads }, (_, head) => makePicture(layer, number, head))];
  });
  const grid = byId("gallery").lastElementChild;
  grid.style.setProperty("--heads", most);
  grid.replaceChildren(...rows);
  markHeads();
}

function makePicture(layer, number, head) {
  const { source, target, source_direction } = currentFrame();
  const picture = make("button", "picture"), canvas = make("canvas"), name = make("span", "", `H${head}`);
  const weights = coloredWeights(matrixOf(layer, head), target.length, source.length);
  paint(canvas, weights, target.length, source.length, source_direction === "rtl");
  name.prepend(swatch(head));
  picture.append(canvas, name);
  picture.type = "button";
  picture.style.gridRow = number + 1;
  picture.setAttribute("aria-label", `${layer.name}, head ${head}`);
  Object.assign(picture.dataset, { layer: number, head });
  picture.addEventListener("click", () => chooseHead(number, head));
  return picture;
}

/* Several heads of one layer can be chosen; one of another layer takes their place. */
function chooseHead(layer, head) {
  if (byId("layer").selectedIndex === layer) {
    toggleHead(head);
    update();
  } else {
    byId("layer").selectedIndex = layer;
    chosenHeads.clear();
    toggleHead(head);
    changeLayer();
  }
}
