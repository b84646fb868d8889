// Drawn on the curve's canvas besides the lines: hatches where slots are missing, a strip of slot states,
// and the marks of the maximum and the minimum. Pattern and letter carry the meaning, colour only helps.

import { unitText } from "/static/format.js";
import { WITHOUT_VALUE } from "/static/slot_state.js";

const STRIP_HEIGHT = 9;
const INK = {
  missing: "#7d858d", doubtful: "#a35200", bad: "#a3221c", replaced: "#3d5a76", mark: "#22282e", axis: "#4a545e",
};

/** The letter at a run of slots in that state; a plain gap has none. */
export const LETTERS = {
  partial: "½", spread: "÷", suspect: "?", estimated: "E", substituted: "S", manual: "M", unusable: "×", spanned: "Σ",
};
const STATE_INK = {
  partial: INK.doubtful, spread: INK.replaced, suspect: INK.doubtful, estimated: INK.replaced,
  substituted: INK.replaced, manual: INK.replaced, missing: INK.missing, unusable: INK.bad, spanned: INK.missing,
};

/** The page's own font a little smaller, in CSS form; `ratio` is 1 where the drawer scales by itself. */
export function canvasFont(ratio) {
  const { fontFamily, fontSize } = getComputedStyle(document.body);
  return `${Number.parseFloat(fontSize) * 0.9 * ratio}px ${fontFamily}`;
}

/** Runs of equal slot state: `{state, first, last}` by slot index, both inclusive. */
export function stateRuns(states) {
  const runs = [];
  states.forEach((state, index) => {
    const open = runs.at(-1);
    if (open?.state === state) open.last = index;
    else runs.push({ state, first: index, last: index });
  });
  return runs;
}

/** Indexes of values whose neighbours are both missing: a line cannot show them. */
export function isolatedIndexes(values) {
  const isThere = (index) => values[index] !== null && values[index] !== undefined;
  return values.flatMap((_, index) => (isThere(index) && !isThere(index - 1) && !isThere(index + 1) ? [index] : []));
}

/** Hatches the runs of slots without a value over the full height of the plot. */
export function drawMissing(plot, runs) {
  for (const run of runs.filter((one) => WITHOUT_VALUE.has(one.state))) {
    const [left, width] = runEdges(plot, run);
    hatch(plot.ctx, left, plot.bbox.top, width, plot.bbox.height, STATE_INK[run.state], 9);
  }
}

/** A strip along the bottom for runs in a state that has a letter. */
export function drawStateStrip(plot, runs) {
  const ratio = devicePixelRatio;
  const height = STRIP_HEIGHT * ratio;
  const top = plot.bbox.top + plot.bbox.height - height;
  for (const run of runs.filter((one) => one.state in LETTERS)) {
    const [left, width] = runEdges(plot, run);
    const ink = STATE_INK[run.state];
    hatch(plot.ctx, left, top, width, height, ink, 5);
    if (width > 0) writeText(plot.ctx, LETTERS[run.state], left + width / 2, top - 2 * ratio, ink, "bottom", "center");
  }
}

/** A triangle and "628.72 kW · 09:45" at an extreme; `isAbove` for the maximum. */
export function drawExtreme(plot, x, value, text, isAbove) {
  const ratio = devicePixelRatio;
  const centre = plot.valToPos(x, "x", true);
  if (centre < plot.bbox.left - 1 || centre > plot.bbox.left + plot.bbox.width + 1) return;
  const away = (isAbove ? -1 : 1) * ratio;
  const tip = plot.valToPos(value, "y", true) + 3 * away;
  const context = plot.ctx;
  context.save();
  context.fillStyle = INK.mark;
  context.beginPath();
  context.moveTo(centre, tip);
  context.lineTo(centre - 4.5 * ratio, tip + 8 * away);
  context.lineTo(centre + 4.5 * ratio, tip + 8 * away);
  context.fill();
  context.restore();
  const isRight = centre > plot.bbox.left + plot.bbox.width * 0.8;
  const side = (isRight ? -8 : 8) * ratio;
  writeText(context, text, centre + side, tip + 4 * away, INK.mark, "middle", isRight ? "right" : "left");
}

/** The unit above the value axis. */
export function drawUnit(plot, unit) {
  const away = 6 * devicePixelRatio;
  writeText(plot.ctx, unitText(unit), plot.bbox.left - away, plot.bbox.top - away, INK.axis, "bottom", "right");
}

/** Canvas pixels `[left, width]` of a run of slots; slot `i` covers `[i, i + 1)` on the x scale. */
function runEdges(plot, run) {
  const low = plot.bbox.left;
  const high = low + plot.bbox.width;
  const clamp = (position) => Math.min(high, Math.max(low, position));
  const left = clamp(plot.valToPos(run.first, "x", true));
  return [left, clamp(plot.valToPos(run.last + 1, "x", true)) - left];
}

function hatch(context, left, top, width, height, ink, spacing) {
  if (width <= 0) return;
  const step = spacing * devicePixelRatio;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.globalAlpha = 0.1;
  context.fillStyle = ink;
  context.fillRect(left, top, width, height);
  context.globalAlpha = 0.75;
  context.strokeStyle = ink;
  context.lineWidth = devicePixelRatio;
  context.beginPath();
  for (let x = Math.floor((left - height) / step) * step; x < left + width; x += step) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}

function writeText(context, text, x, y, ink, baseline, align) {
  context.save();
  context.font = `600 ${canvasFont(devicePixelRatio)}`;
  context.textBaseline = baseline;
  context.textAlign = align;
  context.lineWidth = 3 * devicePixelRatio;
  context.strokeStyle = "#f6f7f8";
  context.strokeText(text, x, y);
  context.fillStyle = ink;
  context.fillText(text, x, y);
  context.restore();
}
