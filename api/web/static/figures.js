// The figures of the day, as the server computed them: extremes with their times, mean, factors, energy, completeness.

import { byId, element } from "/static/dom.js";
import { isNumber, number, share } from "/static/format.js";
import { words } from "/static/i18n.js";

/** Shows the figures of a curve; `isTotalled` tells whether an energy makes sense for the point. */
export function showFigures(curve) {
  const { summary, unit } = curve;
  const tiles = [
    tile("max", summary.max, unit, slotText(curve, summary.maxIndex)),
    tile("min", summary.min, unit, slotText(curve, summary.minIndex)),
    tile("mean", summary.mean, unit, words("mean_hint", { count: summary.present })),
    tile("difference", summary.difference, unit, words("difference_hint")),
    shareTile("rate", summary.rate, words("rate_hint")),
    shareTile("load_factor", summary.loadFactor, words("load_factor_hint")),
  ];
  if (summary.energyUnit) tiles.push(tile("energy", summary.energy, summary.energyUnit, words("energy_hint")));
  tiles.push(completenessTile(summary));
  byId("figures").replaceChildren(...tiles);
}

/** Takes the figures away, as when a day could not be read. */
export function clearFigures() {
  byId("figures").replaceChildren();
}

/** "09:30–09:45" of a slot; nothing where there is none. */
export function slotText(curve, index) {
  const slot = curve.slots[index];
  return slot === undefined ? "" : words("slot_at", { start: slot.startLabel, end: slot.label });
}

function tile(key, value, unit, hint) {
  const shown = [element("span", { class: "figure" }, number(value))];
  if (isNumber(value) && unit) shown.push(element("span", { class: "unit" }, unit));
  return block(key, shown, isNumber(value) || key === "completeness" ? hint : "");
}

function shareTile(key, value, hint) {
  return block(key, [element("span", { class: "figure" }, share(value))], isNumber(value) ? hint : "");
}

function completenessTile(summary) {
  const { expected, missing } = summary;
  const hint = missing > 0
    ? words("completeness_some", { missing, expected }) : words("completeness_all", { expected });
  const value = expected > 0 ? (expected - missing) / expected : null;
  const node = block("completeness", [element("span", { class: "figure" }, share(value, 1))], expected > 0 ? hint : "");
  node.classList.toggle("abnormal", missing > 0);
  return node;
}

function block(key, shown, hint) {
  return element("div", { "data-figure": key },
    element("dt", {}, words(key)), element("dd", {}, ...shown), element("dd", { class: "quiet hint" }, hint));
}
