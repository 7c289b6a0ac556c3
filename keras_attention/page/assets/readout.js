/* What is seen in words: of the word chosen, spoken by screen readers too; of the map. */

const FLAT = 0.9, UNATTENDED = 0.1; // entropy above, coverage below: named

function drawReadout() {
  const { chosen, cell } = state;
  const readout = byId("readout");
  readout.replaceChildren();
  if (chosen) {
    const isTarget = chosen.axis === "target", axis = isTarget ? "source" : "target";
    const weights = weightsOf(chosen);
    const named = cell === null ? largest(weights) : [{ index: cell, weight: weights[cell] }];
    readout.append(bold(chosen.axis, chosen.index), isTarget ? " attends to " : " is attended to by ");
    named.forEach(({ index, weight }, i) =>
      readout.append(i ? ", " : "", bold(axis, index), ` ${decimals(weight)}`));
    readout.append(named.length ? ". " : "nothing. ");
    readout.append(isTarget
      ? `Entropy ${entropy(weights).toFixed(2)}.`
      : `Coverage ${sum(weights).toFixed(2)}.`);
    if (shown.heads.length > 1) readout.append(...byHead(axis));
  }
  byId("links").setAttribute("aria-label", readout.textContent || "Lines between words");
}

/* The strongest link of each of the heads that are compared. */
function byHead(axis) {
  return shown.heads.flatMap(({ head, weights }, i) => {
    const best = strongest(weightsOf(state.chosen, weights));
    const link = best ? [bold(axis, best.index), ` ${decimals(best.weight)}`] : ["nothing"];
    return [i ? ", " : " ", swatch(head), `H${head} `, ...link];
  });
}

function swatch(head) {
  const mark = make("i", "swatch");
  mark.style.background = headColor(head);
  return mark;
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
    facts.push(`Strongest link: ${from} attends to ${to}, ${best.weight.toFixed(2)}.`);
  }
  const flat = [...target.keys()].filter((t) => shown.entropy[t] > FLAT);
  if (flat.length) facts.push(`Spread evenly: ${named("target", flat)}.`);
  const missed = [...source.keys()].filter((s) => shown.coverage[s] < UNATTENDED);
  if (missed.length) facts.push(`Hardly attended to: ${named("source", missed)}.`);
  if (links) {
    const rate = alignmentErrorRate(links).toFixed(2);
    facts.push(`Alignment error rate of the strongest links: ${rate}.`);
  }
  return [...facts, ...notes].join(" ");
}
