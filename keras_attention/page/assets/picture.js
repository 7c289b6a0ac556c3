/* The sentences and lines as they are shown, as a picture to keep. */

const SHARPNESS = 2; // pixels of the PNG for one of the page

/* In SVG that needs no style sheet. */
function picture() {
  const stage = byId("stage"), box = stage.getBoundingClientRect();
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const svg = draw("svg", {
    width: box.width,
    height: box.height,
    viewBox: `0 0 ${box.width} ${box.height}`,
    role: "img",
    "aria-label": byId("links").getAttribute("aria-label"),
    "font-family": getComputedStyle(stage).fontFamily,
  });
  svg.append(draw("rect", { width: "100%", height: "100%", fill: color("paper") }));
  for (const line of byId("links").children) {
    const copy = line.cloneNode();
    copy.setAttribute("fill", "none");
    copy.setAttribute("stroke", color(line.classList.contains("rest") ? "muted" : "accent"));
    svg.append(copy);
  }
  for (const word of stage.querySelectorAll(".word")) svg.append(...drawnWord(word, box, color));
  return new XMLSerializer().serializeToString(svg);
}

function drawnWord(word, box, color) {
  const { left, top, width, height } = word.getBoundingClientRect();
  const [x, y] = [left - box.left, top - box.top];
  const has = (name) => word.classList.contains(name);
  const fontSize = parseFloat(getComputedStyle(word).fontSize);
  const ground = draw("rect", {
    x, y, width, height, rx: 5,
    fill: color(has("chosen") ? "accent" : "mark"),
    "fill-opacity": has("chosen") ? 1 : word.style.getPropertyValue("--weight"),
  });
  const text = draw("text", {
    x: x + width / 2,
    y: y + height / 2 + 0.35 * fontSize,
    "text-anchor": "middle",
    "font-size": fontSize,
    fill: color(has("chosen") ? "on-accent" : has("dim") ? "muted" : "ink"),
  });
  text.textContent = word.textContent;
  return [ground, text];
}

function download(blob, name) {
  const link = make("a"), address = URL.createObjectURL(blob);
  link.setAttribute("href", address);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); // a browser may ask where to
}

function saveSvg() {
  download(new Blob([picture()], { type: "image/svg+xml" }), "attention.svg");
}

function savePng() {
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = make("canvas");
    Object.assign(canvas, { width: SHARPNESS * image.width, height: SHARPNESS * image.height });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => download(blob, "attention.png"));
  });
  image.setAttribute("src", `data:image/svg+xml,${encodeURIComponent(picture())}`);
}
