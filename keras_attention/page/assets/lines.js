/* Lines between words: those of the word chosen, or each target's strongest link. */

const APART = 5; // pixels between the lines of two heads

function drawLines() {
  const drawn = shown.heads.length ? shown.heads : [shown]; // each head, or the mean
  byId("links").replaceChildren(...drawn.flatMap(({ head, weights }, i) => {
    const shift = APART * (i - (drawn.length - 1) / 2);
    return linksOf(weights).map((link) => drawnLine(link, shift, head));
  }));
}

/* Source, target and weight of each line. */
function linksOf(weights) {
  const { chosen } = state;
  if (!chosen) {
    return shown.target.flatMap((_, t) => {
      const best = strongest(weightsOf({ axis: "target", index: t }, weights));
      return best ? [[best.index, t, best.weight]] : [];
    });
  }
  const share = Number(byId("mass").value) / 100;
  return smallestSet(weightsOf(chosen, weights), share).map(({ weight, index }) =>
    chosen.axis === "target" ? [index, chosen.index, weight] : [chosen.index, index, weight]);
}

/* At rest all lines are seen at once: there a square tells strong from middling. */
function drawnLine([s, t, weight], shift, head) {
  const atRest = !state.chosen;
  const line = draw("path", {
    d: curve(wordAt({ axis: "source", index: s }), wordAt({ axis: "target", index: t }), shift),
    class: atRest ? "rest" : "",
    "stroke-width": (atRest ? 0.75 + 5 * weight ** 2 : 1 + 7 * weight).toFixed(2),
    "stroke-opacity": (atRest ? 0.2 + 0.65 * weight : 0.3 + 0.6 * weight).toFixed(2),
  });
  if (head !== undefined) {
    line.classList.add("by-head");
    line.style.stroke = headColor(head);
  }
  return line;
}

/* From a source word to a target word, leaving and arriving straight. */
function curve(from, to, shift = 0) {
  const stage = byId("stage"), corner = stage.getBoundingClientRect();
  const a = from.getBoundingClientRect(), b = to.getBoundingClientRect();
  let points;
  if (stage.dataset.layout === "vertical") {
    const middle = (a.right + b.left) / 2;
    const y1 = (a.top + a.bottom) / 2 + shift, y2 = (b.top + b.bottom) / 2 + shift;
    points = [[a.right, y1], [middle, y1], [middle, y2], [b.left, y2]];
  } else {
    const middle = (a.bottom + b.top) / 2;
    const x1 = (a.left + a.right) / 2 + shift, x2 = (b.left + b.right) / 2 + shift;
    points = [[x1, a.bottom], [x1, middle], [x2, middle], [x2, b.top]];
  }
  const [start, ...bends] = points.map(([x, y]) =>
    `${(x - corner.left + stage.scrollLeft).toFixed(1)} ${(y - corner.top).toFixed(1)}`);
  return `M${start}C${bends.join(" ")}`;
}
