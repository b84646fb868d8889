// The panel of the day: its legend with the overlay switches, the chart or the table, and the states in words.

import { makeCurveChart } from "/static/curve_chart.js";
import { LETTERS, stateRuns } from "/static/curve_marks.js";
import { showTable } from "/static/day_table.js";
import { byId, element, svgElement } from "/static/dom.js";
import { slotText } from "/static/figures.js";
import { dayText, intervalText, isNumber, quantity } from "/static/format.js";
import { causeText, gapOfSlot } from "/static/gap_list.js";
import { codeWords, words } from "/static/i18n.js";
import { showNotice } from "/static/notices.js";
import { OVERLAY_WORDS } from "/static/overlays.js";
import { curveCsvAddress } from "/static/resources.js";

const WHOLE = new Set(["good", "open", "ahead"]); // states that no gap explains
const SWATCHES = ["main", "first", "second"];

/** Holds the chart and what it shows; `onOverlays(list)` is called when the switches change. */
export class CurvePanel {
  #chart = null;
  #onOverlays;
  #shown = null;

  constructor(onOverlays) {
    this.#onOverlays = onOverlays;
  }

  /** Loads the chart library; without it the table still works. */
  async open() {
    try {
      this.#chart = await makeCurveChart(byId("chart"), (index) => this.#read(index));
    } catch (error) {
      console.error(error);
      showNotice("chart", words("no_chart"));
    }
  }

  /**
   * Shows a curve of `point` with its slots' `states` and `gaps`; `overlays` are those switched on, `view` is "curve"
   * or "table".
   */
  show({ point, curve, states, gaps, overlays, view }) {
    this.#shown = { point, curve, gaps, overlays, states };
    const isTable = view === "table" || this.#chart === null;
    byId("curve_title").textContent = words("curve_title", { day: dayText(curve.date), count: curve.slots.length });
    byId("curve_basis").textContent = words("curve_basis", {
      unit: curve.unit, interval: intervalText(curve.interval), zone: curve.timeZone,
    });
    byId("chart").hidden = isTable;
    byId("table").hidden = !isTable;
    byId("chart").setAttribute("aria-label", words("chart_label", { point: point.name, day: curve.date }));
    this.#showLegend(null);
    if (isTable) showTable(curve, states, this.#visibleOverlays(), curveCsvAddress(point, curve.date, overlays));
    else this.#showChart(`${point.name} ${curve.date}`);
    showStates(states);
  }

  #showChart(name) {
    const { curve, states, overlays } = this.#shown;
    this.#chart.show(name, curve, states, curve.overlays.map((one) => overlays.includes(one.offset)));
  }

  /** Takes the curve away, as when it could not be read. */
  clear() {
    this.#shown = null;
    for (const id of ["curve_basis", "legend", "states"]) byId(id).replaceChildren();
    byId("curve_title").textContent = words("no_curve");
    byId("chart").hidden = true;
    byId("table").hidden = true;
  }

  #visibleOverlays() {
    const { curve, overlays } = this.#shown;
    return curve.overlays.filter((one) => overlays.includes(one.offset));
  }

  #read(index) {
    if (this.#shown !== null) this.#showLegend(index);
  }

  /** The legend is also the readout: with the cursor on a slot it carries that slot's values. */
  #showLegend(index) {
    const { curve, states, gaps } = this.#shown;
    const at = index ?? newestIndex(curve.slots);
    const slot = curve.slots[at];
    const legend = byId("legend");
    if (legend.childElementCount !== curve.overlays.length + 2) this.#makeLegend(legend);
    const [main, ...others] = legend.querySelectorAll(".entry");
    const where = legend.querySelector(".where");
    where.querySelector("b").textContent = slot ? slotText(curve, at) : words("none");
    where.querySelector(".slot_state").textContent = slot ? slotWords(slot, states[at], gaps, index === null) : "";
    where.title = where.textContent;
    fillEntry(main, curve.date, slot?.value, curve.unit);
    curve.overlays.forEach((one, k) => {
      const name = `${words(OVERLAY_WORDS[one.offset])} ${one.date}`;
      fillEntry(others[k], name, at === null ? null : one.values[at], curve.unit);
      others[k].querySelector("input").checked = this.#shown.overlays.includes(one.offset);
    });
  }

  #makeLegend(legend) {
    const entries = this.#shown.curve.overlays.map((one, index) => element("label", { class: "entry" },
      element("input", { type: "checkbox", "data-overlay": one.offset, change: () => this.#switched() }),
      swatch(SWATCHES[index + 1]), ...entryTexts()));
    legend.replaceChildren(
      element("span", { class: "entry" }, swatch("main"), ...entryTexts()), ...entries,
      element("span", { class: "where" }, element("b", {}), " ", element("span", { class: "slot_state quiet" })));
  }

  #switched() {
    const boxes = [...byId("legend").querySelectorAll("input")];
    this.#onOverlays(boxes.filter((box) => box.checked).map((box) => box.dataset.overlay));
  }
}

/** The slot of the newest value; null where there is none. */
function newestIndex(slots) {
  const index = slots.findLastIndex((slot) => isNumber(slot.value));
  return index < 0 ? null : index;
}

function slotWords(slot, state, gaps, isNewest) {
  const gap = WHOLE.has(state) ? undefined : gapOfSlot(gaps, slot);
  const parts = [codeWords("state", state)];
  if (gap !== undefined) parts.push(causeText(gap));
  if (isNewest) parts.unshift(words("newest_slot"));
  return parts.join(" · ");
}

function entryTexts() {
  return [element("span", { class: "entry_name" }), element("b", { class: "entry_value" })];
}

function fillEntry(entry, name, value, unit) {
  entry.querySelector(".entry_name").textContent = name;
  entry.querySelector(".entry_value").textContent = quantity(value, unit);
}

function swatch(kind) {
  return svgElement("svg", { class: `swatch ${kind}`, viewBox: "0 0 28 8", "aria-hidden": "true" },
    svgElement("line", { x1: 0, y1: 4, x2: 28, y2: 4 }));
}

/** Counts of the states that are not plainly good, each with its pattern. */
function showStates(states) {
  const counts = new Map();
  for (const { state, first, last } of stateRuns(states)) {
    if (state !== "good") counts.set(state, (counts.get(state) ?? 0) + last - first + 1);
  }
  byId("states").replaceChildren(...[...counts].map(([state, count]) => element("span", { "data-state": state },
    element("span", { class: "hatch", "aria-hidden": "true" }),
    `${LETTERS[state] ?? ""} ${codeWords("state", state)} ${count}`.trim())));
}
