"use strict";

/* Weights and what is computed of them. `shown` is what is drawn now: a frame of the data
   and one matrix `weights`, the mean over the heads chosen, one target after another. */

const MAX_LINES = 64;
let shown = null;

function decode(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/* The weights of one head. Each row is stored as shares of its largest weight. */
function headOf(layer, head, rows, columns) {
  if (!layer.values) {
    const shares = decode(layer.shares);
    const largest = new Float32Array(decode(layer.largest).buffer);
    layer.values = new Float32Array(shares.length);
    for (let i = 0; i < shares.length; i++) {
      layer.values[i] = (largest[Math.floor(i / columns)] * shares[i]) / 255;
    }
  }
  return layer.values.subarray(head * rows * columns, (head + 1) * rows * columns);
}

function meanOfHeads(layer, heads, rows, columns) {
  const mean = new Float32Array(rows * columns);
  for (const head of heads) {
    const weights = headOf(layer, head, rows, columns);
    for (let i = 0; i < mean.length; i++) mean[i] += weights[i] / heads.length;
  }
  return mean;
}

/* The weights of one word: a target's row, or a source's column. */
function weightsOf({ axis, index }, weights = shown.weights) {
  const { target, source } = shown;
  if (axis === "target") {
    return weights.subarray(index * source.length, (index + 1) * source.length);
  }
  return Float32Array.from(target, (_, t) => weights[t * source.length + index]);
}

const sum = (weights) => weights.reduce((total, weight) => total + weight, 0);

/* Words by falling weight, those of weight 0 left out. Of equal ones the first leads. */
function ranked(weights) {
  return Array.from(weights, (weight, index) => ({ weight, index }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || a.index - b.index);
}

/* The word with the largest weight; null in a row of zeros. */
function strongest(weights) {
  let index = 0;
  for (let i = 1; i < weights.length; i++) if (weights[i] > weights[index]) index = i;
  return weights[index] > 0 ? { weight: weights[index], index } : null;
}

/* The fewest words that together have `share` of the attention. */
function smallestSet(weights, share) {
  const wanted = share * sum(weights) - 1e-6;
  const set = [];
  let found = 0;
  for (const word of ranked(weights)) {
    if (found >= wanted || set.length === MAX_LINES) break;
    set.push(word);
    found += word.weight;
  }
  return set;
}

/* How evenly a row is spread: 0 on one word, 1 on all alike. */
function entropy(weights) {
  const total = sum(weights) || 1;
  let nats = 0;
  for (const weight of weights) {
    if (weight > 0) nats -= (weight / total) * Math.log(weight / total);
  }
  return Math.min(Math.max(nats / Math.log(Math.max(weights.length, 2)), 0), 1);
}

/* Of each target's strongest link, held against gold links; special tokens aside. */
function alignmentErrorRate({ sure, possible }) {
  const { source, target, strongest } = shown;
  const keys = (links) => new Set(links.map((link) => link.join()));
  const must = keys(sure), may = keys([...sure, ...possible]);
  const ours = [];
  strongest.forEach((best, t) => {
    if (best && !source[best.index].special && !target[t].special) ours.push(`${best.index},${t}`);
  });
  const found = ours.filter((link) => must.has(link)).length;
  const allowed = ours.filter((link) => may.has(link)).length;
  const total = ours.length + must.size;
  return total ? 1 - (found + allowed) / total : 0;
}
