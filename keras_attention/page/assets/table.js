/* The weights as a table, made when it is opened. */

const MAX_TABLE = 4000; // cells; what is larger names its largest weights only

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
    ...(isWhole ? source.map((token) => heading(token, "col")) : [make("td", "text", "attends to")]),
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
