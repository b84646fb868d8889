// The gaps of the day in words, each with its cause; also answers which gap a slot lies in.

import { byId, element } from "/static/dom.js";
import { dayText, shortMomentText } from "/static/format.js";
import { codeWords, words } from "/static/i18n.js";

const MINUTE_MS = 60_000;

/** Lists `gaps` under the day's heading. */
export function showGaps(gaps, day, timeZone) {
  byId("gaps_title").textContent = words("gaps_title", { day: dayText(day) });
  const items = gaps.map((gap) => element("li", {},
    element("span", { class: "hatch", "aria-hidden": "true" }),
    element("b", {}, spanText(gap, day, timeZone)),
    gap.missingCount ? element("span", { class: "quiet" }, words("gap_missing", { count: gap.missingCount })) : null,
    element("span", { class: "cause" }, causeText(gap)),
  ));
  byId("gaps").replaceChildren(...(items.length > 0 ? items : [element("li", { class: "quiet" }, words("no_gaps"))]));
}

/** Empties the list, as when gaps could not be read. */
export function clearGaps() {
  byId("gaps_title").replaceChildren();
  byId("gaps").replaceChildren();
}

/** The gap that overlaps a slot, if any. */
export function gapOfSlot(gaps, slot) {
  return gaps.find((gap) => gap.startMs < slot.endMs && gap.endMs > slot.startMs);
}

/** The cause in words, with its detail. */
export function causeText(gap) {
  const cause = codeWords("cause", gap.cause || "unknown");
  return gap.detail ? `${cause}: ${gap.detail}` : cause;
}

function spanText(gap, day, timeZone) {
  const isFine = gap.startMs % MINUTE_MS !== 0 || gap.endMs % MINUTE_MS !== 0;
  const [start, end] = [gap.startMs, gap.endMs].map((timeMs) => shortMomentText(timeMs, timeZone, day, isFine));
  return words("slot_at", { start, end });
}
