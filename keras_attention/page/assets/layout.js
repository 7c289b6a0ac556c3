/* Whether sentences run across or down: as the reader says, or as there is room. */

/* Sentences run across where each fits into one row beside the heat map, else down. If
   the reader wants them across, they get the whole width, and are moved sideways. */
function chooseLayout() {
  const { value } = document.querySelector("[name=layout]:checked");
  setLayout(value === "vertical" ? value : "horizontal", "beside");
  if (value === "vertical" || fits()) return;
  if (value === "auto") setLayout("vertical", "beside");
  else setLayout("horizontal", "below");
}

/* Layout of the sentences, and where the heat map is if the page is wide. */
function setLayout(layout, map) {
  byId("stage").dataset.layout = layout;
  byId("pair").dataset.map = map;
}

const fits = () =>
  ["source", "target"].every((id) => byId(id).offsetWidth <= byId(id).parentElement.clientWidth);
