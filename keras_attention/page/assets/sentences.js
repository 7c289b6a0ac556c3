/* The two sentences, the word chosen, its lines, and the sentence that tells of it. */

const WORTH_NAMING = 0.005; // what two decimals round to 0.01
const MOVES = {
  ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity,
};

/* `chosen` is the word chosen, {axis, index} or null; `cell` the source word pointed
   at in the heat map; `held` whether it stays when the pointer moves on. */
const state = { chosen: null, cell: null, held: false };

const byId = (id) => document.getElementById(id);
const wordAt = ({ axis, index }) => byId(axis).children[index];
const nameOf = (axis, index) => byId(axis).children[index].textContent;
const isChosen = (axis, index) =>
  Boolean(state.chosen) && state.chosen.axis === axis && state.chosen.index === index;

function make(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

/* For SVG, in the namespace of an element at hand: no address is in this file. */
function draw(name, attributes) {
  const element = document.createElementNS(byId("links").namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/* A word with a direction of its own, so that it cannot disturb its neighbours. */
function makeWord(name, token) {
  const element = make(name);
  element.classList.toggle("dim", Boolean(token.dim));
  element.classList.toggle("joined", Boolean(token.joined));
  element.dir = "auto";
  element.append(make("bdi", "", token.label ?? token.text));
  return element;
}

function drawWords(axis, frame) {
  const list = byId(axis);
  list.dir = frame[`${axis}_direction`];
  list.replaceChildren(...frame[axis].map((token, index) => {
    const word = makeWord("button", token);
    word.type = "button";
    word.classList.add("word");
    word.dataset.index = index;
    word.tabIndex = index ? -1 : 0; // one stop for Tab; arrow keys move on from there
    return word;
  }));
}

// ---- Choosing a word

function choose(chosen, cell = null) {
  const same = chosen ? isChosen(chosen.axis, chosen.index) : !state.chosen;
  if (same && cell === state.cell) return;
  Object.assign(state, { chosen, cell });
  drawChosen();
}

/* Holds a word; lets go of it if it was held already. */
function hold(chosen, cell = null) {
  const same = isChosen(chosen.axis, chosen.index) && cell === state.cell;
  state.held = !(state.held && same);
  choose(chosen, cell);
  drawChosen();
}

function letGo() {
  Object.assign(state, { chosen: null, cell: null, held: false });
}

function move(event, { axis, index }) {
  let step = MOVES[event.key];
  if (!step) return;
  event.preventDefault();
  const across = byId("stage").dataset.layout === "horizontal";
  if (across && byId(axis).dir === "rtl" && /Left|Right/.test(event.key)) step = -step;
  const last = byId(axis).children.length - 1;
  const next = { axis, index: Math.min(Math.max(index + step, 0), last) };
  choose(next); // even while another word is held: the hold moves along
  wordAt(next).focus();
}

function listenToWords(axis) {
  const listen = (kind, act) => byId(axis).addEventListener(kind, (event) => {
    const word = event.target.closest(".word");
    if (word) act({ axis, index: Number(word.dataset.index) }, event);
  });
  listen("pointerover", (word) => { if (!state.held) choose(word); });
  listen("focusin", (word) => {
    for (const each of byId(axis).children) each.tabIndex = each === wordAt(word) ? 0 : -1;
    if (!state.held) choose(word);
  });
  listen("click", (word) => hold(word));
  listen("keydown", (word, event) => move(event, word));
}

// ---- Marks on words

function drawChosen() {
  markWords("source");
  markWords("target");
  drawLines();
  drawReadout();
  drawBand();
}

function markWords(axis) {
  const { chosen, held } = state;
  const weights = chosen && chosen.axis !== axis ? weightsOf(chosen) : null;
  const links = weights && goldLinks();
  [...byId(axis).children].forEach((word, index) => {
    const pair = (axis === "source" ? [index, chosen?.index] : [chosen?.index, index]).join();
    word.style.setProperty("--weight", weights ? weights[index].toFixed(3) : 0);
    word.classList.toggle("chosen", isChosen(axis, index));
    word.classList.toggle("held", isChosen(axis, index) && held);
    for (const kind of ["sure", "possible"]) {
      word.classList.toggle(kind, Boolean(links) && links[kind].some((link) => link.join() === pair));
    }
    word.setAttribute("aria-pressed", isChosen(axis, index) && held);
  });
}

/* Gold links, unless there are none or the reader hides them. */
const goldLinks = () => (byId("gold").checked && shown.links) || null;

// ---- Lines

function drawLines() {
  const { chosen } = state;
  const lines = [];
  if (chosen) {
    const share = Number(byId("mass").value) / 100;
    for (const { weight, index } of smallestSet(weightsOf(chosen), share)) {
      lines.push(chosen.axis === "target" ? [index, chosen.index, weight] : [chosen.index, index, weight]);
    }
  } else if (isOneRow("source") && isOneRow("target")) {
    // No word is chosen: each target's strongest link, unless lines of text wrap.
    shown.strongest.forEach((best, t) => { if (best) lines.push([best.index, t, best.weight]); });
  }
  byId("links").replaceChildren(...lines.map(([s, t, weight]) => draw("path", {
    d: curve(wordAt({ axis: "source", index: s }), wordAt({ axis: "target", index: t })),
    class: chosen ? "" : "rest",
    "stroke-width": (1 + (chosen ? 7 : 2) * weight).toFixed(2),
    "stroke-opacity": (0.3 + (chosen ? 0.6 : 0.3) * weight).toFixed(2),
  })));
}

function isOneRow(axis) {
  if (byId("stage").dataset.layout === "vertical") return true;
  const { firstElementChild: first, lastElementChild: last } = byId(axis);
  return first.offsetTop + first.offsetHeight > last.offsetTop;
}

/* From a source word to a target word, leaving and arriving straight. */
function curve(from, to) {
  const stage = byId("stage").getBoundingClientRect();
  const a = from.getBoundingClientRect(), b = to.getBoundingClientRect();
  let points;
  if (byId("stage").dataset.layout === "vertical") {
    const middle = (a.right + b.left) / 2;
    const y1 = (a.top + a.bottom) / 2, y2 = (b.top + b.bottom) / 2;
    points = [[a.right, y1], [middle, y1], [middle, y2], [b.left, y2]];
  } else {
    const middle = (a.bottom + b.top) / 2;
    const x1 = (a.left + a.right) / 2, x2 = (b.left + b.right) / 2;
    points = [[x1, a.bottom], [x1, middle], [x2, middle], [x2, b.top]];
  }
  const [start, ...bends] = points.map(([x, y]) =>
    `${(x - stage.left).toFixed(1)} ${(y - stage.top).toFixed(1)}`);
  return `M${start}C${bends.join(" ")}`;
}

// ---- The sentence that tells of it, spoken by screen readers too

function drawReadout() {
  const { chosen, cell } = state;
  const readout = byId("readout");
  readout.replaceChildren();
  if (chosen) {
    const isTarget = chosen.axis === "target", axis = isTarget ? "source" : "target";
    const weights = weightsOf(chosen);
    const named = cell === null ? largest(weights) : [{ index: cell, weight: weights[cell] }];
    readout.append(bold(chosen.axis, chosen.index), isTarget ? " looks at " : " is looked at by ");
    named.forEach(({ index, weight }, i) =>
      readout.append(i ? ", " : "", bold(axis, index), ` ${decimals(weight)}`));
    readout.append(named.length ? ". " : "nothing. ");
    readout.append(isTarget
      ? `Entropy ${entropy(weights).toFixed(2)}.`
      : `Coverage ${sum(weights).toFixed(2)}.`);
  }
  byId("links").setAttribute("aria-label", readout.textContent || "Lines between words");
}

/* The three largest, as far as they are worth naming; if none is, all three. */
function largest(weights) {
  const three = ranked(weights).slice(0, 3);
  const worthy = three.filter(({ weight }) => weight >= WORTH_NAMING);
  return worthy.length ? worthy : three;
}

const decimals = (weight) => (weight && weight < WORTH_NAMING ? "under 0.01" : weight.toFixed(2));

function bold(axis, index) {
  const word = make("b");
  word.append(make("bdi", "", nameOf(axis, index)));
  return word;
}
