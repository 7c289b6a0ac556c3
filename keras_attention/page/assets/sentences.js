/* The two sentences, and the word chosen in them. */

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
  list.style.setProperty("--words", frame[axis].length);
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
  if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
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
  listen("click", (word, event) => {
    hold(word);
    // No pointer will leave the word that a finger has let go of.
    if (event.pointerType === "touch" && !state.held) choose(null);
  });
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
  const weights = chosen && chosen.axis !== axis ? weightsOf(chosen, shown.colored) : null;
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
