// The figures of the day, as the server computed them: extremes with their times, mean, factors, energy, completeness.

import { byId, element } from "/static/dom.js";
import { isNumber, number, share, unitText } from "/static/format.js";
import { words } from "/static/i18n.js";
import { WITHOUT_VALUE } from "/static/slot_state.js";

/** Shows the figures of a curve whose slots are in `states`. */
export function showFigures(curve, states) {
  const { summary, unit } = curve;
  const tiles = [
    tile("max", summary.max, unit, slotText(curve, summary.maxIndex)),
    tile("min", summary.min, unit, slotText(curve, summary.minIndex)),
    tile("mean", summary.mean, unit, words("mean_hint", { count: summary.valueCount, total: curve.slots.length })),
    tile("difference", summary.difference, unit, words("difference_hint")),
    shareTile("rate", summary.rate, words("rate_hint")),
    shareTile("load_factor", summary.loadFactor, words("load_factor_hint")),
  ];
  const { total, totalUnit } = summary;
  if (totalUnit) tiles.push(tile(totalWord(totalUnit), total, totalUnit, words("total_hint")));
  byId("figures").replaceChildren(...tiles, completenessTile(states));
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

/** Which word names a sum in that unit: "energy" for watt-hours, "total" for anything else. */
export function totalWord(unit) {
  return /Wh$/.test(unit) ? "energy" : "total";
}

function tile(key, value, unit, hint) {
  const shown = [element("span", { class: "figure" }, number(value))];
  if (isNumber(value)) shown.push(element("span", { class: "unit" }, unitText(unit)));
  return block(key, shown, isNumber(value) ? hint : "");
}

function shareTile(key, value, hint) {
  return block(key, [element("span", { class: "figure" }, share(value))], isNumber(value) ? hint : "");
}

/** Of the slots that have begun: a day still running is not short of its evening. */
function completenessTile(states) {
  const begun = states.filter((state) => state !== "ahead");
  const missing = begun.filter((state) => WITHOUT_VALUE.has(state)).length;
  const counts = { missing, expected: begun.length };
  const hint = words(missing > 0 ? "completeness_some" : "completeness_all", counts);
  const value = begun.length > 0 ? (begun.length - missing) / begun.length : null;
  const shown = element("span", { class: "figure" }, share(value, 1));
  const node = block("completeness", [shown], isNumber(value) ? hint : "");
  node.classList.toggle("abnormal", missing > 0);
  return node;
}

function block(key, shown, hint) {
  return element("div", { "data-figure": key },
    element("dt", {}, words(key)), element("dd", {}, ...shown), element("dd", { class: "quiet hint" }, hint));
}
