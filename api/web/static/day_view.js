// Loads everything about one point and day, and shows it; a later choice overtakes an earlier one still loading.

import { CurvePanel } from "/static/curve_panel.js";
import { byId } from "/static/dom.js";
import { monthSpan, yearSpan } from "/static/days.js";
import { clearFigures, showFigures } from "/static/figures.js";
import { clearGaps, showGaps } from "/static/gap_list.js";
import { clearNotice, reportFailure } from "/static/notices.js";
import { OVERLAYS } from "/static/overlays.js";
import { listGaps, listRollups, loadCurve } from "/static/resources.js";
import { slotState } from "/static/slot_state.js";
import { clearRollups, showMonth, showYear } from "/static/rollup_panels.js";

/** Calls `onOverlays(list)` and `onDay(day)` when the operator chooses. */
export class DayView {
  #panel;
  #handlers;
  #pending = new AbortController();
  #held = null;

  constructor(handlers) {
    this.#handlers = handlers;
    this.#panel = new CurvePanel(handlers.onOverlays);
  }

  /** Makes the chart ready. */
  async open() {
    await this.#panel.open();
  }

  /** Whether the held curve has no value at all. */
  get isEmpty() {
    return this.#held?.curve?.slots.every((slot) => slot.value === null) ?? false;
  }

  /** Loads the day of `point`; what was shown stays until the answer is there. */
  async load(point, day) {
    this.#pending.abort();
    this.#pending = new AbortController();
    const { signal } = this.#pending;
    document.body.classList.add("loading");
    const held = { point, day, curve: null, gaps: [], months: null, days: null };
    await Promise.all([
      this.#part("curve", () => this.#loadCurve(held, signal)),
      this.#part("days", async () => { held.days = await listRollups(point, "day", ...monthSpan(day), signal); }),
      this.#part("months", async () => { held.months = await listRollups(point, "month", ...yearSpan(day), signal); }),
    ]);
    if (signal.aborted) return;
    this.#held = held;
    document.body.classList.remove("loading");
  }

  /** Shows what is held; `choice` tells view and overlays. */
  render(choice) {
    if (this.#held === null) return;
    const { point, day, curve, gaps, days, months } = this.#held;
    if (curve === null) this.#clearCurve();
    else {
      const states = curve.slots.map((slot) => slotState(slot, Date.now()));
      this.#panel.show({ point, curve, states, gaps, overlays: choice.overlays, view: choice.view });
      showFigures(curve, states);
      showGaps(gaps, day, curve.timeZone);
    }
    if (days === null || months === null) clearRollups();
    else {
      showMonth(days, day, point.time_zone, this.#handlers.onDay);
      showYear(months, day, point.time_zone, this.#handlers.onDay);
    }
    byId("curve").dataset.shown = `${point.name} ${day}`;
  }

  async #loadCurve(held, signal) {
    const curve = await loadCurve(held.point, held.day, OVERLAYS, signal);
    held.curve = curve;
    await this.#part("gaps", async () => {
      held.gaps = await listGaps(held.point, curve.slots[0].startMs, curve.slots.at(-1).endMs, signal);
    });
  }

  async #part(place, load) {
    try {
      await load();
      clearNotice(place);
    } catch (error) {
      reportFailure(place, error);
    }
  }

  #clearCurve() {
    this.#panel.clear();
    clearFigures();
    clearGaps();
  }
}
